"""Rows whose question differs from an earlier one only in what does not change it.

All pairs above a floor are looked at and compared word by word; of those that ask the same a spanning forest is
kept, from which clusters follow at any threshold from the floor on (see `rethreshold`).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from holdfast.audit.check import Figure, Material, Need
from holdfast.audit.clusters import DIGITS, Forest, Growing, standing
from holdfast.audit.near_figure import Tally, figure
from holdfast.audit.rows import Rows, comparable
from holdfast.audit.words import question
from holdfast.data import Example, Finding
from holdfast.judges import is_refusal
from holdfast.vectors import near_pairs

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
        forest, tally = _grown(rows, material)
        yield from near_findings(rows, forest, material.nearness.threshold)
        yield figure(tally.value(rows, material.nearness), rows, forest, material.nearness.threshold)


def _grown(rows: Rows, material: Material) -> tuple[Forest, Tally]:
    nearness, workers = material.nearness, material.workers
    floor = min(nearness.floor, nearness.threshold)
    growing, tally = Growing(len(rows.examples), floor), Tally(floor)
    again = np.flatnonzero(rows.first[rows.group] != np.arange(len(rows.group)))
    growing.add(again, rows.first[rows.group[again]], np.ones(len(again)))
    if len(rows.texts) > 1:
        for pairs in near_pairs(nearness.encoder.encode(rows.texts, workers), floor, workers):
            # Never 1: that is the mark of rows that are equal without an encoder.
            cosine = np.minimum(np.round(pairs.cosine.astype(np.float64), DIGITS), 1 - 10.0**-DIGITS)
            same = rows.questions.same(pairs.left, pairs.right)
            tally.add(pairs.left, pairs.right, cosine, same)
            growing.add(rows.first[pairs.left[same]], rows.first[pairs.right[same]], cosine[same])
    return growing.forest(), tally


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
