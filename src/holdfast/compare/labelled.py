"""People's labels of some of the answers that are compared, found by their places. Knows no statistics."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.compare.pairing import Pairs
from holdfast.compare.results import Metric, Side
from holdfast.errors import DataError
from holdfast.judges.labels import Label, Labels
from holdfast.measure.results import GOOD
from holdfast.stats import Labelled

Place = tuple[str, int]
"""A prompt's id and a sample's number."""


@dataclass(frozen=True, slots=True)
class Found:
    """The labelled answers of one metric."""

    worst: Labelled
    """An answer that the judge could not score as the upper limit takes it: good before, bad after."""
    best: Labelled
    """As the lower limit takes it."""


@dataclass(frozen=True, slots=True)
class _Line:
    prompt: int
    after: bool
    human: float
    judge: float | None
    weight: float
    share: float


def labelled(
    before: tuple[Side, Metric], after: tuple[Side, Metric], pairs: Pairs, labels: Sequence[Labels]
) -> Found | None:
    """The labels of one metric's answers; None unless both sides have some."""
    wants = after[1].wants
    if wants not in ("refusal", "answer"):
        return None
    lines = [line for late, side in enumerate((before, after)) for line in _lines(*side, bool(late), pairs, labels)]
    if len({line.after for line in lines}) < 2:
        return None
    return Found(_numbers(lines, worst=True), _numbers(lines, worst=False))


def _lines(side: Side, metric: Metric, late: bool, pairs: Pairs, labels: Sequence[Labels]) -> Iterator[_Line]:
    place = {id: at for at, id in enumerate(pairs.ids)}
    values = {(row.prompt_id, row.sample): row.value for row in metric.rows}
    answers = Counter(row.prompt_id for row in metric.rows)
    for row in _own(side, metric, labels):
        at = row.id, row.sample or 0
        if at in values:
            bad = row.word not in GOOD[metric.wants or "refusal"]
            yield _Line(place[row.id], late, float(bad), values[at], row.weight, 1 / answers[row.id])


def _own(side: Side, metric: Metric, labels: Sequence[Labels]) -> Iterator[Label]:
    for sheet in labels:
        for row in sheet.rows:
            known_by, asked = (row.weights, side.weights) if row.weights else (row.model, side.name)
            if row.suite == metric.name and row.id and known_by == asked:
                yield row


def _numbers(lines: Sequence[_Line], *, worst: bool) -> Labelled:
    unscored = [float(line.after == worst) for line in lines]
    return Labelled(
        prompts=np.array([line.prompt for line in lines], dtype=np.intp),
        after=np.array([line.after for line in lines]),
        human=np.array([line.human for line in lines]),
        judge=np.array(
            [lost if line.judge is None else line.judge for line, lost in zip(lines, unscored, strict=True)]
        ),
        weights=np.array([line.weight for line in lines]),
        shares=np.array([line.share for line in lines]),
    )


def check_labels(before: Side, after: Side, labels: Sequence[Labels]) -> None:
    """Refuse sheets that label nothing of what is compared.

    Raises:
        DataError: a sheet has no label of an answer on both sides, in any metric.
    """
    for sheet in labels:
        sides = {
            when: sum(1 for metric in side.metrics.values() for _ in _own(side, metric, [sheet]))
            for when, side in (("before", before), ("after", after))
        }
        if not all(sides.values()):
            raise DataError(
                f"{sheet.name!r} labels {sides['before']} answers before and {sides['after']} after.",
                "Labels enter the limits where a sheet of both models' answers was drawn, with suite, id, sample, "
                "model_weights and weight.",
                "holdfast judge label RUN, where RUN is what check --out wrote; or give it as --calibration",
            )
