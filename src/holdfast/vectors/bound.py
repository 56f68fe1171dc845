"""Shorter rows whose dot products are never below the true ones, so that few pairs need the long ones.

Rows are rotated onto the principal directions of a sample; the first coordinates are kept, and of the others only
their norm. By Cauchy and Schwarz the dot product of two such short rows is at least that of the long ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from holdfast.vectors.encoder import Dense
from holdfast.workers import Workers

WIDTHS = (16, 24, 32, 40, 48, 64, 96, 128, 192, 256)
"""Lengths that are tried."""

TURNED, TRIED = 4_096, 1_024
"""Rows of a side that the directions are found on, and the lengths: these change the time, never the pairs."""

PAIR, COORDINATE = 0.15, 0.022
"""Nanoseconds that a pair costs, and a coordinate of it, in a product of matrices."""

LOOKED, READ = 15.0, 0.25
"""Nanoseconds that looking at longer rows costs a pair whose shorter ones are near, and a coordinate of it."""

BLOCK = 1 << 20
"""Numbers rotated at once, in float64."""

Kind = TypeVar("Kind", np.float32, np.float64)
Lengths = tuple[int, ...]
"""Of the levels of rows, rising; the last is the rows' own."""


@dataclass(frozen=True, slots=True)
class Shortened:
    """Rows, and shorter and shorter ones that stand for them; none where shortening would not pay."""

    levels: tuple[Dense, ...]
    """The shortest first; the last are the rows themselves."""

    @property
    def rows(self) -> Dense:
        """The rows themselves."""
        return self.levels[-1]

    @property
    def short(self) -> Dense:
        """The shortest that stand for them."""
        return self.levels[0]

    def limit(self, floor: float) -> np.float32:
        """What the product of rows of any level must be above."""
        return np.float32(floor - lost(self.rows.shape[1]))


def lost(width: int) -> float:
    """More than a dot product of rows of length one can lose by being summed in float32."""
    return 1e-5 + width * float(np.finfo(np.float32).eps)


def shortened(
    left: Dense, right: Dense | None, floor: float, workers: Workers, tried: Dense | None = None
) -> tuple[Shortened, Shortened]:
    """Both sides, shortened alike; `right` of None stands for `left` itself.

    The lengths are chosen on pairs of `tried`, if given: rows more alike than most need longer ones to be told apart.
    """
    other = left if right is None else right
    if len(left) * len(other) < TURNED**2 or left.shape[1] <= WIDTHS[0]:
        return Shortened((left,)), Shortened((other,))
    with threadpool_limits(1, user_api="blas"):  # for matrices so small, more threads would only wait on each other
        directions = _directions(other)
        some, others = (_some(side if tried is None else tried, TRIED) for side in (left, other))
        lengths = _lengths(some, others, directions, floor)
    one = _short(left, directions, lengths, workers)
    return one, one if right is None else _short(right, directions, lengths, workers)


def _directions(rows: Dense) -> NDArray[np.float64]:
    """Columns to rotate onto, those that tell most first."""
    width = rows.shape[1]
    long = _some(rows, TURNED).astype(np.float64)
    _, columns = linalg.eigh(long.T @ long, subset_by_index=[max(0, width - WIDTHS[-1]), width - 1])
    return np.asarray(columns[:, ::-1])


def _some(rows: Dense, count: int) -> Dense:
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), count)).astype(np.int64)]


def _lengths(left: Dense, right: Dense, directions: NDArray[np.float64], floor: float) -> Lengths:
    """Those that make the join cheapest, by pairs of some rows: a short one and a middle one, or fewer."""
    width = left.shape[1]
    widths = [each for each in WIDTHS if each < width]
    products = _products(left, right, directions, widths)
    near = {each: np.count_nonzero(product > floor) / product.size for each, product in products}
    choices = [(*shorter, width) for count in range(3) for shorter in combinations(widths, count)]
    return min(choices, key=lambda lengths: _cost(lengths, near))


def _cost(lengths: Lengths, near: Mapping[int, float]) -> float:
    """Nanoseconds a pair, where of the pairs such a share is near at each length."""
    looks = (near[short] * (LOOKED + READ * long) for short, long in pairwise(lengths))
    return PAIR + COORDINATE * lengths[0] + sum(looks)


def _products(
    left: Dense, right: Dense, directions: NDArray[np.float64], widths: Sequence[int]
) -> Iterator[tuple[int, Dense]]:
    """For each length, the products of rows that are shortened to it."""
    one, other = left @ directions.astype(np.float32), right @ directions.astype(np.float32)
    product, before = np.zeros((len(left), len(right)), dtype=np.float32), 0
    for width in widths:
        some = slice(before, width - 1)
        product += one[:, some] @ other[:, some].T
        before = width - 1
        yield width, product + np.multiply.outer(_rest(left, one[:, :before]), _rest(right, other[:, :before]))


def _short(rows: Dense, directions: NDArray[np.float64], lengths: Lengths, workers: Workers) -> Shortened:
    step = max(1, BLOCK // rows.shape[1])
    levels = [np.empty((len(rows), width), dtype=np.float32) for width in lengths[:-1]]
    blocks = (rows[at : at + step] for at in range(0, len(rows), step))
    turned = workers.map(_turned, (directions, lengths[:-1]), blocks) if levels else ()
    for at, parts in enumerate(turned):
        for level, part in zip(levels, parts, strict=True):
            level[at * step : at * step + len(part)] = part
    return Shortened((*levels, rows))


def _turned(shared: tuple[NDArray[np.float64], Lengths], rows: Dense) -> list[Dense]:
    directions, lengths = shared
    # In float64: the root of a small difference of large squares would lose its digits in float32.
    block = rows.astype(np.float64)
    turned = block @ directions[:, : lengths[-1] - 1]
    cuts = (turned[:, : width - 1] for width in lengths)
    return [np.column_stack([kept, _rest(block, kept)]).astype(np.float32) for kept in cuts]


def _rest(rows: NDArray[Kind], kept: NDArray[Kind]) -> NDArray[Kind]:
    """The norms of what is not kept."""
    rest: NDArray[Kind] = np.sqrt(np.maximum(np.vecdot(rows, rows) - np.vecdot(kept, kept), 0))
    return rest
