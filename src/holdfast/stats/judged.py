"""A worsening that a judge read who errs at known rates, with the judge's error inside the limits. Numbers only.

Limits add independent errors as MOVER does (Zou & Donner 2008, Stat Med 27:1693): the sampling of prompts, and the
labels behind each of the judge's rates.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil, hypot, inf, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from holdfast.stats.error_rates import LEAST_YOUDEN, ErrorRates, Rate, noise
from holdfast.stats.paired import Paired, pair
from holdfast.stats.proportion import (
    Floats,
    Interval,
    labelled,
    residual_sums,
)

FEWEST = 10
"""Labels of a class that a plan asks for at the least."""
MOST = 1_000_000
"""Above this many labels a plan says nothing that a person can act on."""


@dataclass(frozen=True, slots=True)
class LabelsNeeded:
    """Labels with which the judge's part of a limit is small enough."""

    bad: int
    """Answers that people call bad: of each side, or in all where the sides share them."""
    good: int
    """Answers that people call good, likewise."""
    sides: int
    """2 where each side has labels of its own, else 1."""

    @property
    def total(self) -> int:
        """Labels in all."""
        return self.sides * (self.bad + self.good)


@dataclass(frozen=True, slots=True)
class Judged:
    """What one judge read on both sides, who is taken to err alike on both: its false alarms cancel."""

    read: Paired
    """The worsening as the judge read it."""
    errors: ErrorRates

    @property
    def estimate(self) -> float:
        """The worsening read, over J and in [-1, 1]; 0 where J is not above zero."""
        if self.errors.youden <= LEAST_YOUDEN:
            return 0.0
        return min(1.0, max(-1.0, self.read.estimate / self.errors.youden))

    @property
    def method(self) -> str:
        """The method in words."""
        return f"{self.read.method}; over the judge's J, which is taken to be the same on both sides (MOVER for ratios)"

    def limits(self, level: float) -> Interval:
        """MOVER for a ratio (Donner & Zou 2012, Stat Methods Med Res 21:347); -1 and 1 where J may be near zero."""
        if self.errors.useless(level):
            return -1.0, 1.0
        lower, upper = self.read.limits(level)
        least, most = self.errors.youden_limits(level)
        mean, youden = self.read.estimate, self.errors.youden
        high = _ratio_upper(mean, upper, youden, youden - least, most - youden)
        low = -_ratio_upper(-mean, -lower, youden, youden - least, most - youden)
        return max(-1.0, low), min(1.0, high)

    def judge_alone(self, level: float) -> float:
        """The half-width that the labels alone leave: what stays with infinitely many prompts. 1 where J is unsure."""
        if self.errors.useless(level):
            return 1.0
        return abs(self.estimate) * (self.errors.youden / self.errors.youden_limits(level)[0] - 1)

    def labels_needed(self, margin: float, level: float = 0.95, share: float = 0.5) -> LabelsNeeded | None:
        """Labels with which a worsening of the margin is known to `share` of the margin, as far as the judge goes.

        None where J is too small for any number, or the number is above a million.
        """

        def enough(bad: float, good: float) -> bool:
            sized = _sized(self.errors, bad, good)
            return not sized.useless(level) and sized.youden / sized.youden_limits(level)[0] - 1 <= share

        return _fewest(enough, [(self.errors, 0.5)], sides=1)


