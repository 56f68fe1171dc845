"""All near pairs of dense rows, exactly: a product of matrices for each tile of the square of all pairs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.vectors.bound import Shortened, lost, shortened
from holdfast.vectors.encoder import Dense, Pairs
from holdfast.workers import Workers

TILE = 2_048
"""Rows and columns of a tile; were all its pairs near, they would take 80 MB."""

STRIP = 512
"""Rows of a tile multiplied at once, so that the product is still in the cache when it is compared."""

CHECKED = 1 << 20
"""Numbers of candidate rows that are held as float64 at once, on each side."""

Ints = NDArray[np.int64]
Part = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Join:
    """What all tiles share; a part is the first left and the first right row of a tile."""

    left: Shortened
    right: Shortened
    floor: float
    within: bool
    """Whether both sides are one set, of which a pair is wanted once."""


def join(left: Dense, right: Dense | None, floor: float, workers: Workers) -> Iterator[Pairs]:
    """Pairs of `left` with `right`, or within `left`, whose cosine is above `floor`, tile by tile."""
    one, other = shortened(left, right, floor, workers)
    return joined_exactly(Join(one, other, floor, right is None), workers)


def joined_exactly(join: Join, workers: Workers) -> Iterator[Pairs]:
    """Tile by tile, the tiles that hold near pairs."""
    left, right = len(join.left.rows), len(join.right.rows)
    parts = (
        (top, start) for top in range(0, left, TILE) for start in range(0, top + 1 if join.within else right, TILE)
    )
    return (pairs for pairs in workers.map(_tile, join, parts) if len(pairs.left))


def _tile(join: Join, part: Part) -> Pairs:
    top, start = part
    found = [
        _strip(join, slice(at, min(at + STRIP, top + TILE)), slice(start, start + TILE))
        for at in range(top, min(top + TILE, len(join.left.rows)), STRIP)
    ]
    return joined(found)


def _strip(join: Join, rows: slice, columns: slice) -> Pairs:
    left, right = candidates(join.left.short[rows], join.right.short[columns], join.left.limit(join.floor))
    left, right = left + rows.start, right + columns.start
    if join.within:
        once = left > right
        left, right = left[once], right[once]
    return above(join.left.rows, join.right.rows, left, right, join.floor)


def candidates(left: Dense, right: Dense, limit: np.float32) -> tuple[Ints, Ints]:
    """The places at which the product of two strips is above `limit`, by row and then by column."""
    places = np.flatnonzero(left @ right.T > limit)
    return np.divmod(places, len(right))


def above(left: Dense, right: Dense, rows: Ints, columns: Ints, floor: float) -> Pairs:
    """Of the named pairs, those whose cosine, summed in float64, is above `floor`."""
    likely = _cosines(left, right, rows, columns, np.float32) > floor - lost(left.shape[1])
    rows, columns = rows[likely], columns[likely]
    cosine = _cosines(left, right, rows, columns, np.float64)
    near = cosine > floor
    return Pairs(rows[near], columns[near], cosine[near].astype(np.float32))


def _cosines(left: Dense, right: Dense, rows: Ints, columns: Ints, kind: type[np.floating[Any]]) -> NDArray[Any]:
    cosine = np.empty(len(rows), dtype=kind)
    step = max(1, CHECKED // left.shape[1])
    for at in range(0, len(rows), step):
        cut = slice(at, at + step)
        one, other = left[rows[cut]].astype(kind, copy=False), right[columns[cut]].astype(kind, copy=False)
        cosine[cut] = np.vecdot(one, other)
    return cosine


def joined(parts: list[Pairs]) -> Pairs:
    """One after the other."""
    return Pairs(
        np.concatenate([part.left for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.cosine for part in parts]),
    )
