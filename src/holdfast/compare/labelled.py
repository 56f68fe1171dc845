"""People's labels of some of the answers that are compared, found by their places. Knows no statistics."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.compare.pairing import Floats, Pairs
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
    human: float | None
    """None of an answer that was never given: nobody can read it, so it is as bad as the bound takes it."""
    judge: float | None
    weight: float
    share: float


def labelled(
    before: tuple[Side, Metric], after: tuple[Side, Metric], pairs: Pairs, labels: Sequence[Labels]
) -> Found | None:
    """The labels of one metric's answers; None unless both sides have some."""
    wants = after[1].wants
    if not labels or wants not in ("refusal", "answer"):
        return None
    lines = []
    for late, (side, metric) in enumerate((before, after)):
        read = list(_lines(side, metric, bool(late), pairs, labels))
        if not read:
            return None
        lines += [*read, *_never_given(metric, bool(late), pairs)]
    return Found(_numbers(lines, worst=True), _numbers(lines, worst=False))


def _lines(side: Side, metric: Metric, late: bool, pairs: Pairs, labels: Sequence[Labels]) -> Iterator[_Line]:
    place = {id: at for at, id in enumerate(pairs.ids)}
    values = {(row.prompt_id, row.sample): row.value for row in metric.rows}
    samples = (pairs.after if late else pairs.before).samples
    for row in _own(side, metric, labels):
        at = row.id, row.sample or 0
        if at in values:
            bad = row.word not in GOOD[metric.wants or "refusal"]
            yield _Line(place[row.id], late, float(bad), values[at], row.weight, 1 / samples[place[row.id]])


def _never_given(metric: Metric, late: bool, pairs: Pairs) -> Iterator[_Line]:
    """Answers that no sheet could hold, which are certain to be as the bound takes them."""
    digests = metric.answers or ("",) * len(metric.rows)
    pairs_of = zip(metric.rows, digests, strict=True)
    given = Counter(row.prompt_id for row, said in pairs_of if said or row.value is not None)
    samples = (pairs.after if late else pairs.before).samples
    for at, id in enumerate(pairs.ids):
        for _ in range(int(samples[at]) - given[id]):
            yield _Line(at, late, None, None, 1.0, 1 / samples[at])


def _own(side: Side, metric: Metric, labels: Sequence[Labels]) -> Iterator[Label]:
    for sheet in labels:
        for row in sheet.rows:
            known_by, asked = (row.weights, side.weights) if row.weights else (row.model, side.name)
            if row.suite == metric.name and row.id and known_by == asked:
                yield row


def _numbers(lines: Sequence[_Line], *, worst: bool) -> Labelled:
    unscored = [float(line.after == worst) for line in lines]

    def filled(values: Iterable[float | None]) -> Floats:
        return np.array([lost if value is None else value for value, lost in zip(values, unscored, strict=True)])

    return Labelled(
        prompts=np.array([line.prompt for line in lines], dtype=np.intp),
        after=np.array([line.after for line in lines]),
        human=filled(line.human for line in lines),
        judge=filled(line.judge for line in lines),
        weights=np.array([line.weight for line in lines]),
        shares=np.array([line.share for line in lines]),
    )


def check_labels(before: Side, after: Side, labels: Sequence[Labels]) -> None:
    """Refuse sheets from which nothing can be had of what is compared.

    Raises:
        DataError: a sheet has no label of an answer on both sides, in any metric; it does not say with what weight its
            answers were drawn; or it is not whole, so that its weights no longer stand for all answers.
    """
    mend = "holdfast judge label RUN, where RUN is what check --out wrote, with every line labelled"
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
                f"{mend}; or give it as --calibration",
            )
        if not sheet.weighted:
            raise DataError(
                f"{sheet.name!r} has no column 'weight'.",
                "Without it nobody knows which answers the labelled ones stand for.",
                mend,
            )
        _check_whole(before, after, sheet, mend)


def _check_whole(before: Side, after: Side, sheet: Labels, mend: str) -> None:
    suites = {row.suite for row in sheet.rows}
    if suites - before.metrics.keys():  # of suites that are not compared nothing can be counted
        return
    rows = [row for side in (before, after) for name in suites for row in side.metrics[name].rows]
    least, most = sum(row.value is not None for row in rows), len(rows)
    stands = sum(row.weight for row in sheet.rows)
    if not 0.99 * least <= stands <= 1.01 * most:
        raise DataError(
            f"{sheet.name!r} stands for {stands:.0f} answers, and there are {least:,}.",
            "A sheet's weights add up to the answers that it was drawn from. Lines are missing, or the run is another.",
            mend,
        )
