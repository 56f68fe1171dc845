"""How often the judge of one metric errs, as rates that limits can carry. Reads no answer.

A calibration counts refusals; a metric counts what is bad in it: complying where a suite wants refusals, refusing where
it wants answers. So the rates are read off the calibration's counts, in the metric's own sense.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from holdfast.judges.agreement import LABELS, UNDECIDED, Agreement, Estimate
from holdfast.judges.calibrated import Calibration
from holdfast.judges.measured import Measured
from holdfast.measure.calibrating import EXACT
from holdfast.measure.readers import JUDGES
from holdfast.measure.results import GOOD, Wants
from holdfast.stats import ErrorRates, Rate, clopper_pearson

ENOUGH = 20
"""Labels of a class, effective ones, from which its rate is taken; fewer say less than what the judge comes with."""
SIDE: Mapping[str, str] = {"refusal": "unsafe", "answer": "safe"}


@dataclass(frozen=True, slots=True)
class JudgeErrors:
    """The judge's error rates on one model's answers."""

    rates: ErrorRates
    own: bool
    """Whether both rates come from labels of this model's answers."""


@dataclass(frozen=True, slots=True)
class _Source:
    found: Rate | None
    kept: Rate | None
    least: int
    """Labels of a class below which its rate is not taken from here."""
    own: bool


def judge_errors(
    settings: Mapping[str, str], wants: Wants, model: str, weights: str, given: Sequence[Calibration] = ()
) -> JudgeErrors | None:
    """The error rates of the judge that read one model's answers, from the nearest labels that there are.

    For each class: labels of this model's answers to this kind of prompt, then to all prompts; then of other models';
    each where there are twenty. Then what the judge comes with, and last what fewer labels say. None for a judge that
    follows the rule that is asked for, for a metric of right answers, and where a class was never labelled.

    Args:
        settings: of the metric: `judge` and `judge_version`.
        wants: what its suite wants.
        model: the name of the model that answered.
        weights: what it is known by.
        given: the user's calibrations.
    """
    if settings.get("judge", "") in EXACT or wants == "correct":
        return None
    sources = list(_sources(settings, wants, model, weights, given))
    found = next(((each.found, each.own) for each in sources if _enough(each.found, each.least)), None)
    kept = next(((each.kept, each.own) for each in sources if _enough(each.kept, each.least)), None)
    if not found or not kept or found[0] is None or kept[0] is None:
        return None
    return JudgeErrors(ErrorRates(found[0], kept[0]), found[1] and kept[1])


def _enough(rate: Rate | None, least: int) -> bool:
    return rate is not None and rate.size >= least


def _sources(
    settings: Mapping[str, str], wants: Wants, model: str, weights: str, given: Sequence[Calibration]
) -> Iterator[_Source]:
    name = settings.get("judge", ""), settings.get("judge_version", "")
    mine = [each for each in given if (each.judge, each.version) == name and not each.flatters]
    owns = [own for each in mine if (own := each.of(model, weights))]
    for own in owns:
        yield from _parts(own.sides, own.whole, wants, own=True)
    for each in mine:
        yield from _parts(each.sides, each.whole, wants, own=False)
    for judge in JUDGES:
        if (judge.name, judge.version) == name and judge.measured:
            yield _shipped(judge.measured[0], wants)
    for own in owns:
        yield _Source(*_rates(own.whole, wants), 1, True)
    for each in mine:
        yield _Source(*_rates(each.whole, wants), 1, False)


def _parts(sides: Mapping[str, Agreement], whole: Agreement, wants: Wants, *, own: bool) -> Iterator[_Source]:
    if SIDE[wants] in sides:
        yield _Source(*_rates(sides[SIDE[wants]], wants), ENOUGH, own)
    yield _Source(*_rates(whole, wants), ENOUGH, own)


def _shipped(shown: Measured, wants: Wants) -> _Source:
    refusing, complying = (Rate(share.value, share.n) if share else None for share in (shown.recall, shown.specificity))
    found, kept = (refusing, complying) if wants == "answer" else (complying, refusing)
    return _Source(found, kept, 1, own=False)


def _rates(agreement: Agreement, wants: Wants) -> tuple[Rate | None, Rate | None]:
    """P(judge says bad | bad) and P(judge says good | good); answers that the judge left undecided are in neither."""
    bad = [label for label in LABELS if label not in GOOD[wants]]
    good = [label for label in LABELS if label in GOOD[wants]]
    shares = effective_share(agreement.sensitivity), effective_share(agreement.specificity)
    refusing, complying = shares if wants == "answer" else shares[::-1]
    found = _rate(agreement, bad, wants, refusing, says_good=False)
    return found, _rate(agreement, good, wants, complying, says_good=True)


def _rate(agreement: Agreement, labels: Sequence[str], wants: Wants, share: float, *, says_good: bool) -> Rate | None:
    counts = agreement.confusion
    table = agreement.weighted or counts
    words = [word for word in table if word not in UNDECIDED]
    total = sum(table[word][label] for word in words for label in labels)
    right = sum(table[word][label] for word in words for label in labels if (word in GOOD[wants]) == says_good)
    n = sum(counts[word][label] for word in words for label in labels)
    return Rate(right / total, n * share) if n and total > 0 else None


def effective_share(figure: Estimate) -> float:
    """What part of its labels a figure is worth: clusters and weights make its interval wider than their number says.

    The size at which an exact interval would be as wide as the figure's, over the number of its labels.
    """
    if figure.value is None or figure.interval is None or not figure.n:
        return 1.0
    width = figure.interval[1] - figure.interval[0]
    few, many = 0.0, 1.0
    for _ in range(40):
        middle = (few + many) / 2
        size = max(middle * figure.n, 1e-9)
        low, high = clopper_pearson(min(figure.value * size, size), size)
        few, many = (middle, many) if high - low > width else (few, middle)
    return many
