"""How often the gate passes or fails n prompts, where one assumes how their answers change. By the gate's own limits.

Prompts are independent here and have one answer each, so that a run is a multinomial table and the chance a sum over
tables. Clusters and several samples are in `clustered_power`.
"""

from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from holdfast.stats.paired import PairedTable
from holdfast.stats.proportion import Floats

Outcome = Literal["pass", "fail"]
Counts = NDArray[np.intp]

REACH = 5.5
"""Standard deviations on either side of a count's mean that are told apart; all beyond goes to the outermost value."""
VALUES = 400
"""So many values of a count are told apart; a wider range is cut into so many blocks, each at its middle."""
NODES = 48
"""So many values at which it is found where the outcome turns; between them that is interpolated."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a metric passes and when it fails."""

    margin: float
    level: float = 0.95
    metrics: int = 1
    """Compared at once: the one that regressed must clear Holm's first step, 1 - (1 - level)/metrics."""

    def level_of(self, outcome: Outcome) -> float:
        """Of the one-sided limit that decides."""
        return self.level if outcome == "pass" else 1 - (1 - self.level) / self.metrics


@dataclass(frozen=True, slots=True)
class Change:
    """How prompts are assumed to change, as shares of them."""

    flip: float
    """Good before and bad after by noise alone; and as many bad before and good after."""
    worse: float = 0.0
    """Good before and bad after because the model is worse: the true worsening."""


def chance(outcome: Outcome, n: int, change: Change, rule: Rule) -> float:
    """P(outcome) on n independent prompts with one answer each.

    Given how many are newly better, the outcome turns at a number of newly worse prompts, which `PairedTable.limits`
    gives, and the chance to stay below that is binomial. The sum over all tables where at most `NODES` counts of newly
    better are likely; within 0.002 of it beyond.
    """
    edges = _edges(n, change.flip)
    better = (edges[:-1] + edges[1:] - 1) // 2
    upto = _below(edges, np.full(len(edges), n), change.flip)
    upto[0], upto[-1] = 0.0, 1.0
    newly_worse = (change.flip + change.worse) / (1 - change.flip)
    share = float(np.diff(upto) @ _below(_turns(outcome, n, better, rule), n - better, newly_worse))
    return share if outcome == "pass" else 1 - share


def _turns(outcome: Outcome, n: int, better: Counts, rule: Rule) -> Floats:
    """Per count of newly better prompts, the least of newly worse that is too many to pass, or enough to fail."""
    chosen = np.unique(np.linspace(0, len(better) - 1, min(NODES, len(better))).round().astype(np.intp))
    found = np.empty(len(chosen))
    guess = rule.margin * n
    for place, node in enumerate(better[chosen]):
        guess = found[place] = _crossing(outcome, n, int(node), rule, guess)
    return np.ceil(np.interp(better, better[chosen], found) - 1e-9)


def _crossing(outcome: Outcome, n: int, better: int, rule: Rule, guess: float) -> float:
    """Where the limit crosses the margin as prompts become newly worse; the turn is the next whole number.

    Between whole numbers the limit is taken for a line, and beyond 0 and all prompts as well.
    """
    most, level, side = n - better, rule.level_of(outcome), 1 if outcome == "pass" else 0

    def over(worse: int) -> float:
        return PairedTable(0, worse, better, most - worse).limits(level)[side] - rule.margin

    low, high, step = -1, most + 1, 1
    at = min(max(ceil(guess), 0), most)
    while low < at < high:  # away from the guess in growing steps, until the crossing lies between
        if over(at) > 0:
            high, at = at, at - step
        else:
            low, at = at, at + step
        step *= 2
    while high - low > 1:
        at = (low + high) // 2
        low, high = (low, at) if over(at) > 0 else (at, high)
    last = min(max(high, 1), most)
    before, after = over(last - 1), over(last)
    return last - after / (after - before) if after > before else float(high)


def _edges(n: int, p: float) -> Counts:
    """First values of the blocks of a Bin(n, p) count, and the end of the last."""
    reach = REACH * sqrt(n * p * (1 - p)) + 3 if p > 0 else 0.0
    first, end = max(0, floor(n * p - reach)), min(n - 1, floor(n * p + reach)) + 1
    return np.linspace(first, end, min(VALUES, end - first) + 1).round().astype(np.intp)


def _below(turns: Counts | Floats, n: Counts, p: float) -> Floats:
    """P(Bin(n, p) < turn)."""
    found = bdtr(np.clip(turns - 1, 0, n).astype(np.float64), n, min(p, 1.0))
    return np.where(turns <= 0, 0.0, np.where(turns > n, 1.0, found))
