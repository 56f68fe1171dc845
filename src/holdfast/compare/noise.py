"""What changes with no training at all: the base beside itself. Compares no two models."""

import numpy as np
from numpy.typing import NDArray

from holdfast.compare.pairing import Floats, Pairs, pair_rows
from holdfast.compare.results import Metric, Noise
from holdfast.stats import korn_graubard


def noise_floor(before: Metric, again: Metric | None, pairs: Pairs) -> Noise | None:
    """How many prompts' answers turn from good to bad or back without any training.

    From a second measurement of the base where there is one; else from its own samples of each prompt, of which any
    two are two runs. None where there is neither, and for values that are not 0 or 1.

    Raises:
        DataError: as `pair_rows`, of the second measurement.
    """
    if again is not None:
        twice = pair_rows(before, again, distrust_cut=False)
        return _of_two(twice) if twice.binary else None
    counts, bad = pairs.before.scored, pairs.before.bad
    several = counts > 1
    if not pairs.binary or not several.any() or not is_hot(before):
        return None
    k, c = counts[several], bad[several]
    return _noise(2 * c * (k - c) / (k * (k - 1)), pairs.clusters[several])


def is_hot(metric: Metric) -> bool:
    """Whether its answers were drawn at a temperature above zero."""
    try:
        return float(metric.settings.get("temperature", "0")) > 0
    except ValueError:
        return False


def _of_two(twice: Pairs) -> Noise | None:
    shown = twice.both_scored
    if not shown.any():
        return None
    p, q = twice.before.mean[shown], twice.after.mean[shown]
    old, new = twice.before.first, twice.after.first
    counts = int(np.sum(new > old)), int(np.sum(new < old))
    return _noise(p * (1 - q) + q * (1 - p), twice.clusters[shown], counts)


def _noise(flips: Floats, clusters: NDArray[np.intp], again: tuple[int, int] | None = None) -> Noise:
    """`again` are the prompts newly worse and newly better in a second measurement."""
    worse, better = again or (None, None)
    return Noise(
        source="again" if again else "samples",
        flips=float(flips.mean()),
        interval=korn_graubard(np.clip(flips, 0, 1), clusters),
        newly_worse=worse,
        newly_better=better,
    )
