"""Calibrations that were given, held against the judges of both sides. Reads no answer."""

from collections.abc import Iterator, Sequence

from holdfast.compare.results import Metric, Side
from holdfast.compare.standing import Calibrated, JudgeStanding
from holdfast.errors import ConfigError
from holdfast.judges.calibrated import Calibration
from holdfast.measure.calibrating import standing

Judge = tuple[str, str]
"""A judge's name and version."""


def calibrated(
    before: Side, after: Side, given: Sequence[Calibration] = (), labelled: frozenset[str] = frozenset()
) -> Calibrated:
    """What is known of every judge that read the metrics of two sides, which were measured alike.

    Args:
        before: the base.
        after: the tuned model.
        given: calibrations of the user's own.
        labelled: metrics of whose very answers people labelled a random sample.

    Raises:
        ConfigError: a calibration was made with another version of its judge, for a judge that read nothing here, or
            there are two of one judge on one model; every fault at once.
    """
    metrics: dict[Judge, list[Metric]] = {}
    for metric in after.metrics.values():
        metrics.setdefault(_judge(metric), []).append(metric)
    if faults := [*_misfits(metrics, given), *_twice(before, after, given)]:
        raise ConfigError(
            "A calibration cannot be used here.",
            "\n  ".join(faults),
            "Calibrate the judge that read the answers, in this version: holdfast judge calibrate LABELS.csv --out DIR",
        )
    parts = [
        (part, told)
        for read in metrics.values()
        for told in (False, True)
        if (part := [metric for metric in read if (metric.name in labelled) == told])
    ]
    return Calibrated(tuple(_standing(before, after, part, given, told) for part, told in parts))


def _standing(
    before: Side,
    after: Side,
    read: Sequence[Metric],
    given: Sequence[Calibration],
    labelled: bool,
) -> JudgeStanding:
    old, new = (standing(read[0].settings, side.name, side.weights, given) for side in (before, after))
    return JudgeStanding(tuple(metric.name for metric in read), old, new, labelled)


def _judge(metric: Metric) -> Judge:
    return metric.settings.get("judge", ""), metric.settings.get("judge_version", "")


def _misfits(metrics: dict[Judge, list[Metric]], given: Sequence[Calibration]) -> Iterator[str]:
    for each in given:
        versions = [version for name, version in metrics if name == each.judge]
        if not versions:
            judges = ", ".join(sorted({name or "(not stated)" for name, _ in metrics}))
            yield f"{each.labels}: it is of the judge {each.judge!r}, and the answers were read by {judges}"
        elif each.version not in versions:
            yield (
                f"{each.labels}: it is of version {each.version or '(none)'} of the judge {each.judge!r}, and the "
                f"answers were read by version {versions[0] or '(none)'}"
            )


def _twice(before: Side, after: Side, given: Sequence[Calibration]) -> Iterator[str]:
    for place, one in enumerate(given):
        for other in given[place + 1 :]:
            for side in (before, after):
                both = one.of(side.name, side.weights) and other.of(side.name, side.weights)
                if both and one.judge == other.judge:
                    yield f"{one.labels} and {other.labels}: both are of {one.judge!r} on the answers of {side.name!r}"
