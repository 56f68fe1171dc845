"""Rows whose question was asked before, word for word."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.audit.check import Material, Need
from holdfast.audit.words import normal, question
from holdfast.data import Example, Finding

SHOWN = 160


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The first row stays. Another answer to the same question is a person's to weigh: it is noted, and stays."""

    name: str = "duplicate"
    says: str = "Rows that repeat an earlier question and its answer word for word; another answer to it is noted."
    needs: Need = ""
    restorable: bool = True

    def find(self, material: Material) -> Iterator[Finding]:
        """A finding for each row after the first with its question (and system prompt)."""
        first: dict[str, dict[str, Example]] = {}
        for example in material.examples:
            asked = question(example)
            answers = first.setdefault(normal(asked), {})
            kept = answers.setdefault(_answered(example), example)
            if kept is not example:
                reason = "The same question and answer as an earlier row."
                yield Finding(self.name, example.id, reason, asked[:SHOWN], kept.id, 1.0, verdict="same")
            elif len(answers) > 1:
                yield self._noted(example, next(iter(answers.values())), asked)

    def _noted(self, example: Example, kept: Example, asked: str) -> Finding:
        reason = "The same question as an earlier row with another answer: a contradiction, or a choice. Both stay."
        evidence = f"{asked[:SHOWN]} → {example.answer[:SHOWN]}"
        return Finding(self.name, example.id, reason, evidence, kept.id, 1.0, removes=False, verdict="another answer")


def _answered(example: Example) -> str:
    """The answer, and whatever else its last message carries: two tool calls are two answers."""
    more = example.turns[-1].more
    return f"{normal(example.answer)}\n{json.dumps(dict(more), default=str)}" if more else normal(example.answer)
