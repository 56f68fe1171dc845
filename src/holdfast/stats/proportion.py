"""Limits for one rate: exact, Wilson, and for clustered prompts. Knows nothing of prompts or models.

`tails=2` gives the interval that holds the rate with probability `level`; `tails=1` gives two limits that
each hold with probability `level` alone, for use one at a time.
"""

from math import inf, sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri, stdtrit

Tails = Literal[1, 2]
Interval = tuple[float, float]
Floats = NDArray[np.float64]


def one_sided(level: float, tails: Tails) -> float:
    """The probability on the good side of each limit.

    Raises:
        ValueError: the level is not in (0.5, 1), or tails is neither 1 nor 2.
    """
    if tails not in (1, 2):
        raise ValueError(f"tails is 1 or 2, not {tails!r}")
    side = level if tails == 1 else (1 + level) / 2
    if not 0.5 < side < 1:
        raise ValueError(f"no limit has the level {level!r}")
    return side


def wilson(bad: float, n: float, level: float = 0.95, tails: Tails = 2) -> Interval:
    """Wilson's score limits for `bad` of `n` (Wilson 1927; Newcombe 1998, Stat Med 17:857, method 3).

    Raises:
        ValueError: not 0 ≤ bad ≤ n, or n is 0.
    """
    _check(bad, n)
    z = float(ndtri(one_sided(level, tails)))
    centre = (bad + z * z / 2) / (n + z * z)
    half = z * sqrt(bad * (n - bad) / n + z * z / 4) / (n + z * z)
    low = 0.0 if bad == 0 else centre - half
    return low, 1.0 if bad == n else centre + half


def clopper_pearson(bad: float, n: float, level: float = 0.95, tails: Tails = 2) -> Interval:
    """Exact binomial limits for `bad` of `n` (Clopper & Pearson 1934); counts may be effective, not whole.

    Raises:
        ValueError: not 0 ≤ bad ≤ n, or n is 0.
    """
    _check(bad, n)
    side = one_sided(level, tails)
    low = 0.0 if bad <= 0 else float(betaincinv(bad, n - bad + 1, 1 - side))
    high = 1.0 if bad >= n else float(betaincinv(bad + 1, n - bad, side))
    return low, high


def korn_graubard(
    values: ArrayLike, clusters: ArrayLike | None = None, level: float = 0.95, tails: Tails = 2
) -> Interval:
    """Limits for the mean of values in [0, 1] whose clusters are the independent units.

    The clustered variance gives the size of a simple sample that would know as much,
    n* = p(1-p)/v · (t[n-1]/t[C-1])², at most n; n* and p n* go into `clopper_pearson`
    (Korn & Graubard 1998, Survey Methodology 24:193). Where nothing varies, n* is the number of clusters C;
    with one cluster the interval is all of [0, 1].

    Raises:
        ValueError: no values, a value outside [0, 1], or as many labels as values are missing.
    """
    x, codes = labelled(values, clusters)
    if x.min() < 0 or x.max() > 1:
        raise ValueError("a rate's values lie in [0, 1]")
    side = one_sided(level, tails)
    sums = residual_sums(x, codes)
    n, groups, mean = len(x), len(sums), float(x.mean())
    size = effective_size(mean, variance(sums, sums, n), n, groups, side)
    return (0.0, 1.0) if size <= 0 else clopper_pearson(min(mean * size, size), size, side, tails=1)


def clustered_mean(
    values: ArrayLike, clusters: ArrayLike | None = None, level: float = 0.95, tails: Tails = 2
) -> Interval:
    """Student's limits for a mean over clusters, C-1 degrees of freedom (Miller 2024, arXiv 2411.00640).

    Meant for means far from the edges of their range; with one cluster the interval is infinite.

    Raises:
        ValueError: no values, or not one label per value.
    """
    x, codes = labelled(values, clusters)
    sums, mean = residual_sums(x, codes), float(x.mean())
    if len(sums) < 2:
        return -inf, inf
    half = float(stdtrit(len(sums) - 1, one_sided(level, tails))) * sqrt(variance(sums, sums, len(x)))
    return mean - half, mean + half


def labelled(values: ArrayLike, clusters: ArrayLike | None) -> tuple[Floats, NDArray[np.intp]]:
    """Values as floats and their cluster labels as 0..C-1; without labels each value is its own cluster."""
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not len(x):
        raise ValueError("one value per prompt, and at least one")
    if clusters is None:
        return x, np.arange(len(x), dtype=np.intp)
    codes = np.unique(np.asarray(clusters), return_inverse=True)[1]
    if codes.shape != x.shape:
        raise ValueError(f"{len(x)} values have {codes.size} cluster labels")
    return x, codes.astype(np.intp)


def residual_sums(x: Floats, codes: NDArray[np.intp]) -> Floats:
    """Per cluster, the sum of what its values lie above the mean."""
    return np.bincount(codes, weights=x - x.mean()).astype(np.float64)


def variance(left: Floats, right: Floats, n: int) -> float:
    """Covariance of two means from the residual sums of the C clusters they share: C/(C-1) Σ l r / n².

    Infinite for a single cluster, which says nothing about the spread.
    """
    groups = len(left)
    return inf if groups < 2 else float(groups / (groups - 1) * (left @ right) / n**2)


def effective_size(mean: float, spread: float, n: int, groups: int, side: float, *, most: float | None = None) -> float:
    """Korn & Graubard's n*, at most `most` (n when not given); 0 for a single cluster.

    The last factor, (t[n-1]/t[C-1])², is what a variance estimated from few clusters costs.
    """
    if groups < 2:
        return 0.0
    size = mean * (1 - mean) / spread if spread > 1e-15 else groups
    factor = (stdtrit(n - 1, side) / stdtrit(groups - 1, side)) ** 2
    return float(min(size, n if most is None else most) * factor)


def _check(bad: float, n: float) -> None:
    if not (0 <= bad <= n and n > 0):
        raise ValueError(f"{bad!r} of {n!r} is not a rate")