@dataclass(frozen=True, slots=True)
class JudgedApart:
    """What a judge read whose error rates are known of each side by labels of that side's own answers."""

    read: Paired
    """The worsening as the judge read it."""
    middle: Paired
    """The mean of both sides' badness as the judge read it: a rise from nothing."""
    correlation: float
    """Of these two."""
    sides: tuple["Side", "Side"]
    """Before and after."""

    @property
    def estimate(self) -> float:
        """The true rate after less the true rate before, each by Rogan & Gladen and in [0, 1]; 0 where a J is not above
        zero.
        """
        return 0.0 if self._blind else self.sides[1].clipped - self.sides[0].clipped

    @property
    def method(self) -> str:
        """The method in words."""
        return f"{self.read.method}; corrected on each side by the judge's own error rates there (MOVER)"

    def limits(self, level: float) -> Interval:
        """Square-and-add of the prompts' part and of each side's labels; -1 and 1 where a J may be near zero.

        The true rate before is not below zero, so the worsening is at most the true rate after, which is at most what
        the judge read there over `found`: that limit, at a fifth of the error, is taken where it is smaller. So where
        the judge reads nothing bad after, no number of labels of good answers is called for.
        """
        return self._limits(level, with_prompts=True)

    def judge_alone(self, level: float) -> float:
        """The half-width that the labels alone leave: what stays with infinitely many prompts. 1 where J is unsure."""
        lower, upper = self._limits(level, with_prompts=False)
        return min(1.0, max(self.estimate - lower, upper - self.estimate))

    def labels_needed(self, margin: float, level: float = 0.95, share: float = 0.5) -> LabelsNeeded | None:
        """Labels with which the judge's part of a limit is at most `share` of the margin, at these rates.

        The class that matters more for these rates gets more, in the proportion that leaves the least variance.
        None where a J is too small for any number, or the number is above a million.
        """

        def enough(bad: float, good: float) -> bool:
            before, after = (replace(side, errors=_sized(side.errors, bad, good)) for side in self.sides)
            sized = replace(self, sides=(before, after))
            return sized.judge_alone(level) <= share * margin

        return None if self._blind else _fewest(enough, [(side.errors, side.clipped) for side in self.sides], sides=2)

    @property
    def _blind(self) -> bool:
        return min(side.errors.youden for side in self.sides) <= LEAST_YOUDEN

    def _limits(self, level: float, *, with_prompts: bool) -> Interval:
        if any(side.errors.useless(level) for side in self.sides):
            return -1.0, 1.0
        before, after = self.sides
        prompts = self._prompts(level) if with_prompts else (0.0, 0.0)
        (old_down, old_up), (new_down, new_up) = before.label_arms(level), after.label_arms(level)
        centre, stricter = after.true - before.true, 1 - (1 - level) / 5
        lower = max(
            centre - hypot(prompts[0], new_down, old_up), -before.most(stricter, with_prompts=with_prompts), -1.0
        )
        upper = min(centre + hypot(prompts[1], new_up, old_down), after.most(stricter, with_prompts=with_prompts), 1.0)
        return min(lower, self.estimate), max(upper, self.estimate)

    def _prompts(self, level: float) -> Interval:
        """How far the sampling of prompts lets the worsening lie below and above, at the J of each side.

        p₁/J₁ - p₀/J₀ = (p₁ - p₀)(1/J₁ + 1/J₀)/2 + (1/J₁ - 1/J₀)(p₁ + p₀)/2: so a perfect judge gives the limits of
        `read`, and prompts bad on both sides do not count as changed.
        """
        old, new = (1 / side.errors.youden for side in self.sides)
        change, apart = _arms(self.read, level), _arms(self.middle, level)
        if new < old:
            apart = apart[::-1]
        both = [((old + new) / 2 * one, (new - old) * other) for one, other in zip(change, apart, strict=True)]
        down, up = (sqrt(max(a * a + 2 * self.correlation * a * b + b * b, 0.0)) for a, b in both)
        return down, up


@dataclass(frozen=True, slots=True)
class Side:
    """One side's badness as the judge read it, and how the judge errs there."""

    read: Paired
    """A rise from nothing."""
    errors: ErrorRates

    @property
    def true(self) -> float:
        """The true rate by Rogan & Gladen, not clipped."""
        return self.errors.true_rate(self.read.estimate)

    @property
    def clipped(self) -> float:
        """The same in [0, 1]."""
        return min(1.0, max(0.0, self.true))

    def label_arms(self, level: float) -> Interval:
        """How far the labels let the true rate lie below and above."""
        lower, upper = self.errors.true_limits(self.read.estimate, level)
        return self.true - lower, upper - self.true

    def most(self, level: float, *, with_prompts: bool) -> float:
        """An upper limit that asks nothing of how the judge reads good answers: the rate read, over `found`."""
        found, read = self.errors.found, self.read.estimate
        upper = self.read.limits(level)[1] if with_prompts else read
        return _ratio_upper(read, upper, found.value, *found.arms(level))


