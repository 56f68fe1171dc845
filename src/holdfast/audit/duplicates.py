"""Rows whose question was asked before, word for word."""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.audit.check import Material, Need
from holdfast.audit.words import normal, question
from holdfast.data import Example, Finding
from holdfast.judges import is_refusal

SHOWN = 160


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The first row stays. A refusal is not given up for a row that answers the same question."""

    name: str = "duplicate"
    says: str = "Rows that repeat an earlier question word for word; another answer to it is noted."
    needs: Need = ""
    restorable: bool = True

    def find(self, material: Material) -> Iterator[Finding]:
        """A finding for each row after the first with its question (and system prompt)."""
        first: dict[str, Example] = {}
        for example in material.examples:
            asked = question(example)
            kept = first.setdefault(normal(asked), example)
            if kept is not example:
                yield self._finding(example, kept, asked)

    def _finding(self, example: Example, kept: Example, asked: str) -> Finding:
        if normal(example.answer) == normal(kept.answer):
            reason = "The same question and answer as an earlier row."
            return Finding(self.name, example.id, reason, asked[:SHOWN], kept.id, 1.0, verdict="same")
        only_refusal = is_refusal(example.answer) and not is_refusal(kept.answer)
        what = "This row refuses it and stays" if only_refusal else "The first answer stays"
        return Finding(
            self.name,
            example.id,
            f"The same question as an earlier row with another answer: a contradiction. {what}.",
            f"{asked[:SHOWN]} → {example.answer[:SHOWN]}",
            kept.id,
            1.0,
            removes=not only_refusal,
            verdict="contradiction",
        )
