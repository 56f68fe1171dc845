"""Tests of zero change and of several changes at once. Counts and p-values in, p-values out."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from holdfast.stats.proportion import Floats


def mcnemar(newly_worse: int, newly_better: int) -> float:
    """Exact two-sided p-value for equal odds of the two kinds of change (McNemar 1947, exact form).

    2 P(Bin(b+c, ½) ≤ min(b, c)), at most 1. Tests zero change, never a margin.

    Raises:
        ValueError: a negative count.
    """
    if min(newly_worse, newly_better) < 0:
        raise ValueError(f"counts are not negative: {newly_worse}, {newly_better}")
    return min(1.0, 2 * float(bdtr(min(newly_worse, newly_better), newly_worse + newly_better, 0.5)))


def holm(p_values: ArrayLike) -> Floats:
    """Holm's step-down adjusted p-values, in the order given (Holm 1979, Scand J Stat 6:65).

    The i-th smallest of m becomes max over j ≤ i of (m-j+1) p_(j), at most 1.

    Raises:
        ValueError: a value outside [0, 1].
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError("p-values lie in [0, 1]")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    factors = np.arange(len(p), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1)
    return adjusted
