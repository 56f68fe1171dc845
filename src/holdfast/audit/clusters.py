"""Clusters of near pairs at any threshold, from no more links than there are rows.

A maximum spanning forest of all pairs has the same connected components, at every threshold, as the pairs
themselves (the cycle property; e.g. Gower and Ross 1969, "Minimum spanning trees and single linkage cluster
analysis"). So pairs may come in blocks, and what is kept of them never exceeds the number of rows.
Knows nothing of texts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

DIGITS = 6
"""Decimals of a cosine that count: what is written down decides as what was computed."""

HELD = 1 << 20
"""Pairs that wait until the forest is grown."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Forest:
    """The strongest links between rows, at most one fewer than there are rows; a cosine of 1 always links."""

    rows: int
    left: Ints
    right: Ints
    cosine: Floats
    floor: float
    """Cosine above which pairs were looked at: below it nothing is known."""

    def clusters(self, threshold: float) -> Ints:
        """For each row, the first row of its cluster; exact for every threshold from `floor` on."""
        above = self._above(threshold)
        ends = (self.left[above], self.right[above])
        links = sparse.coo_array((np.ones(len(ends[0]), np.int8), ends), shape=(self.rows, self.rows))
        _, label = csgraph.connected_components(links, directed=False)
        _, first, back = np.unique(label, return_index=True, return_inverse=True)
        return np.asarray(first[back], dtype=np.int64)

    def weakest(self, threshold: float, ends: Sequence[int]) -> dict[tuple[int, int], float]:
        """For each of `ends`, and each row of its cluster: the lowest cosine on the way between the two.

        Above that cosine, and only above it, a threshold separates them.
        """
        above = self._above(threshold)
        beside: dict[int, list[tuple[int, float]]] = {}
        links = zip(self.left[above].tolist(), self.right[above].tolist(), self.cosine[above].tolist(), strict=True)
        for left, right, cosine in links:
            beside.setdefault(left, []).append((right, cosine))
            beside.setdefault(right, []).append((left, cosine))
        return {(end, row): score for end in ends for row, score in _walk(end, beside)}

    def _above(self, threshold: float) -> NDArray[np.bool_]:
        return (self.cosine > threshold) | (self.cosine >= 1.0)


def _walk(start: int, beside: dict[int, list[tuple[int, float]]]) -> Iterator[tuple[int, float]]:
    seen, ahead = {start}, [(start, 1.0)]
    while ahead:
        row, score = ahead.pop()
        yield row, score
        for other, cosine in beside.get(row, ()):
            if other not in seen:
                seen.add(other)
                ahead.append((other, min(score, cosine)))


class Growing:
    """A forest that takes pairs as they come."""

    def __init__(self, rows: int, floor: float) -> None:
        self.rows, self.floor = rows, floor
        self._links: list[tuple[Ints, Ints, Floats]] = []
        self._waiting = 0

    def add(self, left: Ints, right: Ints, cosine: Floats) -> None:
        """Take some pairs; memory stays within `HELD`, the rows and one call's pairs."""
        self._links.append((left, right, cosine))
        self._waiting += len(left)
        if self._waiting > HELD:
            self._links, self._waiting = [self._spanned()], 0

    def forest(self) -> Forest:
        """The forest of all pairs so far; the same whatever the order and the blocks in which they came."""
        return Forest(self.rows, *self._spanned(), self.floor)

    def _spanned(self) -> tuple[Ints, Ints, Floats]:
        parts = self._links or [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
        ends = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        late, early, cosine = np.maximum(*ends), np.minimum(*ends), np.concatenate([part[2] for part in parts])
        order = np.lexsort((late, early, -cosine))
        late, early, cosine = late[order], early[order], cosine[order]
        # Scipy adds up what stands twice at one place: only a pair's strongest link may stay.
        _, first = np.unique(early * self.rows + late, return_index=True)
        first.sort()
        # Ranks instead of distances: without ties one forest alone is possible, and scipy takes a zero for no link.
        ranks = np.arange(1.0, len(first) + 1)
        graph = sparse.coo_array((ranks, (early[first], late[first])), shape=(self.rows, self.rows))
        tree = csgraph.minimum_spanning_tree(graph.tocsr())
        kept = first[np.sort(tree.data).astype(np.int64) - 1]
        return late[kept], early[kept], cosine[kept]


def standing(cluster: Ints, same: Callable[[Ints, Ints], NDArray[np.bool_]]) -> Ints:
    """For each row, the row that stays in its place: itself, or the first of its cluster that asks the same.

    A row that a chain of likenesses ties to a cluster, while none of the rows that stay there asks the same
    (compared directly), stays as well; later rows are then compared with it too.

    Args:
        cluster: for each row, the first row of its cluster.
        same: whether rows ask the same, for arrays of pairs.
    """
    stays = np.arange(len(cluster))
    open_ = np.flatnonzero(np.bincount(cluster, minlength=len(cluster))[cluster] > 1)
    while len(open_):
        _, at, back = np.unique(cluster[open_], return_index=True, return_inverse=True)
        first = open_[at][back]
        alike = (open_ == first) | same(open_, first)
        stays[open_[alike]] = first[alike]
        open_ = open_[~alike]
    return stays
