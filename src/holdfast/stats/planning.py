"""How many prompts a decision would take. Planning figures, not guarantees."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import ceil, sqrt

from scipy.special import ndtri

from holdfast.stats.paired import PairedParts, PairedTable

MOST = 1_000_000
"""Above this many prompts a plan says nothing that a person can act on."""
LOOKED_AT = 40
"""Numbers of prompts above the answer at which it is checked that the chance stays."""


def prompts_needed(distance: float, spread: float, level: float = 0.95, power: float = 0.8) -> int | None:
    """Prompts after which a normal one-sided limit clears the margin with probability `power`.

    n = ⌈((z_level + z_power) · spread / distance)²⌉ (Miller 2024, arXiv 2411.00640, for one side), where
    `distance` lies between the change and the margin and `spread` is the standard deviation of the change per
    prompt, clustering included (`half_width_spread`). None when the change sits on the margin: no number is
    enough. Where few prompts change, `prompts_to_decide` knows better.
    """
    if distance == 0:
        return None
    z = float(ndtri(level) + ndtri(power))
    return max(1, ceil((z * spread / distance) ** 2))


def half_width_spread(half_width: float, n: int, level: float) -> float:
    """The standard deviation per prompt that a one-sided half-width corresponds to: half-width · √n / z."""
    return half_width * sqrt(n) / float(ndtri(level))


def prompts_to_decide(
    seen: PairedTable | PairedParts, margin: float, level: float = 0.95, power: float = 0.8
) -> int | None:
    """Prompts after which the gate decides with probability about `power`, should the rates of change stay as seen.

    It passes where the worsening seen is below the margin, else fails: with so many prompts the gate's own limit of
    the run at the unlucky quantile of the worsening clears the margin. Within a tenth of what enumeration gives
    (`power.chance`). None when the worsening sits on the margin, from one cluster, and above a million.
    """
    parts = as_parts(seen)
    if parts.estimate == margin or parts.clusters < 2:
        return None

    def clears(n: int) -> bool:
        lower, upper = _unlucky(parts, n, margin, power).limits(level)
        return upper < margin if parts.estimate < margin else lower > margin

    low, high = 1, 2
    while not clears(high):
        low, high = high, 2 * high
        if low > MOST:
            return None
    found = bisect_left(range(low, high), True, key=clears) + low
    return found if found <= MOST else None


def as_parts(paired: PairedTable | PairedParts) -> PairedParts:
    """A table as parts with the same limits."""
    if isinstance(paired, PairedParts):
        return paired
    n, rise, fall = paired.n, paired.worse / paired.n, paired.better / paired.n
    spread = rise * (1 - rise) / n, fall * (1 - fall) / n
    return PairedParts(rise, fall, *spread, -rise * fall / n, n=n, clusters=n, changed=paired.worse + paired.better)


def _unlucky(parts: PairedParts, n: int, margin: float, power: float) -> PairedParts:
    """What a run of n prompts shows at the quantile `power` towards the margin, at the likeliest rise and fall."""
    scale = n / parts.n
    total = parts.rise_variance + parts.fall_variance - 2 * parts.covariance
    step = float(ndtri(power)) / sqrt(total * scale) if total > 0 else 0.0
    step = step if parts.estimate < margin else -step
    rise = min(1.0, max(0.0, parts.rise + step * (parts.rise_variance - parts.covariance)))
    fall = min(1.0, max(0.0, parts.fall - step * (parts.fall_variance - parts.covariance)))
    more, less = (new / old if old > 0 else 1.0 for new, old in ((rise, parts.rise), (fall, parts.fall)))
    return replace(
        parts,
        rise=rise,
        fall=fall,
        rise_variance=parts.rise_variance * more / scale,
        fall_variance=parts.fall_variance * less / scale,
        covariance=parts.covariance * sqrt(more * less) / scale,
        n=n,
        clusters=max(2, round(parts.clusters * scale)),
        changed=round(parts.changed * scale),
    )


def fewest(chance: Callable[[int], float], power: float, guess: int, unit: int = 1, ahead: float = 0) -> int | None:
    """The fewest prompts from which on the chance is at least `power`; None above a million.

    Limits of counts jump, so that the chance falls between two jumps: the answer holds for the more prompts too that
    were looked at, up to `ahead` beyond it. Numbers are looked at in steps of about a hundredth.

    Args:
        chance: of the outcome that is wanted, by the number of prompts.
        power: in (0, 1).
        guess: where to look first.
        unit: prompts come in multiples of it: a cluster's size.
        ahead: prompts.
    """
    sizes = [unit * rung for rung in rungs() if 1 < rung <= MOST / unit]
    enough = cache(lambda place: chance(sizes[place]) >= power)
    low, high, step = -1, len(sizes), 4
    at = min(bisect_left(sizes, guess), len(sizes) - 1)
    while low < at < high:  # away from the guess in growing steps, until the answer lies between
        low, high, at = (low, at, at - step) if enough(at) else (at, high, at + step)
        step *= 2
    high = bisect_left(range(low + 1, high), True, key=enough) + low + 1
    while high < len(sizes):
        last = bisect_left(sizes, sizes[high] + ahead)
        beyond = range(high + 1, min(last, len(sizes)), max(1, (last - high) // LOOKED_AT))
        fallen = [place for place in (high, *beyond) if not enough(place)]
        if not fallen:
            return sizes[high]
        high = fallen[-1] + 1
    return None


@cache
def rungs() -> tuple[int, ...]:
    """Numbers from 1 to a million in steps of about a hundredth, the smaller the finer."""
    turns = (1, 400, 1), (400, 1000, 5)
    bands = ((a * tens, b * tens, step * tens // 100) for tens in (1000, 10**4, 10**5) for a, b, step in TEN)
    return *(number for band in (*turns, *bands) for number in range(*band)), MOST


TEN = ((1, 2, 1), (2, 5, 2), (5, 10, 5))
"""From, to and hundredths a step, within a decade."""
