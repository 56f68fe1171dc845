"""How many prompts a decision would take. A planning figure, not a guarantee."""

from math import ceil, sqrt

from scipy.special import ndtri


def prompts_needed(distance: float, spread: float, level: float = 0.95, power: float = 0.8) -> int | None:
    """Prompts after which the one-sided limit clears the margin with probability `power`.

    n = ⌈((z_level + z_power) · spread / distance)²⌉ (Miller 2024, arXiv 2411.00640, for one side), where
    `distance` lies between the change and the margin and `spread` is the standard deviation of the change per
    prompt, clustering included (`half_width_spread`). None when the change sits on the margin: no number is
    enough.
    """
    if distance == 0:
        return None
    z = float(ndtri(level) + ndtri(power))
    return max(1, ceil((z * spread / distance) ** 2))


def half_width_spread(half_width: float, n: int, level: float) -> float:
    """The standard deviation per prompt that a one-sided half-width corresponds to: half-width · √n / z."""
    return half_width * sqrt(n) / float(ndtri(level))
