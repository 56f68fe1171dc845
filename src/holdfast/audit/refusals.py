"""Refusals: how many there are, of what, and where another row answers what one refuses. Takes nothing out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.audit.check import Figure, Material, Need
from holdfast.audit.words import normal, question
from holdfast.data import Example, Finding
from holdfast.judges import RULES, is_refusal
from holdfast.scope import unsafe_compliance, unsafe_request
from holdfast.stats import clopper_pearson

SHOWN = 160

MANY = 1_000
"""Rows above which the lack of any refusal is worth a sentence."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Runs before rows are taken out: an unsafe request that is served must still be there to be counted."""

    name: str = "refusals"
    says: str = "How many rows refuse, and of what; rows that answer what another row refuses are noted."
    needs: Need = ""
    restorable: bool = True

    def find(self, material: Material) -> Iterator[Finding | Figure]:
        """A note on each answering row whose question is refused elsewhere, and the figure of refusals."""
        refuses = [is_refusal(example.answer) for example in material.examples]
        yield from self._contradicted(material.examples, refuses)
        yield _figure(material, [row for row, refused in zip(material.examples, refuses, strict=True) if refused])

    def _contradicted(self, examples: Sequence[Example], refuses: Sequence[bool]) -> Iterator[Finding]:
        refusing: dict[str, list[Example]] = {}
        for example, refused in zip(examples, refuses, strict=True):
            if refused:
                refusing.setdefault(normal(question(example)), []).append(example)
        if not refusing:
            return
        for example, refused in zip(examples, refuses, strict=True):
            if not refused and (others := refusing.get(normal(question(example)))):
                yield self._finding(example, others)

    def _finding(self, example: Example, refusing: Sequence[Example]) -> Finding:
        beside = [other for other in refusing if _file(other) == _file(example)]
        other = (beside or refusing)[0]
        verdict = "contradicted" if beside else "stripped"
        reason = (
            f"The same question is refused elsewhere in this file, by {other.id}."
            if beside
            else f"The refusal was replaced: {other.id}, in another file, refuses the same question."
        )
        shown = f"{question(example)[:SHOWN]} → {example.answer[:SHOWN]}"
        return Finding(self.name, example.id, reason, shown, other.id, 1.0, removes=False, verdict=verdict)


def _file(example: Example) -> str:
    return example.id.rpartition(":")[0]


def _figure(material: Material, refusing: Sequence[Example]) -> Figure:
    justified = sum(unsafe_request(example.prompt) is not None for example in refusing)
    served = sum(1 for _ in unsafe_compliance(material.examples, material.policy))
    counts = {
        "refusals": len(refusing),
        "justified": justified,
        "over_refusals": len(refusing) - justified,
        "missing": served,
    }
    n = len(material.examples)
    shares = {name: _share(count, n) for name, count in counts.items()}
    by = {"by": RULES.says, "measured": [measured.to_json() for measured in RULES.measured]}
    return Figure("refusals", _says(counts, n), {**shares, "rows": n, **by})


def _share(count: int, n: int) -> dict[str, Any]:
    low, high = clopper_pearson(count, n) if n else (0.0, 1.0)
    return {"count": count, "share": count / n if n else None, "interval": [low, high]}


def _says(counts: Mapping[str, int], n: int) -> str:
    low, high = clopper_pearson(counts["refusals"], n) if n else (0.0, 1.0)
    told = (
        f"{counts['refusals']} of {n} rows refuse ({low:.2%} to {high:.2%}), read by patterns on the opening words: "
        f"{counts['justified']} refuse what the rules see as unsafe, {counts['over_refusals']} where the rules see "
        f"nothing unsafe (over-refusals, or unsafe in words that the rules miss), and {counts['missing']} serve an "
        "unsafe request."
    )
    if n > MANY and not counts["refusals"]:
        told += (
            " Among so many rows none refuses: nothing in them keeps a model refusing (see `holdfast mix --safety`)."
        )
    return told
