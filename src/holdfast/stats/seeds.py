"""A worsening over several training seeds, taken as a random sample of the seeds that there could be. Numbers only."""

from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from holdfast.stats.paired import Paired
from holdfast.stats.proportion import Interval


@dataclass(frozen=True, slots=True)
class OverSeeds:
    """The mean worsening over seeds on the same prompts."""

    paired: Paired
    """Of each prompt's mean over the seeds: what the sampling of prompts leaves open."""
    error: float
    """Standard error of the mean over the seeds: their standard deviation over √S."""
    seeds: int

    @property
    def estimate(self) -> float:
        """The mean worsening."""
        return self.paired.estimate

    @property
    def method(self) -> str:
        """The method in words."""
        return f"{self.paired.method}; with Student's limit on {self.seeds} training seeds squared and added"

    def limits(self, level: float) -> Interval:
        """Square-and-add of the prompts' arms and of t[S-1] · s/√S, t at half of the error that the level allows.

        Two crossed random factors; the seeds' spread holds the part of prompts × seeds as well. Student takes seeds for
        normal, and a fine-tune that goes wrong now and then is not: with t at the level itself five skewed seeds erred
        up to 11 %.
        """
        half = float(stdtrit(self.seeds - 1, 1 - (1 - level) / 2)) * self.error
        lower, upper = self.paired.limits(level)
        down, up = hypot(self.estimate - lower, half), hypot(upper - self.estimate, half)
        return max(-1.0, self.estimate - down), min(1.0, self.estimate + up)


def over_seeds(paired: Paired, worsenings: ArrayLike) -> OverSeeds:
    """Carry the seeds' spread into the limits.

    Args:
        paired: the worsening of each prompt's mean over the seeds.
        worsenings: one mean worsening a seed.

    Raises:
        ValueError: fewer than two seeds.
    """
    each = np.asarray(worsenings, dtype=np.float64)
    if each.size < 2:
        raise ValueError(f"{each.size} seeds have no spread")
    return OverSeeds(paired, float(each.std(ddof=1)) / sqrt(each.size), each.size)
