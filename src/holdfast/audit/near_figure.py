"""What the near-duplicate check saw, in numbers: for a page, and for a later look with another threshold."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from holdfast.audit.check import Figure, Nearness
from holdfast.audit.clusters import Flags, Floats, Forest, Ints, standing
from holdfast.audit.rows import Rows
from holdfast.audit.words import question
from holdfast.vectors import Recall

NAME = "nearness"
BINS = 15
SHOWN = 160
PAIRS = 20
"""Pairs shown of each kind."""

WAITING = 400
"""Pairs from which the shown ones are chosen, so that each row is shown once."""


class Tally:
    """Counts of pairs by cosine, and the nearest of those that do not ask the same; in constant memory."""

    def __init__(self, floor: float) -> None:
        self.edges = np.linspace(floor, 1.0, BINS + 1)
        self.counts = {True: np.zeros(BINS, np.int64), False: np.zeros(BINS, np.int64)}
        self._apart: list[tuple[float, int, int]] = []

    def add(self, left: Ints, right: Ints, cosine: Floats, same: Flags) -> None:
        """Count some pairs of groups."""
        for kind in (True, False):
            self.counts[kind] += np.histogram(cosine[same == kind], self.edges)[0]
        least = -self._apart[-1][0] if len(self._apart) == WAITING else 0.0
        found = np.flatnonzero(~same & (cosine > least))
        found = found[np.lexsort((right[found], left[found], -cosine[found]))[:WAITING]]
        apart = zip((-cosine[found]).tolist(), left[found].tolist(), right[found].tolist(), strict=True)
        self._apart = sorted([*self._apart, *apart])[:WAITING]

    def value(self, rows: Rows, nearness: Nearness, recall: Recall | None) -> dict[str, Any]:
        """All that holds whatever the threshold, but for the links."""
        return {
            "of": rows.digest,
            "recall": asdict(recall) | ({} if recall.rows else {"share": None}) if recall else None,
            "encoder": nearness.encoder.name,
            "origin": nearness.encoder.origin,
            "floor": float(self.edges[0]),
            "questions": len(rows.texts),
            "pairs": {"same": int(self.counts[True].sum()), "apart": int(self.counts[False].sum())},
            "histogram": {
                "edges": [round(float(edge), 6) for edge in self.edges],
                "same": self.counts[True].tolist(),
                "apart": self.counts[False].tolist(),
            },
            "apart": [
                _pair(rows, int(rows.first[late]), int(rows.first[early]), -cosine)
                | {"because": rows.difference(early, late)}
                for cosine, late, early in self._shown()
            ],
        }

    def _shown(self) -> Iterator[tuple[float, int, int]]:
        seen: set[int] = set()
        for pair in self._apart:
            if len(seen) < 2 * PAIRS and seen.isdisjoint(pair[1:]):
                seen.update(pair[1:])
                yield pair


def figure(seen: Mapping[str, Any], rows: Rows, forest: Forest, threshold: float) -> Figure:
    """The figure at one threshold.

    Args:
        seen: what holds at every threshold: `Tally.value`, or an earlier figure's value.
        rows: the rows compared.
        forest: their links.
        threshold: cosine, exclusive.
    """
    cluster = forest.clusters(threshold)
    stays = standing(cluster, rows.same)
    gone = int((stays != np.arange(len(stays))).sum())
    drifted = np.flatnonzero((stays == np.arange(len(stays))) & (cluster != stays))
    links = zip(forest.left.tolist(), forest.right.tolist(), forest.cosine.tolist(), strict=True)
    total, same = seen["pairs"]["same"] + seen["pairs"]["apart"], seen["pairs"]["same"]
    says = (
        f"By {seen['encoder']}, {total:,} pairs of {seen['questions']:,} different questions lie above "
        f"{seen['floor']:g} ({_found(seen['recall'])}), and {same:,} of them ask the same, word by word. With the "
        f"questions that differ in politeness and articles only, {gone:,} rows repeat an earlier one at {threshold:g}."
    )
    value = dict(seen) | {
        "threshold": threshold,
        "borderline": list(_borderline(rows, forest, threshold)),
        "chained": [_chained(rows, int(row), int(cluster[row])) for row in drifted[:PAIRS]],
        "clusters": _sizes(rows, stays),
        "links": [[rows.examples[left].id, rows.examples[right].id, cosine] for left, right, cosine in links],
    }
    return Figure(NAME, says, value)


def _found(recall: Mapping[str, Any] | None) -> str:
    """Which of the near pairs these are."""
    if recall is None:
        return "all"
    if recall["share"] is None:
        return "no sampled row has one, so the share that is found was not measured"
    return f"{recall['share']:.1%} of all, measured on {recall['rows']} rows"


def _borderline(rows: Rows, forest: Forest, threshold: float) -> Iterator[dict[str, Any]]:
    """Of the links, those nearest to the threshold from above and from below."""
    far = np.abs(forest.cosine - threshold)
    for side in (forest.cosine > threshold, forest.cosine <= threshold):
        chosen = np.flatnonzero(side & (forest.cosine < 1.0))
        for at in chosen[np.argsort(far[chosen], kind="stable")][: PAIRS // 2]:
            yield _pair(rows, int(forest.left[at]), int(forest.right[at]), float(forest.cosine[at]))


def _chained(rows: Rows, row: int, first: int) -> dict[str, Any]:
    pair = {"row": rows.examples[row].id, "other": rows.examples[first].id, "texts": _texts(rows, row, first)}
    return pair | {"because": rows.difference(int(rows.group[first]), int(rows.group[row]))}


def _pair(rows: Rows, row: int, other: int, cosine: float) -> dict[str, Any]:
    ids = {"row": rows.examples[row].id, "other": rows.examples[other].id}
    return ids | {"cosine": cosine, "texts": _texts(rows, row, other)}


def _texts(rows: Rows, row: int, other: int) -> list[str]:
    return [question(rows.examples[at])[:SHOWN] for at in (row, other)]


def _sizes(rows: Rows, stays: Ints) -> dict[str, Any]:
    sizes = Counter(stays.tolist())
    largest = sorted((first for first, size in sizes.items() if size > 1), key=lambda first: (-sizes[first], first))
    return {
        "sizes": {str(size): count for size, count in sorted(Counter(sizes.values()).items()) if size > 1},
        "largest": [
            {
                "first": rows.examples[first].id,
                "rows": sizes[first],
                "others": [rows.examples[row].id for row in np.flatnonzero(stays == first)[1:4].tolist()],
                "text": question(rows.examples[first])[:SHOWN],
            }
            for first in largest[:10]
        ],
    }
