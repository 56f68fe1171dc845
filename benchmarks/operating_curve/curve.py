"""From verdicts on samples to shares by true change, with their Monte-Carlo error. Draws nothing, reads nothing."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

VERDICTS = ("pass", "undecided", "fail")
WIDTH = 0.005
"""Of a bin, as a share: half a point."""

Shares = NDArray[np.float64]
"""For each model the shares of its samples that pass, stay undecided and fail; shape (models, 3)."""


@dataclass(frozen=True)
class Bin:
    """The models whose true change lies in one stretch."""

    change: float
    """Their mean."""
    models: int
    samples: int
    shares: tuple[float, float, float]
    """Of pass, undecided and fail, each model counted alike."""

    def error(self, verdict: str) -> float:
        """The Monte-Carlo standard error of a share, the models given."""
        share = self.shares[VERDICTS.index(verdict)]
        return sqrt(share * (1 - share) / self.samples)

    def __getitem__(self, verdict: str) -> float:
        return self.shares[VERDICTS.index(verdict)]


def shares(said: NDArray[np.str_]) -> Shares:
    """Verdicts of shape (models, samples) as shares."""
    return np.stack([(said == verdict).mean(1) for verdict in VERDICTS], 1)


def between(change: NDArray[np.float64], found: Shares, samples: int, low: float, high: float) -> Bin | None:
    """The models with low ≤ change < high; None where there are none."""
    inside = (change >= low - 1e-9) & (change < high - 1e-9)
    if not inside.any():
        return None
    mean = found[inside].mean(0)
    count = int(inside.sum())
    return Bin(float(change[inside].mean()), count, count * samples, (float(mean[0]), float(mean[1]), float(mean[2])))


def curve(change: NDArray[np.float64], found: Shares, samples: int, margin: float) -> list[Bin]:
    """Bins of half a point along the true change; one begins at the margin, so that none mixes right with wrong."""
    first = int(np.floor((change.min() - margin) / WIDTH + 1e-9))
    last = int(np.floor((change.max() - margin) / WIDTH + 1e-9))
    edges = [margin + WIDTH * place for place in range(first, last + 2)]
    bins = (between(change, found, samples, low, low + WIDTH) for low in edges)
    return [each for each in bins if each]


@dataclass(frozen=True)
class Worst:
    """The model on which a gate is wrong most often."""

    place: int
    change: float
    share: float
    error: float


def worst(change: NDArray[np.float64], found: Shares, samples: int, margin: float, verdict: str) -> Worst | None:
    """Of `pass`: among models whose change is at least the margin; of `fail`: among the others.

    The largest of many measured shares: chance alone lifts it a few standard errors above the truth.
    """
    wrong = change >= margin - 1e-9 if verdict == "pass" else change <= margin + 1e-9
    if not wrong.any():
        return None
    column = np.where(wrong, found[:, VERDICTS.index(verdict)], -1.0)
    place = int(column.argmax())
    share = float(column[place])
    return Worst(place, float(change[place]), share, sqrt(share * (1 - share) / samples))


def own_margin(limits: NDArray[np.float64], draws: NDArray[np.integer], change: NDArray[np.float64]) -> Shares:
    """Shares when each model is held against its own true change, where neither passing nor failing is right.

    Takes the limits of each sample, shape (keys, 2), and the samples of each model as places in it. The change must be
    above zero: nobody sets a margin of nothing.
    """
    low, high = limits[draws, 0], limits[draws, 1]
    edge = change[:, None]
    passed, failed = (high < edge - 1e-12).mean(1), (low > edge + 1e-12).mean(1)
    return np.stack([passed, 1 - passed - failed, failed], 1)
