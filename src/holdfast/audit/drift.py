"""Whether the model will be asked as it was trained: the rendering of its prompts, and its system prompt."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from holdfast.audit.check import Figure, Material, Need
from holdfast.data import Finding
from holdfast.errors import ModelError
from holdfast.models.chat import render_text, special_tokens, template_of

TOP = 5
SHOWN = 120

DATE = re.compile(r"\b(?:\d{4}-\d{2}-\d{2}|\d{1,2} [A-Z][a-z]{2,8} \d{4})\b")
MARK = re.compile(r"<\|[^|<>]*\|>")
ROLES = frozenset({"system", "user", "developer", "assistant", "human"})
QUESTION = "Holdfastquestion"
"""A word that no template holds: what stands before it is the template's own."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Notes only: the template is at fault and the row is not."""

    name: str = "drift"
    says: str = "Rows whose prompt is trained on other tokens than the tuned model will be asked with."
    needs: Need = "view"
    restorable: bool = False

    def find(self, material: Material) -> Iterator[Finding | Figure]:
        """A note for each such row with the first tokens that differ; and what the template says by itself."""
        view = material.view
        if view is None or not material.examples:
            return
        seen = view.read(material.examples, material.workers, material.tell)
        for row, one in zip(material.examples, seen, strict=True):
            if one.drift:
                reason = (
                    "The prompt as a server renders it does not begin the row as it is trained: this holds for any "
                    "trainer that uses the template, `tune` as well."
                )
                yield Finding(self.name, row.id, reason, one.drift, removes=False)
        alone = sum(not row.system for row in material.examples)
        yield self._figure(view.tokenizer, sum(bool(one.drift) for one in seen), len(seen), alone)

    def _figure(self, tokenizer: Any, differ: int, rows: int, alone: int) -> Figure:
        default = own_system(tokenizer)
        dated = bool(DATE.search(default)) or "strftime_now" in template_of(tokenizer)
        says = f"In {differ} of {rows} rows the prompt is trained on other tokens than a server would ask with."
        if default:
            says += (
                f" Where a row has no system prompt ({alone} rows), the template writes its own: {default[:SHOWN]!r}. "
                "The model is trained under it; serve it with the same."
            )
        if dated:
            says += " The template writes a date: rows are trained on one day and the model is asked on another."
        value = {"rows": rows, "differ": differ, "without_system": alone, "template_system": default, "dated": dated}
        return Figure(self.name, says, value)


@dataclass(frozen=True, slots=True)
class SystemPrompts:
    """Notes only: which of the two is right, the rows' system prompt or the one to come, is a person's to say."""

    name: str = "system-prompt"
    says: str = "Rows trained under another system prompt than the tuned model will be served with."
    needs: Need = ""
    restorable: bool = False

    def find(self, material: Material) -> Iterator[Finding | Figure]:
        """A note for each row whose system prompt is not the served one, where that is known; and the commonest."""
        if not material.examples:
            return
        serving = material.view.serving if material.view else None
        for row in material.examples:
            if serving is not None and row.system.strip() != serving.strip():
                reason = f"The row is trained {_under(row.system)}, and the model will be served {_under(serving)}."
                yield Finding(self.name, row.id, reason, row.system[:SHOWN], removes=False)
        yield self._figure(Counter(row.system for row in material.examples), serving)

    def _figure(self, systems: Counter[str], serving: str | None) -> Figure:
        rows, without = systems.total(), systems[""]
        distinct = len(systems) - (without > 0)
        top = [(text, count) for text, count in systems.most_common(TOP + 1) if text][:TOP]
        says = f"{rows - without} of {rows} rows have a system prompt, {distinct} different ones."
        if top:
            says += f" The commonest stands in {top[0][1]}: {top[0][0][:SHOWN]!r}."
        if serving is not None:
            same = sum(count for text, count in systems.items() if text.strip() == serving.strip())
            says += f" {same} are trained {_under(serving)}, as the model will be served."
        value = {
            "rows": rows,
            "without": without,
            "distinct": distinct,
            "top": [{"system": text[:SHOWN], "rows": count} for text, count in top],
            "serving": serving,
        }
        return Figure(self.name, says, value)


def own_system(tokenizer: Any) -> str:
    """What the template says before a lone question, beyond its marks: a system prompt that nobody gave."""
    try:
        text = render_text(tokenizer, [{"role": "user", "content": QUESTION}])
    except ModelError:
        return ""
    said = text.partition(QUESTION)[0]
    for mark in sorted(special_tokens(tokenizer).values(), key=len, reverse=True):
        said = said.replace(mark, "\n")
    lines = (line.strip() for line in MARK.sub("\n", said).splitlines())
    said = " ".join(line for line in lines if line.lower() not in ROLES)
    said = " ".join(said.split())
    return said if len(re.findall(r"\w{2,}", said)) >= 3 else ""


def _under(system: str) -> str:
    return f"under {system.strip()[:SHOWN]!r}" if system.strip() else "without a system prompt"
