"""Geometry of the page's figures. Knows numbers and percentages of a width; draws nothing itself.

Everything is a percentage of the figure's width, so that one SVG fits a phone and a printed sheet.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.compare.results import MetricChange

LINEAR_UP_TO = 15.0
"""Points. Beyond it a margin of 2 would lie on the zero line, so the axis turns to square roots."""
BETTER_SHOWN = 10.0
"""Points of improvement that a square-root axis has room for; more is drawn as an arrow."""
TICKS = (2.0, -2.0, 5.0, -5.0, 10.0, 15.0, 25.0, 50.0)
APART = 10.0
"""Percent of the width between two printed values."""
END = 15.0
"""The same beside the two ends, whose values stand inside the axis."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Worsening in points, from `low` (better) to `high` (worse), shared by all metrics of a page."""

    low: float
    high: float
    root: bool
    """Whether lengths are square roots of points."""

    def at(self, points: float) -> float:
        """Where a value lies, in percent of the width; a value beyond an end lies on that end."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        here = min(max(self._scaled(points), low), high)
        return round(100 * (here - low) / (high - low), 2)

    def ticks(self) -> tuple[float, ...]:
        """The values to print along the axis: both ends, zero, and what fits between them on a phone."""
        chosen = [0.0]
        for tick in TICKS:
            if END <= self.at(tick) <= 100 - END and all(
                abs(self.at(tick) - self.at(other)) >= APART for other in chosen
            ):
                chosen.append(tick)
        return tuple(sorted([self.low, *chosen, self.high]))

    def _scaled(self, points: float) -> float:
        return math.copysign(math.sqrt(abs(points)), points) if self.root else points


def axis(changes: Iterable[MetricChange]) -> Axis:
    """The smallest of a few round axes that holds every estimate, limit and margin."""
    values = [100 * value for change in changes for value in _values(change)]
    worst, best = max(values, default=0.0), min(values, default=0.0)
    root = max(worst, -best) > LINEAR_UP_TO
    high = _round_up(worst, (5, 10, 15, 25, 50, 100))
    low = _round_up(min(-best, BETTER_SHOWN), (2, 5, 10))
    return Axis(-low, high, root) if root else Axis(-max(low, high), max(low, high), root=False)


def _values(change: MetricChange) -> list[float]:
    found = (change.worsening, change.lower, change.upper, change.margin)
    return [value for value in found if value is not None and math.isfinite(value)]


def _round_up(value: float, steps: tuple[int, ...]) -> float:
    return float(next((step for step in steps if value <= step), steps[-1]))


@dataclass(frozen=True, slots=True)
class Strip:
    """One metric on the axis: where its estimate, its limits and its margin lie, in percent of the width."""

    zero: float
    margin: float
    estimate: float | None
    lower: float | None
    upper: float | None
    beyond: bool
    """The estimate lies left of the axis: an improvement larger than the axis shows."""


def strip(change: MetricChange, scale: Axis) -> Strip:
    """Place one metric on the axis."""

    def at(share: float | None) -> float | None:
        return scale.at(100 * share) if share is not None and math.isfinite(share) else None

    beyond = change.worsening is not None and 100 * change.worsening < scale.low
    places = at(change.worsening), at(change.lower), at(change.upper)
    return Strip(scale.at(0.0), scale.at(100 * change.margin), *places, beyond)


@dataclass(frozen=True, slots=True)
class Bar:
    """A share and its interval, in percent of the width."""

    width: float
    low: float | None
    high: float | None


def bar(share: float | None, interval: tuple[float, float] | None) -> Bar | None:
    """A bar on an axis from 0 to 100 %, or None where there is no number."""
    if share is None or not math.isfinite(share):
        return None
    low, high = (_inside(end) for end in interval) if interval else (None, None)
    return Bar(_inside(share) or 0.0, low, high)


def _inside(share: float) -> float | None:
    return round(100 * min(max(share, 0.0), 1.0), 2) if math.isfinite(share) else None
