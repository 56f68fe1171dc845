"""What an encoder is: texts become vectors of length one, so that a dot product is a cosine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from holdfast.workers import Workers

Dense = NDArray[np.float32]
Vectors = Dense | sparse.csr_array
"""One row a text, of length one; a text without anything to go by is a row of zeros, near nothing."""


class Encoder(Protocol):
    """Something that places texts."""

    @property
    def name(self) -> str:
        """How settings and reports call it."""

    @property
    def origin(self) -> str:
        """Where its numbers come from, and under which licence, in one sentence."""

    def encode(self, texts: Sequence[str], workers: Workers) -> Vectors:
        """A row a text. Texts that are to be compared are encoded in one call: weights may depend on them all."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Some pairs of texts, by their places, with their cosines; three arrays of one length."""

    left: NDArray[np.int64]
    """Within one set of texts, the later of the two."""
    right: NDArray[np.int64]
    cosine: NDArray[np.float32]
