"""How much worse `after` is than `before` on the same prompts, with limits that hold their level near zero.

Knows badness in [0, 1] and clusters; does not know what is measured. Every limit is one-sided, and none is
Wald's: that one errs up to four times too often when few prompts change.
"""

from dataclasses import dataclass
from functools import partial
from math import sqrt
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from holdfast.stats.proportion import (
    Floats,
    Interval,
    Tails,
    clopper_pearson,
    effective_size,
    labelled,
    one_sided,
    residual_sums,
    variance,
    wilson,
)

TRUSTED = 10
"""Changed clusters per trust: the effective size is at most C · max(1, changed / 10). A variance seen in few
changed clusters misses the rare ones that change whole; believed outright, as in surveys, it passed 34 % of
data sets at the margin instead of 5 % (20 clusters of 10, docs/methods.md)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """A worsening, its one-sided limits, each at the level asked for, and their method in words."""

    estimate: float
    lower: float
    upper: float
    method: str


class Paired(Protocol):
    """What a verdict needs of a worsening, whatever stands behind it."""

    @property
    def estimate(self) -> float:
        """The worsening."""

    @property
    def method(self) -> str:
        """The method of the limits, in words."""

    def limits(self, level: float) -> Interval:
        """Its one-sided limits, each at `level`."""


@dataclass(frozen=True, slots=True)
class PairedTable:
    """Prompts by badness before and after, each bad or not and each its own cluster."""

    both: int
    worse: int
    better: int
    neither: int

    @property
    def n(self) -> int:
        """Prompts."""
        return self.both + self.worse + self.better + self.neither

    @property
    def estimate(self) -> float:
        """Share newly worse less share newly better."""
        return (self.worse - self.better) / self.n

    @property
    def method(self) -> str:
        """The method in words."""
        return "square-and-add of Clopper–Pearson limits on the newly worse and the newly better"

    def limits(self, level: float) -> Interval:
        """MOVER (Zou & Donner 2008, Stat Med 27:1693) on exact limits of the two rates of change, whose correlation is
        the multinomial's, -√(r f / ((1-r)(1-f))).

        Its error does not depend on the prompts that stayed bad, and so was enumerated: at most 5 %.
        """
        rise, fall = (clopper_pearson(count, self.n, level, tails=1) for count in (self.worse, self.better))
        r, f = self.worse / self.n, self.better / self.n
        correlation = -sqrt(r * f / ((1 - r) * (1 - f))) if 0 < r < 1 and 0 < f < 1 else 0.0
        down = _square_and_add(r - rise[0], fall[1] - f, correlation)
        up = _square_and_add(rise[1] - r, f - fall[0], correlation)
        return max(-1.0, self.estimate - down), min(1.0, self.estimate + up)


@dataclass(frozen=True, slots=True)
class PairedParts:
    """The mean rise and the mean fall of badness over clustered prompts, with their variances."""

    rise: float
    fall: float
    rise_variance: float
    fall_variance: float
    covariance: float
    n: int
    clusters: int
    changed: int
    """Clusters in which some prompt's badness changed."""

    @property
    def estimate(self) -> float:
        """Mean rise less mean fall: the mean change."""
        return self.rise - self.fall

    @property
    def method(self) -> str:
        """The method in words."""
        return "square-and-add of Korn–Graubard limits on the newly worse and the newly better, by cluster"

    def limits(self, level: float) -> Interval:
        """MOVER (Zou & Donner 2008, Stat Med 27:1693) on Korn–Graubard limits; -1 and 1 from one cluster."""
        if self.clusters < 2:
            return -1.0, 1.0
        rise = self._part(self.rise, self.rise_variance, level)
        fall = self._part(self.fall, self.fall_variance, level)
        product = sqrt(self.rise_variance * self.fall_variance)
        correlation = self.covariance / product if product > 0 else 0.0
        down = _square_and_add(self.rise - rise[0], fall[1] - self.fall, correlation)
        up = _square_and_add(rise[1] - self.rise, self.fall - fall[0], correlation)
        return max(-1.0, self.estimate - down), min(1.0, self.estimate + up)

    def _part(self, mean: float, spread: float, level: float) -> Interval:
        most = self.clusters * max(1.0, self.changed / TRUSTED)
        size = effective_size(mean, spread, self.n, self.clusters, level, most=most)
        return clopper_pearson(min(mean * size, size), size, level, tails=1)


