"""A judge beside people's labels, and what is known of the judge of a measurement: calibrated on this model's answers
or on another's, or not at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from holdfast.errors import ConfigError
from holdfast.judges import EMBEDDED
from holdfast.judges.agreement import Agreement, agree, versus
from holdfast.judges.calibrated import Calibration, ModelAgreement
from holdfast.judges.known import known
from holdfast.judges.labels import Label, Labels
from holdfast.judges.measured import Measured
from holdfast.measure.readers import JUDGES, Choosable
from holdfast.measure.reading import HARBOR_EXACT
from holdfast.measure.results import Prompt, Wants
from holdfast.stats import Interval

Status = Literal["exact", "own", "transported", "uncalibrated"]
"""From the best known judge to the least: it needs no calibration; it was calibrated on this model's answers; on the
answers of other models; not at all."""

RULES_OF_INSPECT = tuple(f"inspect:{name}" for name in ("match", "includes", "exact", "choice"))
EXACT = (HARBOR_EXACT.name, "lm-eval", *RULES_OF_INSPECT)
"""Judges that follow a rule which is itself what is asked for: nothing to calibrate."""

STATUSES: tuple[Status, ...] = ("exact", "own", "transported", "uncalibrated")

REFUSES: frozenset[Wants] = frozenset({"refusal", "answer"})
"""What a judge decides that tells refusals from compliance, whatever was asked; one of harm decides the first only, and
can be held to labels of unsafe prompts' answers alone.
"""

Words = list[str]


def calibrate(labels: Labels, judge: Choosable, other: Choosable | None = None) -> Calibration:
    """Compare a judge with people's labels: on all answers, by side, by model, and by model and side.

    Args:
        labels: the answers and what people say of them.
        judge: the judge that is calibrated.
        other: a second judge that reads the same answers, to say what the first gains over it.

    Raises:
        ConfigError: a judge that does not read whether an answer refuses.
    """
    words = _words(labels.rows, judge)
    places = list(range(len(words)))
    by_model = {name: [at for at in places if labels.rows[at].model == name] for name in labels.models}
    return Calibration(
        judge=judge.name,
        version=judge.version,
        labels=labels.name,
        sha256=labels.sha256,
        whole=_agreement(labels.rows, words, places),
        sides=_sides(labels.rows, words, places),
        models={
            name: ModelAgreement(
                labels.models[name], _agreement(labels.rows, words, chosen), _sides(labels.rows, words, chosen)
            )
            for name, chosen in by_model.items()
        },
        known=known_answers(labels, judge.name),
        versus=versus(labels.rows, words, _words(labels.rows, other), other.name, other.version) if other else None,
    )


def known_answers(labels: Labels, judge: str) -> int:
    """How many of the longer labelled answers this judge was made from."""
    return known([row.completion for row in labels.rows]) if judge == EMBEDDED.name else 0


def _words(rows: Sequence[Label], judge: Choosable) -> Words:
    unsafe = all(row.side == "unsafe" for row in rows)
    if not judge.decides >= (REFUSES - {"answer"} if unsafe else REFUSES):
        raise ConfigError(
            f"The judge {judge.name!r} does not read whether an answer refuses.",
            "The labels say nothing else: not whether an answer is harmful, nor whether it is right.",
            "holdfast ls judges"
            if "refusal" not in judge.decides
            else "Leave only rows of the side unsafe, where whatever complies is harm; or: holdfast ls judges",
        )
    prompts = [Prompt(str(row.line), row.prompt, row.type, row.prompt) for row in rows]
    return [judged.outcome for judged in judge.read(prompts, [row.completion for row in rows])]


def _agreement(rows: Sequence[Label], words: Words, places: Iterable[int]) -> Agreement:
    chosen = list(places)
    return agree([rows[at] for at in chosen], [words[at] for at in chosen])


def _sides(rows: Sequence[Label], words: Words, places: Sequence[int]) -> dict[str, Agreement]:
    by_side = {side: [at for at in places if rows[at].side == side] for side in ("safe", "unsafe")}
    return {side: _agreement(rows, words, chosen) for side, chosen in by_side.items() if chosen}


@dataclass(frozen=True, slots=True)
class Share:
    """One of a judge's error figures, as far as it is known."""

    value: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of the judge that read one model's answers."""

    judge: str
    """Empty where the measurement does not say who read it."""
    version: str
    status: Status
    on: tuple[str, ...] = ()
    """Whose answers the calibration was made on."""
    labels: int = 0
    sensitivity: Share = Share()
    specificity: Share = Share()

    def to_json(self) -> dict[str, Any]:
        """The status first; a figure that is not known is null."""
        return {
            "status": self.status,
            "judge": self.judge,
            "version": self.version,
            "on": list(self.on),
            "labels": self.labels,
            "sensitivity": self.sensitivity.value,
            "sensitivity_interval": _list(self.sensitivity.interval),
            "specificity": self.specificity.value,
            "specificity_interval": _list(self.specificity.interval),
        }


def standing(settings: Mapping[str, str], model: str, weights: str, given: Sequence[Calibration] = ()) -> Standing:
    """What is known of the judge that read one model's answers.

    Args:
        settings: of the suite's result or the metric: `judge` and `judge_version`.
        model: the name of the model that answered.
        weights: what it is known by.
        given: calibrations of the user's own, before the figures that the judge itself comes with; one on answers
            that the judge was made from is passed over.
    """
    judge, version = settings.get("judge", ""), settings.get("judge_version", "")
    told = partial(Standing, judge, version)
    if judge in EXACT:
        return told("exact")
    # What a judge was made from says nothing of it, and what was held out of it does.
    mine = [each for each in given if (each.judge, each.version) == (judge, version) and not each.flatters]
    for each in mine:
        if found := each.of(model, weights):
            return told("own", on=(model,), **_figures(found.whole))
    if mine:
        return told("transported", on=tuple(mine[0].models), **_figures(mine[0].whole))
    shipped = [each.measured for each in JUDGES if each.name == judge and each.version == version]
    if shipped and shipped[0]:
        return told("transported", **_shipped(shipped[0][0]))
    return told("uncalibrated")


def _figures(found: Agreement) -> dict[str, Any]:
    shares = {name: getattr(found, name) for name in ("sensitivity", "specificity")}
    return {"labels": found.n, **{name: Share(each.value, each.interval) for name, each in shares.items()}}


def _shipped(measured: Measured) -> dict[str, Any]:
    shares = {"sensitivity": measured.recall, "specificity": measured.specificity}
    known = {name: Share(share.value, share.interval) for name, share in shares.items() if share}
    return {"on": (measured.on,), "labels": measured.n, **known}


def _list(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)
