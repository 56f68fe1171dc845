"""All near pairs of dense rows, exactly: a product of matrices for each tile of the square of all pairs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.vectors.bound import Shortened, shortened
from holdfast.vectors.encoder import Dense, Pairs
from holdfast.workers import Workers

TILE = 2_048
"""Rows and columns of a tile; were all its pairs near, they would take 80 MB."""

STRIP = 512
"""Rows and columns multiplied at once, so that the product is still in the cache when it is compared."""

CROWDED = 1 / 16
"""Of a tile's pairs, the share from which looking at them one by one costs more than a product of the long rows."""

CHECKED = 1 << 18
"""Numbers of candidate rows that are held at once, on each side."""

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Part = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Join:
    """What all tiles share; a part is the first left and the first right row of a tile."""

    left: Shortened
    right: Shortened
    floor: float
    within: bool
    """Whether both sides are one set, of which a pair is wanted once: the later row as the left one."""


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
    rows = np.arange(top, min(top + TILE, len(join.left.rows)))
    return near(join, rows, np.arange(start, min(start + TILE, len(join.right.rows))))


def near(join: Join, rows: Ints, columns: Ints) -> Pairs:
    """The near pairs of the named rows, by the left and then by the right one.

    Args:
        join: the rows, and the floor.
        rows: places in the left side, rising.
        columns: places in the right side, rising.
    """
    flags = _flags(join.left.short[rows], join.right.short[columns], join.left.limit(join.floor))
    if join.within and rows[0] <= columns[-1]:
        flags &= rows[:, None] > columns
    if np.count_nonzero(flags) > CROWDED * flags.size:
        return _crowded(join, rows, columns, flags)
    left, right = _places(flags)
    return _above(join, rows[left], columns[right])


def _flags(left: Dense, right: Dense, limit: np.float32) -> Flags:
    """Where the product of two sides is above `limit`."""
    flags = np.empty((len(left), len(right)), dtype=np.bool_)
    held = np.empty(STRIP * STRIP, dtype=np.float32)  # once a tile: new memory costs as much as the product
    for top in range(0, len(left), STRIP):
        for start in range(0, len(right), STRIP):
            one, other = left[top : top + STRIP], right[start : start + STRIP]
            product = held[: len(one) * len(other)].reshape(len(one), len(other))
            np.matmul(one, other.T, out=product)
            np.greater(product, limit, out=flags[top : top + STRIP, start : start + STRIP])
    return flags


def _places(flags: Flags) -> tuple[Ints, Ints]:
    places = np.flatnonzero(flags)
    rows = places // flags.shape[1]
    return rows, places - rows * flags.shape[1]


def _crowded(join: Join, rows: Ints, columns: Ints, flags: Flags) -> Pairs:
    """The near pairs by products of the long rows, summed in float64."""
    others = join.right.rows[columns].astype(np.float64).T
    found = []
    for at in range(0, len(rows), STRIP):
        strip = slice(at, at + STRIP)
        cosine = join.left.rows[rows[strip]].astype(np.float64) @ others
        left, right = _places(flags[strip] & (cosine > join.floor))
        found.append(Pairs(rows[strip][left], columns[right], cosine[left, right].astype(np.float32)))
    return joined(found)


def _above(join: Join, rows: Ints, columns: Ints) -> Pairs:
    """Of the named pairs, those whose cosine, summed in float64, is above the floor."""
    for left, right in zip(join.left.levels[1:], join.right.levels[1:], strict=True):
        likely = _cosines(left, right, rows, columns, np.float32) > join.left.limit(join.floor)
        rows, columns = rows[likely], columns[likely]
    cosine = _cosines(join.left.rows, join.right.rows, rows, columns, np.float64)
    above = cosine > join.floor
    return Pairs(rows[above], columns[above], cosine[above].astype(np.float32))


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
