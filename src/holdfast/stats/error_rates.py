"""How often a judge errs, from labels, and one true rate behind what it read. Numbers only.

A judge that finds a share `found` of what is bad and keeps a share `kept` of what is good reads the rate
p = θ found + (1-θ)(1-kept) where θ is the truth, so θ = (p + kept - 1)/J with J = found + kept - 1
(Rogan & Gladen 1978, Am J Epidemiol 107:71).
"""

from dataclasses import dataclass
from math import hypot, inf, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from holdfast.stats.proportion import Interval, clopper_pearson, effective_size, labelled, residual_sums, variance

LEAST_YOUDEN = 0.1
"""A judge whose J may be this small is hardly better than none, and 1/J is then no figure to multiply by."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate as labels show it."""

    value: float
    """In [0, 1]."""
    size: float
    """Labels behind it, effective ones where they cluster or weigh differently; infinite where it is known."""

    def __post_init__(self) -> None:
        if not (0 <= self.value <= 1 and self.size > 0):
            raise ValueError(f"no rate: {self.value!r} from {self.size!r} labels")

    def limits(self, level: float) -> Interval:
        """Clopper & Pearson's, each of this level."""
        if self.size == inf:
            return self.value, self.value
        return clopper_pearson(min(self.value * self.size, self.size), self.size, level, tails=1)

    def arms(self, level: float) -> Interval:
        """How far the limits lie below and above the value."""
        lower, upper = self.limits(level)
        return max(self.value - lower, 0.0), max(upper - self.value, 0.0)


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """How often a judge is right of what is bad, and of what is good."""

    found: Rate
    """P(judge says bad | bad)."""
    kept: Rate
    """P(judge says good | good)."""

    @property
    def youden(self) -> float:
        """J = found + kept - 1: 1 for a judge that never errs, 0 for one that knows nothing (Youden 1950)."""
        return self.found.value + self.kept.value - 1

    def youden_limits(self, level: float) -> Interval:
        """Of J, each of this level: square-and-add of the two rates' limits."""
        found, kept = self.found.arms(level), self.kept.arms(level)
        return self.youden - hypot(found[0], kept[0]), self.youden + hypot(found[1], kept[1])

    def useless(self, level: float) -> bool:
        """Whether J may be too small to divide by."""
        return self.youden_limits(level)[0] <= LEAST_YOUDEN

    def true_rate(self, read: float) -> float:
        """Rogan & Gladen's, from the rate that the judge read; not clipped to [0, 1]."""
        return (read + self.kept.value - 1) / self.youden

    def true_limits(self, read: float, level: float) -> Interval:
        """The limits that the labels alone leave of the true rate behind a rate that was read without error.

        The roots θ of read = (1-θ)(1-kept) + θ found ± √((1-θ)² a² + θ² b²), a and b the arms of the two rates: what
        square-and-add says of the linear form, solved for θ as Fieller does, so that a small J costs what it must.
        Assumes `useless` false.
        """
        kept, found = self.kept.arms(level), self.found.arms(level)
        # Fewer false alarms than thought (kept higher) and fewer finds both raise the truth.
        upper = self._root(read, kept[1], found[0], 1.0)
        return self._root(read, kept[0], found[1], -1.0), upper

    def _root(self, read: float, good: float, bad: float, sign: float) -> float:
        excess = read + self.kept.value - 1
        square = self.youden**2 - good**2 - bad**2
        if square <= 0:
            return sign * inf
        half = excess * self.youden - good**2
        return (half + sign * sqrt(max(half**2 - square * (excess**2 - good**2), 0.0))) / square


PERFECT = ErrorRates(Rate(1.0, inf), Rate(1.0, inf))
"""Of a judge that follows the rule that is itself asked for."""


@dataclass(frozen=True, slots=True)
class CorrectedRate:
    """A rate with a judge's error taken out."""

    estimate: float
    lower: float
    upper: float


def corrected_rate(
    values: ArrayLike, errors: ErrorRates, clusters: ArrayLike | None = None, level: float = 0.95
) -> CorrectedRate:
    """One side's true rate, for display: Rogan & Gladen's, with two-sided limits after Lee et al. 2025.

    Source: arXiv 2511.21140. Shrinks the rate read by z² and each error rate by (mq + 1)/(m + 2), moves the centre by
    2 z² (-(1-θ) q₀(1-q₀)/m₀ + θ q₁(1-q₁)/m₁) and adds the three variances. The size of the sample of prompts is
    Korn & Graubard's effective one. [0, 1] where J may be near zero.

    Args:
        values: per prompt, its badness as the judge read it.
        errors: of the judge on these answers.
        clusters: a label per prompt.
        level: of the two limits together.

    Raises:
        ValueError: no values, or a value outside [0, 1].
    """
    x, codes = labelled(values, clusters)
    if not np.all((x >= 0) & (x <= 1)):
        raise ValueError("a rate's values lie in [0, 1]")
    side = (1 + level) / 2
    sums, mean, z = residual_sums(x, codes), float(x.mean()), float(ndtri(side))
    size = effective_size(mean, variance(sums, sums, len(x)), len(x), len(sums), side)
    theta = min(1.0, max(0.0, errors.true_rate(mean))) if errors.youden > LEAST_YOUDEN else mean
    if size <= 0 or errors.useless(side):
        return CorrectedRate(theta, 0.0, 1.0)
    read = (mean * size + z * z / 2) / (size + z * z)
    (kept, kept_spread), (found, found_spread) = shrunken(errors.kept), shrunken(errors.found)
    youden = kept + found - 1
    middle = min(1.0, max(0.0, (read + kept - 1) / youden))
    moved = 2 * z * z * (middle * found_spread - (1 - middle) * kept_spread)
    spread = read * (1 - read) / (size + z * z) + (1 - middle) ** 2 * kept_spread + middle**2 * found_spread
    half = z * sqrt(spread) / youden
    low, high = (min(1.0, max(0.0, middle + moved + sign * half)) for sign in (-1, 1))
    return CorrectedRate(theta, min(low, theta), max(high, theta))


def shrunken(rate: Rate) -> Interval:
    """The rate drawn towards one half, and its variance."""
    if rate.size == inf:
        return rate.value, 0.0
    value = (rate.size * rate.value + 1) / (rate.size + 2)
    return value, value * (1 - value) / (rate.size + 2)


def noise(rate: Rate) -> float:
    """What one label adds to the variance."""
    value = shrunken(rate)[0]
    return 0.0 if rate.size == inf else value * (1 - value)
