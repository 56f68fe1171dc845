"""The decision code of `holdfast.stats` on one data set, as `holdfast.compare` calls it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from benchmarks.gate_errors.cells import Cell
from benchmarks.gate_errors.worlds import Data, Floats

from holdfast.stats import Interval, Paired, PairedTable, holm, judged, over_seeds, p_worse_than, pair, rectified

LEVEL = 0.95

LimitsOf = Callable[[Paired], Interval]
"""One-sided limits, each of the level."""


@dataclass(frozen=True)
class Decided:
    """What the gate knows of one metric."""

    worst: Paired
    """With the unscored taken against the new model."""
    best: Paired
    lower: float
    upper: float

    def p(self, margin: float) -> float:
        """Of "the worsening is at most the margin"; 1 for any that Holm cannot reject, which is not computed."""
        return _p(margin, self.best) if self.lower > margin else 1.0


def limits(paired: Paired) -> Interval:
    """The gate's own."""
    return _of_table(paired) if isinstance(paired, PairedTable) else paired.limits(LEVEL)


def wald(paired: Paired) -> Interval:
    """What the gate does not use: z times the standard error of the discordant pairs. Of tables alone."""
    assert isinstance(paired, PairedTable)
    share = (paired.worse + paired.better) / paired.n
    half = 1.6448536269514722 * ((share - paired.estimate**2) / paired.n) ** 0.5
    return paired.estimate - half, paired.estimate + half


def decide(cell: Cell, data: Data, limits_of: LimitsOf = limits) -> Decided:
    """The limits of one metric's worsening."""
    worst = paired(cell, data, worst=True)
    best = paired(cell, data, worst=False) if cell.lost else worst
    return Decided(worst, best, limits_of(best)[0], limits_of(worst)[1])


def paired(cell: Cell, data: Data, *, worst: bool) -> Paired:
    """The worsening, with the judge's error and the training seeds inside."""
    before, afters = sides(data, worst=worst)
    after = afters[0] if len(afters) == 1 else afters.mean(axis=0)
    if cell.seeds > 1:
        each = [pair(before, one, data.clusters).estimate for one in afters]
        return over_seeds(pair(before, after, data.clusters), each)
    if data.labelled is not None:
        return rectified(before, after, data.labelled, data.clusters)
    if data.errors is not None:
        return judged(before, after, data.errors, data.clusters)
    return pair(before, after, data.clusters)


def sides(data: Data, *, worst: bool) -> tuple[Floats, Floats]:
    """Each prompt's mean badness before, and after by seed, with every lost answer in one bound."""
    return mean(data.before, lost=0.0 if worst else 1.0), mean(data.afters, lost=1.0 if worst else 0.0)


def mean(words: Floats, *, lost: float) -> Floats:
    """Each prompt's mean over its samples, with `lost` where an answer was lost."""
    filled = np.where(np.isnan(words), lost, words)
    return np.asarray(filled[..., 0] if filled.shape[-1] == 1 else filled.mean(axis=-1))


def family_fails(found: list[Decided], margin: float) -> bool:
    """Whether any metric fails once Holm has adjusted for all of them."""
    return bool(holm([each.p(margin) for each in found]).min() <= 1 - LEVEL + 1e-12)


@lru_cache(maxsize=1 << 16)
def _of_table(paired: PairedTable) -> Interval:
    return paired.limits(LEVEL)


@lru_cache(maxsize=1 << 12)
def _of_p(margin: float, paired: PairedTable) -> float:
    return p_worse_than(margin, paired)


def _p(margin: float, paired: Paired) -> float:
    return _of_p(margin, paired) if isinstance(paired, PairedTable) else p_worse_than(margin, paired)
