"""All near pairs of dense rows, exactly: a product of matrices for each tile of the square of all pairs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.vectors.bound import Shortened, shortened
from holdfast.vectors.encoder import Dense, Pairs
from holdfast.workers import Workers

TILE = 2_016
"""Rows and columns of a tile; were all its pairs near, they would take 80 MB."""

BLOCK = 672
"""Rows and columns of a tile multiplied at once, so that the product is still in the cache when it is compared."""

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
    blocks, room = [(rows[:0], columns[:0])], CROWDED * len(rows) * len(columns)
    for block in _candidates(join, rows, columns):
        blocks.append(block)
        room -= len(block[0])
        if room < 0:
            return _crowded(join, rows, columns)
    pairs = _above(join, *(np.concatenate(side) for side in zip(*blocks, strict=True)))
    order = np.lexsort((pairs.right, pairs.left))
    return Pairs(pairs.left[order], pairs.right[order], pairs.cosine[order])


def _candidates(join: Join, rows: Ints, columns: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Block by block, the pairs whose short rows are near."""
    left, right = join.left.short.take(rows, axis=0), join.right.short.take(columns, axis=0)
    limit = join.left.limit(join.floor)
    held = np.empty(BLOCK * BLOCK, dtype=np.float32)  # once a tile: new memory costs as much as the product
    for top in range(0, len(rows), BLOCK):
        for start in range(0, len(columns), BLOCK):
            if join.within and rows[top : top + BLOCK][-1] <= columns[start]:
                continue  # each of its pairs is in another block, the other way round
            one, other = left[top : top + BLOCK], right[start : start + BLOCK]
            product = held[: len(one) * len(other)].reshape(len(one), len(other))
            flags = np.matmul(one, other.T, out=product) > limit
            yield _named(join, flags, rows[top : top + BLOCK], columns[start : start + BLOCK])


def _named(join: Join, flags: Flags, rows: Ints, columns: Ints) -> tuple[Ints, Ints]:
    """The pairs that are flagged, each once."""
    if join.within and rows[0] <= columns[-1]:
        flags &= rows[:, None] > columns
    places = np.flatnonzero(flags)
    above = places // len(columns)
    return rows.take(above), columns.take(places - above * len(columns))


def _crowded(join: Join, rows: Ints, columns: Ints) -> Pairs:
    """The near pairs by products of the long rows, summed in float64."""
    others = join.right.rows[columns].astype(np.float64).T
    found = []
    for at in range(0, len(rows), BLOCK):
        some = rows[at : at + BLOCK]
        cosine = join.left.rows[some].astype(np.float64) @ others
        flags = cosine > join.floor
        left, right = _named(join, flags, some, columns)
        found.append(Pairs(left, right, cosine[flags].astype(np.float32)))
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
        one, other = left.take(rows[cut], axis=0), right.take(columns[cut], axis=0)
        cosine[cut] = np.vecdot(one, other, dtype=kind)
    return cosine


def joined(parts: list[Pairs]) -> Pairs:
    """One after the other."""
    return Pairs(
        np.concatenate([part.left for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.cosine for part in parts]),
    )
