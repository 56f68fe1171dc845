"""Near pairs in far less than quadratic time, with a measured share of them found.

Rows are put into their nearest cells (the Voronoi cells of k-means centres); pairs are joined exactly within each
cell, by products of matrices. A pair is missed when its rows have no cell in common: how often that happens is
measured on the pairs of some rows, all of which are found by the exact join.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.stats import Interval, korn_graubard
from holdfast.vectors import tiles
from holdfast.vectors.bound import Shortened, shortened
from holdfast.vectors.encoder import Dense, Pairs
from holdfast.vectors.table import of_length_one
from holdfast.workers import Workers

TAUGHT = 64
"""Rows a cell that the centres are learnt from."""

ROUNDS = 8
BLOCK = 4_096
"""Rows assigned to cells at once."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Recall:
    """How many of a row's near pairs the approximate join finds, measured on rows drawn at random."""

    share: float
    """The mean, over rows that have near pairs, of the share of them that is found; 1 if there is no such row."""
    interval: Interval
    """95 % limits of that mean (Korn and Graubard 1998, on Clopper and Pearson); 0 to 1 if there is no such row."""
    rows: int
    """Drawn rows that have near pairs, by the exact join."""


@dataclass(frozen=True, slots=True)
class Join:
    """What all parts share; a part is a tile of the square of a cell: its cell, and its first two members."""

    rows: Shortened
    cells: Ints
    """(rows, probes), the cells of each row, in rising order."""
    members: Ints
    """The rows of each cell, one cell after the other."""
    ends: Ints
    floor: float


def near_pairs_approximately(
    vectors: Dense,
    floor: float,
    workers: Workers,
    rng: np.random.Generator,
    cells: int = 1_024,
    probes: int = 5,
    sample: int = 4_096,
) -> tuple[Iterator[Pairs], Recall]:
    """Most pairs whose cosine is above `floor`, each once, with the measured share of all that they are.

    What is handed out is near by the same rule as in `near_pairs`; only pairs may be missing. Where cells would
    not make the work smaller, the exact join is done instead.

    Args:
        vectors: (texts, width), dense rows of length one or zero.
        floor: a cosine in [0, 1), exclusive.
        workers: where blocks are computed; the pairs do not depend on it.
        rng: draws the rows that centres are learnt from, and those that recall is measured on.
        cells: how many cells there are.
        probes: in how many cells each row is.
        sample: rows whose pairs recall is measured on.

    Raises:
        ValueError: a floor outside [0, 1), or more probes than cells.
    """
    if not (0 <= floor < 1 and 1 <= probes <= cells):
        raise ValueError(f"a floor of {floor} in [0, 1) and 1 ≤ {probes} probes ≤ {cells} cells are needed")
    drawn = np.sort(rng.choice(len(vectors), min(sample, len(vectors)), replace=False))
    centres = _centres(vectors, cells, rng, workers) if len(vectors) > cells else vectors
    placed = _placed(vectors, centres, min(probes, len(centres)), workers)
    sizes = np.bincount(placed.ravel(), minlength=len(centres))
    if np.square(sizes).sum() >= len(vectors) ** 2:
        placed = np.zeros((len(vectors), 1), dtype=np.int64)
        sizes = np.array([len(vectors)])
    members = np.argsort(placed.ravel(), kind="stable") // placed.shape[1]
    ends = np.append(0, np.cumsum(sizes))
    largest = int(sizes.argmax())
    rows, _ = shortened(vectors, None, floor, workers, vectors[members[ends[largest] : ends[largest + 1]]])
    join = Join(rows, placed, members, ends, floor)
    return _found(join, workers), _recall(join, drawn, workers)


def _centres(vectors: Dense, cells: int, rng: np.random.Generator, workers: Workers) -> Dense:
    """Centres of length one, learnt by Lloyd's rounds on some of the rows."""
    taught = vectors[np.sort(rng.choice(len(vectors), min(TAUGHT * cells, len(vectors)), replace=False))]
    centres = taught[rng.choice(len(taught), cells, replace=False)]
    for _ in range(ROUNDS):
        nearest = _placed(taught, centres, 1, workers).ravel()
        order = np.argsort(nearest, kind="stable")
        filled, starts = np.unique(nearest[order], return_index=True)
        centres = centres.copy()  # a centre that no row is nearest to stays where it is
        centres[filled] = of_length_one(np.add.reduceat(taught[order], starts))
    return centres


def _placed(vectors: Dense, centres: Dense, probes: int, workers: Workers) -> Ints:
    """(rows, probes): the nearest centres of each row, in rising order of their places."""
    blocks = (vectors[at : at + BLOCK] for at in range(0, len(vectors), BLOCK))
    nearest = np.empty((len(vectors), probes), dtype=np.int64)
    for at, block in enumerate(workers.map(_nearest, (centres, probes), blocks)):
        nearest[at * BLOCK : at * BLOCK + len(block)] = block
    return nearest


def _nearest(shared: tuple[Dense, int], block: Dense) -> Ints:
    centres, probes = shared
    near = block @ centres.T
    if probes == 1:
        return np.asarray(near.argmax(axis=1))[:, None]
    return np.sort(np.argpartition(near, -probes, axis=1)[:, -probes:], axis=1)


def _found(join: Join, workers: Workers) -> Iterator[Pairs]:
    parts = (
        (cell, top, start)
        for cell, (begin, end) in enumerate(zip(join.ends[:-1].tolist(), join.ends[1:].tolist(), strict=True))
        for top in range(begin, end, tiles.TILE)
        for start in range(begin, top + 1, tiles.TILE)
    )
    yield from (pairs for pairs in workers.map(_tile, join, parts) if len(pairs.left))


def _tile(join: Join, part: tuple[int, int, int]) -> Pairs:
    cell, top, start = part
    end = int(join.ends[cell + 1])
    rows, columns = (join.members[at : min(at + tiles.TILE, end)] for at in (top, start))
    near = tiles.near(tiles.Join(join.rows, join.rows, join.floor, True), rows, columns)
    new = _first_common(join.cells[near.left], join.cells[near.right]) == cell
    return Pairs(near.left[new], near.right[new], near.cosine[new])


def _first_common(cells: Ints, others: Ints) -> Ints:
    """For each pair of rows of cells, the first that both have; -1 where they have none in common."""
    common = (cells[:, :, None] == others[:, None, :]).any(axis=2)
    first = cells[np.arange(len(cells)), common.argmax(axis=1)]
    return np.where(common.any(axis=1), first, -1)


def _recall(join: Join, drawn: Ints, workers: Workers) -> Recall:
    held = join.rows
    some = Shortened(tuple(level[drawn] for level in held.levels))
    found, near = np.zeros(len(drawn)), np.zeros(len(drawn))
    for pairs in tiles.joined_exactly(tiles.Join(some, held, join.floor, False), workers):
        others = pairs.right != drawn[pairs.left]
        left, right = pairs.left[others], pairs.right[others]
        near += np.bincount(left, minlength=len(drawn))
        meet = _first_common(join.cells[drawn[left]], join.cells[right]) >= 0
        found += np.bincount(left[meet], minlength=len(drawn))
    shares = found[near > 0] / near[near > 0]
    if not len(shares):
        return Recall(1.0, (0.0, 1.0), 0)
    return Recall(float(shares.mean()), korn_graubard(shares), len(shares))
