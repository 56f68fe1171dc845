"""The chance that at least one of k answers is bad, from n sampled answers."""

import numpy as np
from numpy.typing import ArrayLike

from holdfast.stats.proportion import Floats


def any_of_k(bad: ArrayLike, samples: ArrayLike, k: int) -> float:
    """Mean over prompts of the unbiased 1 - C(n-c, k)/C(n, k), for c bad of n samples of each prompt.

    Computed as 1 - Π_{j<k} (n-c-j)/(n-j), which neither overflows nor cancels (Chen et al. 2021,
    arXiv 2107.03374, eq. 1, there pass@k). The plug-in 1 - (1-c/n)^k is biased low.

    Raises:
        ValueError: k is below 1 or above some prompt's number of samples, or not 0 ≤ c ≤ n.
    """
    return float(any_of_k_each(bad, samples, k).mean())


def any_of_k_each(bad: ArrayLike, samples: ArrayLike, k: int) -> Floats:
    """The same, one value per prompt, for intervals and differences over prompts."""
    c, n = np.broadcast_arrays(np.asarray(bad, dtype=np.float64), np.asarray(samples, dtype=np.float64))
    if not c.size or np.any(c < 0) or np.any(c > n):
        raise ValueError("needs 0 ≤ bad ≤ samples for at least one prompt")
    if not 1 <= k <= n.min():
        raise ValueError(f"any of {k} cannot be estimated without bias from {int(n.min())} samples")
    steps = np.arange(k)
    good = np.clip(n[..., None] - c[..., None] - steps, 0, None) / (n[..., None] - steps)
    return np.asarray(1 - good.prod(axis=-1), dtype=np.float64)
