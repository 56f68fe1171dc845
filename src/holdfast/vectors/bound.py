"""Shorter rows whose dot products are never below the true ones, so that few pairs need the long ones.

Rows are rotated onto the principal directions of a sample; the first coordinates are kept, and of the others only
their norm. By Cauchy and Schwarz the dot product of two such short rows is at least that of the long ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from holdfast.vectors.encoder import Dense
from holdfast.workers import Here, Workers

WIDTHS = (16, 24, 32, 40, 48, 64, 96, 128, 192, 256)
"""Lengths that are tried."""

TURNED, TRIED = 4_096, 1_024
"""Rows of a side that the directions are found on, and the length: these change the time, never the pairs."""

PAIR, COORDINATE, CANDIDATE = 0.4, 0.019, 200.0
"""Nanoseconds that a pair costs, a coordinate of it, and looking at its long rows if its short ones are near."""

BLOCK = 1 << 20
"""Numbers rotated at once, in float64."""


@dataclass(frozen=True, slots=True)
class Shortened:
    """Rows, and the short ones that stand for them; the same where shortening would not pay."""

    rows: Dense
    short: Dense

    def limit(self, floor: float) -> np.float32:
        """What the product of short rows must be above."""
        return np.float32(floor - lost(self.rows.shape[1]))


def lost(width: int) -> float:
    """More than a dot product of rows of length one can lose by being summed in float32."""
    return 1e-5 + width * float(np.finfo(np.float32).eps)


def shortened(
    left: Dense, right: Dense | None, floor: float, workers: Workers, tried: Dense | None = None
) -> tuple[Shortened, Shortened]:
    """Both sides, shortened alike; `right` of None stands for `left` itself.

    The length is chosen on pairs of `tried`, if given: rows more alike than most need longer ones to be told apart.
    """
    directions = _directions(left, left if right is None else right, floor, tried)
    one = Shortened(left, _short(left, directions, workers))
    return one, one if right is None else Shortened(right, _short(right, directions, workers))


def _directions(left: Dense, right: Dense, floor: float, tried: Dense | None) -> NDArray[np.float64] | None:
    """Columns to rotate onto, as many as make the join cheapest by a sample; None to leave the rows as they are."""
    width = left.shape[1]
    widths = [each for each in WIDTHS if each < width]
    if not widths or len(left) * len(right) < TURNED**2:
        return None
    long = _some(right, TURNED).astype(np.float64)
    _, columns = linalg.eigh(long.T @ long, subset_by_index=[max(0, width - widths[-1]), width - 1])
    columns = columns[:, ::-1]
    some, others = (_some(side if tried is None else tried, TRIED) for side in (left, right))
    costs = {each: _cost(some, others, columns[:, : each - 1], floor) for each in widths}
    best = min(costs, key=costs.__getitem__)
    return columns[:, : best - 1] if costs[best] < _cost(some, others, None, floor) else None


def _some(rows: Dense, count: int) -> Dense:
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), count)).astype(np.int64)]


def _cost(left: Dense, right: Dense, directions: NDArray[np.float64] | None, floor: float) -> float:
    one, other = _short(left, directions, Here()), _short(right, directions, Here())
    share = np.count_nonzero(one @ other.T > floor) / (len(one) * len(other))
    return float(PAIR + COORDINATE * one.shape[1] + CANDIDATE * share)


def _short(rows: Dense, directions: NDArray[np.float64] | None, workers: Workers) -> Dense:
    if directions is None:
        return rows
    step = max(1, BLOCK // rows.shape[1])
    short = np.empty((len(rows), directions.shape[1] + 1), dtype=np.float32)
    blocks = (rows[at : at + step] for at in range(0, len(rows), step))
    for at, block in enumerate(workers.map(_turned, directions, blocks)):
        short[at * step : at * step + len(block)] = block
    return short


def _turned(directions: NDArray[np.float64], rows: Dense) -> Dense:
    # In float64: the root of a small difference of large squares would lose its digits in float32.
    block = rows.astype(np.float64)
    kept = block @ directions
    rest = np.sqrt(np.maximum(np.vecdot(block, block) - np.vecdot(kept, kept), 0.0))
    return np.column_stack([kept, rest]).astype(np.float32)
