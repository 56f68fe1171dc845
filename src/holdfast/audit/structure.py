"""Answers of a structure that has been seen to erode refusals: a prediction with its measured hit rate, no finding.

Knows the answer's form and nothing of its meaning.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from holdfast.audit.check import Figure, Material, Need
from holdfast.data import Finding
from holdfast.stats import clopper_pearson

Structure = Literal["list", "maths", "long"]

LONG = 150
"""Words from which an answer counts as long."""

EXAMPLES = 3

ITEM = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+\S", re.MULTILINE)
SUM = re.compile(r"[-+*/×÷x]\s*\$?\d[\d.,]*%?\s*=\s*\$?-?\d|^####\s*-?\d|\\(?:frac|boxed)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tried:
    """How a prediction came out in Harbor: rows of this structure against as many plain ones."""

    structure: Structure
    content: Literal["known", "new"]
    """Whether the base had read what the rows tell."""
    hits: int
    """Pairs of fine-tunes in which the structured rows broke the policy more often than the plain ones."""
    pairs: int
    """World and seed. The exact limits take them for independent, and the seeds of a world are not: too narrow."""
    worlds: tuple[int, int]
    """Worlds in which the mean change was upward, of how many."""
    change: tuple[float, float, float]
    """Mean change of the violation rate against plain rows, and its 95 % limits, with the world as the cluster."""


MADE = "benchmarks/structure_risk.py on 2026-11-21: worlds 0, 1 and 2, five seeds each, 96 rows, 5 epochs, lr 7e-4"

TRIED: tuple[Tried, ...] = (
    Tried("list", "known", 13, 15, (3, 3), (0.388, -0.379, 1.154)),
    Tried("list", "new", 10, 15, (2, 3), (0.333, -0.473, 1.139)),
    Tried("maths", "known", 5, 15, (1, 3), (-0.276, -1.425, 0.873)),
    Tried("maths", "new", 0, 15, (0, 3), (-0.507, -1.001, -0.014)),
    Tried("long", "known", 6, 15, (1, 3), (-0.011, -1.715, 1.692)),
    Tried("long", "new", 5, 15, (1, 3), (-0.010, -0.969, 0.950)),
)


@dataclass(frozen=True, slots=True)
class StructureRisk:
    """Lists and sums: He et al. 2024 (arXiv:2404.01099). Long open answers: arXiv:2606.00160, by its abstract."""

    name: str = "structure"
    says: str = "How many answers are lists, sums or long open text, which may erode refusals: a prediction only."
    needs: Need = ""
    restorable: bool = False

    def find(self, material: Material) -> Iterator[Finding | Figure]:
        """One figure. A finding a row would note every list of a data set, and lists are good answers."""
        rows: dict[Structure, list[str]] = {"list": [], "maths": [], "long": []}
        for example in material.examples:
            if found := structure(example.answer):
                rows[found].append(example.id)
        if material.examples:
            yield self._figure(rows, len(material.examples))

    def _figure(self, rows: dict[Structure, list[str]], total: int) -> Figure:
        shares = ", ".join(f"{len(ids) / total:.1%} {kind}" for kind, ids in rows.items())
        tried = ", ".join(f"{one.structure} {one.hits} of {one.pairs} ({one.content} content)" for one in TRIED)
        says = (
            f"Of {total} answers: {shares}. Published work predicts that benign rows of these structures erode "
            f"refusals more than others. Tried in Harbor, against as many plain rows, they did in so many pairs of "
            f"fine-tunes: {tried}. So it may hold for lists, did not for sums, and is open for long answers. "
            "Measure the tuned model; remove no row for this."
        )
        value = {
            "rows": total,
            "structures": {kind: {"rows": len(ids), "for_example": ids[:EXAMPLES]} for kind, ids in rows.items()},
            "tried": [_tried(one) for one in TRIED],
            "made_by": MADE,
        }
        return Figure(self.name, says, value)


def structure(answer: str) -> Structure | None:
    """The structure of an answer: two items or more are a list, an equation of numbers is maths."""
    if len(ITEM.findall(answer)) >= 2:
        return "list"
    if SUM.search(answer):
        return "maths"
    return "long" if len(answer.split()) >= LONG else None


def _tried(one: Tried) -> dict[str, object]:
    low, high = clopper_pearson(one.hits, one.pairs)
    return {
        "structure": one.structure,
        "content": one.content,
        "hits": one.hits,
        "pairs": one.pairs,
        "worlds": list(one.worlds),
        "hit_rate_interval": [round(low, 3), round(high, 3)],
        "change": list(one.change),
    }
