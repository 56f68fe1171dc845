"""A calibration: how right one judge was, by model, and which judge, which labels and which models that were."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.errors import DataError
from holdfast.judges.agreement import Agreement, Estimate, Versus

FORMAT = 1
MARK = "holdfast_calibration"


@dataclass(frozen=True, slots=True)
class ModelAgreement:
    """A judge on one model's answers."""

    weights: str
    """What a measurement knows the model by; empty where the labels only give its name."""
    whole: Agreement
    sides: Mapping[str, Agreement]
    """By `safe` and `unsafe`, those that there are."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A judge against people's labels."""

    judge: str
    version: str
    """What of it may change under the same name; empty where Holdfast's own version says all."""
    labels: str
    """The file of labels."""
    sha256: str
    """Of that file."""
    whole: Agreement
    sides: Mapping[str, Agreement]
    models: Mapping[str, ModelAgreement]
    """Those whose answers were labelled; none where the file names no model."""
    versus: Versus | None = None
    """What the judge gains over another one, where that was asked."""
    known: int = 0
    """Longer answers from which the judge itself was made."""

    @property
    def flatters(self) -> bool:
        """Whether more than a tenth of the answers are those that the judge was made from: a few may be chance."""
        return self.known > self.whole.n / 10

    def of(self, model: str, weights: str) -> ModelAgreement | None:
        """What is known of the judge on this very model; None where none of its answers was labelled.

        A model is known by its weights; by its name only where the labels give nothing else.
        """
        for name, found in self.models.items():
            known_by, asked = (found.weights, weights) if found.weights else (name, model)
            if known_by == asked:
                return found
        return None


def load_calibration(name: str, plain: Any) -> Calibration:
    """A calibration from its plain JSON, as `calibration.json` holds it.

    Args:
        name: the file, for messages.
        plain: what was read.

    Raises:
        DataError: it is none of ours, or of another format.
    """
    mend = "holdfast judge calibrate LABELS.csv --judge NAME --out DIR"
    if not isinstance(plain, dict) or MARK not in plain:
        raise DataError(f"{name!r} is no calibration.", f"It lacks the key {MARK!r}.", mend)
    if plain[MARK] != FORMAT:
        raise DataError(f"{name!r} is a calibration of format {plain[MARK]!r}.", f"This version reads {FORMAT}.", mend)
    try:
        return Calibration(
            judge=str(plain["judge"]),
            version=str(plain["version"]),
            labels=str(plain["labels"]),
            sha256=str(plain["sha256"]),
            whole=_agreement(plain["whole"]),
            sides=_sides(plain["sides"]),
            models={str(model): _model(found) for model, found in plain["models"].items()},
            known=int(plain.get("known", 0)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{name!r} is no calibration that can be read.", f"{error!r}", mend) from error


def calibration_json(calibration: Calibration) -> dict[str, Any]:
    """What `calibration.json` holds, but for a comparison with another judge, which is no part of it."""
    fields = ("judge", "version", "labels", "sha256", "whole", "sides", "models", "known")
    return {MARK: FORMAT, **{field: getattr(calibration, field) for field in fields}}


def _model(plain: Mapping[str, Any]) -> ModelAgreement:
    return ModelAgreement(str(plain["weights"]), _agreement(plain["whole"]), _sides(plain["sides"]))


def _sides(plain: Mapping[str, Any]) -> dict[str, Agreement]:
    return {str(side): _agreement(found) for side, found in plain.items()}


def _agreement(plain: Mapping[str, Any]) -> Agreement:
    figures = ("agreement", "kappa", "sensitivity", "specificity")
    return Agreement(**{**plain, **{figure: _estimate(plain[figure]) for figure in figures}})


def _estimate(plain: Mapping[str, Any]) -> Estimate:
    return Estimate(plain["value"], _pair(plain["interval"]), _pair(plain["bounds"]), int(plain["n"]))


def _pair(plain: Any) -> tuple[float, float] | None:
    if plain is None:
        return None
    low, high = plain
    return float(low), float(high)