def newcombe(both: int, worse: int, better: int, neither: int, level: float = 0.95, tails: Tails = 2) -> Interval:
    """Interval for the paired difference (worse - better)/n: Wilson limits, squared and added with φ.

    Source: Newcombe 1998, Stat Med 17:2635, method 10, with its correction of φ: where eh > fg the numerator
    is max(eh - fg - n/2, 0); φ is 0 where a margin of the table is empty.

    Raises:
        ValueError: a negative count, or an empty table.
    """
    n = both + worse + better + neither
    if min(both, worse, better, neither) < 0 or n == 0:
        raise ValueError(f"not a table of counts: {(both, worse, better, neither)}")
    limit = partial(wilson, n=n, level=level, tails=tails)
    after, before = (both + worse) / n, (both + better) / n
    after_low, after_high = limit(both + worse)
    before_low, before_high = limit(both + better)
    phi = _phi(both, worse, better, neither)
    down = _square_and_add(after - after_low, before_high - before, phi)
    up = _square_and_add(after_high - after, before - before_low, phi)
    return after - before - down, after - before + up


def pair(before: ArrayLike, after: ArrayLike, clusters: ArrayLike | None = None) -> PairedTable | PairedParts:
    """What the limits need from each prompt's mean badness before and after.

    Takes one value in [0, 1] per prompt and side (the mean over its samples; higher is worse) and a label per
    prompt. Values that are all 0 or 1 with one prompt a cluster become a table, everything else parts.

    Raises:
        ValueError: lengths differ, no prompts, or a value outside [0, 1].
    """
    old, codes = labelled(before, clusters)
    new = np.asarray(after, dtype=np.float64)
    if old.shape != new.shape:
        raise ValueError(f"{len(old)} prompts before, {new.size} after")
    values = np.concatenate([old, new])
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError("badness lies in [0, 1]")
    if np.all((values == 0) | (values == 1)) and codes.max() + 1 == len(old):
        cells = [int(np.sum((old == o) & (new == w))) for o, w in ((1, 1), (0, 1), (1, 0), (0, 0))]
        return PairedTable(*cells)
    return _parts(new - old, codes)


def worsening_limits(
    before: ArrayLike, after: ArrayLike, clusters: ArrayLike | None = None, level: float = 0.95
) -> Limits:
    """Mean worsening with one-sided lower and upper limits at `level`; arguments as `pair`.

    Binary values with one prompt a cluster: `PairedTable.limits`; otherwise `PairedParts.limits`. Simulated
    with the true worsening at the margin, the upper limit falls below it in about 5 % of data sets or fewer,
    and so does the lower limit lie above it (docs/methods.md has the table).

    Raises:
        ValueError: as `pair`, or a level outside (0.5, 1).
    """
    one_sided(level, 1)
    paired = pair(before, after, clusters)
    return Limits(paired.estimate, *paired.limits(level), paired.method)


def p_worse_than(margin: float, paired: Paired) -> float:
    """P-value of "the worsening is at most the margin": 1 - the highest level whose lower limit exceeds it.

    Found by bisection in the level to 1e-12, so it agrees with the limits by construction; 1 when even the
    50.1 % limit does not exceed the margin, where the data speak for the hypothesis.
    """
    exceeds, not_exceeds = 0.501, 1.0
    if paired.limits(exceeds)[0] <= margin:
        return 1.0
    while not_exceeds - exceeds > 1e-12:
        level = (exceeds + not_exceeds) / 2
        if paired.limits(level)[0] > margin:
            exceeds = level
        else:
            not_exceeds = level
    return 1 - exceeds


def _parts(change: Floats, codes: np.ndarray[tuple[int], np.dtype[np.intp]]) -> PairedParts:
    rise, fall = np.maximum(change, 0), np.maximum(-change, 0)
    up, down, n = residual_sums(rise, codes), residual_sums(fall, codes), len(change)
    return PairedParts(
        rise=float(rise.mean()),
        fall=float(fall.mean()),
        rise_variance=variance(up, up, n),
        fall_variance=variance(down, down, n),
        covariance=variance(up, down, n),
        n=n,
        clusters=len(up),
        changed=int(np.sum(np.bincount(codes, weights=change != 0) > 0)),
    )


def _phi(both: int, worse: int, better: int, neither: int) -> float:
    product = (both + worse) * (better + neither) * (both + better) * (worse + neither)
    excess, n = both * neither - worse * better, both + worse + better + neither
    if excess > 0:
        return max(excess - n / 2, 0) / sqrt(product)
    return excess / sqrt(product) if product else 0.0


def _square_and_add(left: float, right: float, correlation: float) -> float:
    return sqrt(max(left * left - 2 * correlation * left * right + right * right, 0.0))