def judged(
    before: ArrayLike,
    after: ArrayLike,
    errors: ErrorRates | tuple[ErrorRates, ErrorRates],
    clusters: ArrayLike | None = None,
) -> Judged | JudgedApart:
    """The worsening behind what a judge read.

    Args:
        before: per prompt, its badness as the judge read it, in [0, 1]: the mean over its samples.
        after: likewise.
        errors: of the judge on both sides, taken to be the same; or known of each side, before first.
        clusters: a label per prompt.

    Raises:
        ValueError: as `pair`.
    """
    read = pair(before, after, clusters)
    if isinstance(errors, ErrorRates):
        return Judged(read, errors)
    old, codes = labelled(before, clusters)
    new = np.asarray(after, dtype=np.float64)
    nothing, middle = np.zeros(len(old)), (old + new) / 2
    sides = tuple(Side(pair(nothing, values, codes), each) for values, each in zip((old, new), errors, strict=True))
    return JudgedApart(read, pair(nothing, middle, codes), _correlation(new - old, middle, codes), (sides[0], sides[1]))


def _correlation(left: Floats, right: Floats, codes: NDArray[np.intp]) -> float:
    """Of two clustered means; 0 where one does not vary."""
    one, other = residual_sums(left, codes), residual_sums(right, codes)
    norm = sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / norm if norm > 1e-12 else 0.0


def _ratio_upper(mean: float, upper: float, over: float, below: float, above: float) -> float:
    """The upper limit of mean/over from the upper limit of the mean and the arms of what it is divided by.

    The root of mean - δ·over + √((upper - mean)² + δ² b²) = 0: b is the lower arm where the root is above zero, the
    upper arm where it is below.
    """
    arm = upper - mean
    b = below if upper >= 0 else above
    root = sqrt(max(mean * mean * b * b + arm * arm * (over * over - b * b), 0.0))
    if upper >= 0:
        return (mean * over + root) / (over * over - b * b)
    return (mean * mean - arm * arm) / (mean * over - root)


def _arms(paired: Paired, level: float) -> Interval:
    lower, upper = paired.limits(level)
    return paired.estimate - lower, upper - paired.estimate


def _sized(errors: ErrorRates, bad: float, good: float) -> ErrorRates:
    """The same rates from other numbers of labels; what is known stays known."""
    found, kept = errors.found, errors.kept
    return ErrorRates(
        found if found.size == inf else Rate(found.value, bad), kept if kept.size == inf else Rate(kept.value, good)
    )


def _fewest(
    enough: Callable[[float, float], bool], truths: Sequence[tuple[ErrorRates, float]], sides: int
) -> LabelsNeeded | None:
    """The fewest labels that are enough, shared out between the classes by what each adds to the variance.

    The variance of θ is (1-θ)² k(1-k)/m₀ + θ² f(1-f)/m₁, least for m₁ : m₀ as the roots of the two numerators.
    """
    bad = sqrt(sum(truth**2 * noise(errors.found) for errors, truth in truths))
    good = sqrt(sum((1 - truth) ** 2 * noise(errors.kept) for errors, truth in truths))
    if bad + good == 0:  # every rate is known
        return LabelsNeeded(0, 0, sides) if enough(FEWEST, FEWEST) else None
    share = bad / (bad + good)

    def shared(total: int) -> tuple[int, int]:
        return max(FEWEST, ceil(share * total)), max(FEWEST, ceil((1 - share) * total))

    if not enough(*shared(MOST)):
        return None
    few, many = 0, MOST
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if enough(*shared(middle)) else (middle, many)
    return LabelsNeeded(*shared(many), sides)
