"""All pairs of texts that lie near each other, in blocks: exactly, and the same wherever they are computed.

The rule: a pair is near when the dot product of its two rows, as they are stored and summed in float64, is above the
floor; equal to the floor is not near. The float32 products that find candidates only choose what is looked at, with
room for all they may round away. Cosines are handed out as float32.
"""

from collections.abc import Iterator

import numpy as np

from holdfast.vectors import prefixes, tiles
from holdfast.vectors.encoder import Pairs, Vectors
from holdfast.workers import Workers


def near_pairs(vectors: Vectors, floor: float, workers: Workers) -> Iterator[Pairs]:
    """Every pair within one set whose cosine is above `floor`; `left` is the later row.

    Blocks come in an order that does not depend on `workers`; within a block pairs are sorted by left, then right.
    Memory: shorter copies of the rows, of less than twice their size, and a block a worker, however many pairs there
    are.

    Args:
        vectors: (texts, width), rows of length one or zero, as `Encoder.encode` hands them out.
        floor: a cosine in [0, 1), exclusive.
        workers: where blocks are computed.

    Raises:
        ValueError: a floor outside [0, 1).
    """
    return _join(vectors, None, floor, workers)


def cross_pairs(queries: Vectors, items: Vectors, floor: float, workers: Workers) -> Iterator[Pairs]:
    """Every pair between two sets whose cosine is above `floor`: `left` is a row of `queries`, `right` of `items`.

    Both sets must have been encoded in one call. The rest is as in `near_pairs`.

    Raises:
        ValueError: a floor outside [0, 1), or sets that one encoder cannot have made.
    """
    if sparse_rows(queries) != sparse_rows(items) or queries.shape[1] != items.shape[1]:
        raise ValueError(f"rows of {queries.shape[1]} and {items.shape[1]} numbers are not from one encoder")
    return _join(queries, items, floor, workers)


def sparse_rows(vectors: Vectors) -> bool:
    """Whether these are sparse rows."""
    return not isinstance(vectors, np.ndarray)


def _join(left: Vectors, right: Vectors | None, floor: float, workers: Workers) -> Iterator[Pairs]:
    if not 0 <= floor < 1:
        raise ValueError(f"a floor of {floor} is not in [0, 1)")
    if isinstance(left, np.ndarray):
        assert right is None or isinstance(right, np.ndarray)
        return tiles.join(left, right, floor, workers)
    assert right is None or not isinstance(right, np.ndarray)
    return prefixes.join(left, right, floor, workers)
