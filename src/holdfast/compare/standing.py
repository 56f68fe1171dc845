"""What is known of the judges behind a comparison, as data and in words. Decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.measure.calibrating import STATUSES, Share, Standing, Status

MODELS_NAMED = 3


@dataclass(frozen=True, slots=True)
class JudgeStanding:
    """One judge, and what is known of it on either side."""

    metrics: tuple[str, ...]
    """Those that it read."""
    before: Standing
    after: Standing
    labelled: bool = False
    """Whether people labelled a random sample of these very answers, which then enters the limits."""

    @property
    def status(self) -> Status:
        """The lesser of the two sides', unless these very answers were labelled."""
        return "own" if self.labelled else least((self.before.status, self.after.status))

    @property
    def says(self) -> str:
        """In one line: the judge, its error as far as it is known, and its status."""
        name = f"`{self.before.judge}`" if self.before.judge else "a judge that is not stated"
        if self.labelled:
            return f"{name}: corrected by people's labels of a random sample of these answers"
        if self.status == "exact":
            return f"{name}: exact, nothing has to be calibrated"
        if self.status == "uncalibrated":
            return f"{name}: uncalibrated, how often it errs is not known"
        one, other = (_figures(side) for side in (self.before, self.after))
        return f"{name}: {one}" if one == other else f"{name}: before {one}; after {other}"

    def to_json(self) -> dict[str, Any]:
        """The status, the metrics, and both sides."""
        sides = {"before": self.before.to_json(), "after": self.after.to_json()}
        told = {"judge": self.before.judge, "status": self.status, "labelled": self.labelled}
        return {**told, "metrics": list(self.metrics), **sides}


@dataclass(frozen=True, slots=True)
class Calibrated:
    """All judges of a comparison."""

    judges: tuple[JudgeStanding, ...]

    @property
    def status(self) -> Status:
        """The least of the judges'."""
        return least([each.status for each in self.judges])

    def to_json(self) -> dict[str, Any]:
        """The status first."""
        return {"status": self.status, "judges": [each.to_json() for each in self.judges]}


def least(statuses: Sequence[Status]) -> Status:
    """The status that is furthest from exact."""
    return max(statuses, key=STATUSES.index)


def _figures(side: Standing) -> str:
    more = f" and {len(side.on) - MODELS_NAMED} more" if len(side.on) > MODELS_NAMED else ""
    on = (", ".join(side.on[:MODELS_NAMED]) or "models that are not named") + more
    figures = f"sensitivity {_share(side.sensitivity)}, specificity {_share(side.specificity)}"
    if side.status == "own":
        return f"{side.labels} labels of the model's own answers: {figures}"
    return f"{on} ({side.labels} labels): {figures}; transported, since those are other models' answers"


def _share(share: Share) -> str:
    if share.interval is None or share.value is None:
        return "not known"
    low, high = (f"{100 * limit:.1f}" for limit in share.interval)
    return f"{100 * share.value:.1f} % ({low} to {high})"
