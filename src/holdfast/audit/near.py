"""Rows whose question differs from an earlier one only in what does not change it.

All pairs above a floor are looked at and compared word by word; of those that ask the same a spanning forest is
kept, from which clusters follow at any threshold from the floor on (see `rethreshold`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.audit.check import Figure, Material, Nearness, Need
from holdfast.audit.clusters import DIGITS, Forest, Growing, standing
from holdfast.audit.near_figure import Tally, figure
from holdfast.audit.rows import Rows, comparable, forest_of
from holdfast.audit.words import question
from holdfast.data import Example, Finding
from holdfast.errors import ConfigError
from holdfast.judges import is_refusal
from holdfast.vectors import Pairs, Recall, near_pairs, near_pairs_approximately
from holdfast.workers import Workers

NAME = "near-duplicate"
SHOWN = 160


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """The first row stays. Nearness alone removes nothing: every place of the two questions is compared."""

    name: str = NAME
    says: str = "Rows whose question repeats an earlier one up to politeness, articles, endings and misspellings."
    needs: Need = ""
    restorable: bool = True

    def find(self, material: Material) -> Iterator[Finding | Figure]:
        """A finding for each row near an earlier one that stays, and the figure `nearness`."""
        rows = comparable(material.examples)
        forest, seen = _grown(rows, material)
        yield from near_findings(rows, forest, material.nearness.threshold)
        yield figure(seen, rows, forest, material.nearness.threshold)


def _grown(rows: Rows, material: Material) -> tuple[Forest, Mapping[str, Any]]:
    """The links between the rows, and what holds at any threshold; from an earlier audit if it was of the same rows."""
    nearness = material.nearness
    floor = min(nearness.floor, nearness.threshold)
    known, these = nearness.known, {"of": rows.digest, "floor": floor, "encoder": nearness.encoder.name}
    if known and these.items() <= known.items():
        return forest_of(rows, known["links"], floor), known
    growing, tally = Growing(len(rows.examples), floor), Tally(floor)
    again = np.flatnonzero(rows.first[rows.group] != np.arange(len(rows.group)))
    growing.add(again, rows.first[rows.group[again]], np.ones(len(again)))
    recall: Recall | None = None
    if len(rows.texts) > 1:
        blocks, recall = _near(rows.texts, nearness, floor, material.workers)
        for pairs in blocks:
            # Never 1: that is the mark of rows that are equal without an encoder.
            cosine = np.minimum(np.round(pairs.cosine.astype(np.float64), DIGITS), 1 - 10.0**-DIGITS)
            same = rows.asks_same(pairs.left, pairs.right)
            tally.add(pairs.left, pairs.right, cosine, same)
            growing.add(rows.first[pairs.left[same]], rows.first[pairs.right[same]], cosine[same])
    return growing.forest(), tally.value(rows, nearness, recall)


def _near(
    texts: Sequence[str], nearness: Nearness, floor: float, workers: Workers
) -> tuple[Iterator[Pairs], Recall | None]:
    """The near pairs: all of them, or most of them with the measured share."""
    vectors = nearness.encoder.encode(texts, workers)
    if nearness.approximately is None:
        return near_pairs(vectors, floor, workers), None
    if not isinstance(vectors, np.ndarray):
        raise ConfigError(
            f"The encoder {nearness.encoder.name!r} has no approximate search.", "Its rows are sparse.",
            "Leave out --approximate, or add --encoder wordllama.",
        )  # fmt: skip
    return near_pairs_approximately(vectors, floor, workers, nearness.approximately)


def near_findings(rows: Rows, forest: Forest, threshold: float) -> Iterator[Finding]:
    """A finding for each row in whose place another one stays, in the rows' order."""
    stays = standing(forest.clusters(threshold), rows.same)
    going = np.flatnonzero(stays != np.arange(len(stays)))
    size = Counter(stays.tolist())
    weakest = forest.weakest(threshold, sorted(set(stays[going].tolist())))
    for row in going.tolist():
        kept = int(stays[row])
        alike = rows.group[row] == rows.group[kept]
        yield _finding(rows.examples[row], rows.examples[kept], (weakest[kept, row], size[kept]), bool(alike))


def _finding(row: Example, kept: Example, how: tuple[float, int], equal: bool) -> Finding:
    only_refusal = is_refusal(row.answer) and not is_refusal(kept.answer)
    what = "this one refuses it and stays" if only_refusal else f"of {how[1]} like it the first stays"
    return Finding(
        NAME,
        row.id,
        f"Nearly the same question as an earlier row; {what}.",
        f"{question(row)[:SHOWN]} ≈ {question(kept)[:SHOWN]}",
        kept.id,
        round(how[0], 4),
        removes=not only_refusal,
        verdict="equal" if equal else "near",
    )
