"""The chat template against the rows: what it cannot write, what it writes twice, and rows that write it themselves."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.audit.check import Figure, Material, Need
from holdfast.audit.seen import Seen
from holdfast.data import Example, Finding
from holdfast.models.chat import control_tokens, has_markers

BEFORE, AFTER = 40, 80
"""Characters shown around a marker."""

# A bare <s> is also HTML's strike-through, and `User:` also a word: neither is a sign by itself.
WELL_KNOWN = (
    r"<\|(?:im_start|im_end|im_sep|endoftext|eot_id|eom_id|start_header_id|end_header_id|begin_of_text|end_of_text"
    r"|python_tag|start_of_role|end_of_role|system|user|assistant|end|channel|message|return|start)\|>"
    r"|<｜(?:User|Assistant|begin▁of▁sentence|end▁of▁sentence)｜>"
    r"|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|\[/?AVAILABLE_TOOLS\]|\[TOOL_CALLS\]"
    r"|^[ \t]*###[ ]?(?:Response|Instruction|Human|Assistant):"
)
"""Marks by which chat formats of our days set a turn apart."""


@dataclass(frozen=True, slots=True)
class Markers:
    """Any format's mark in a turn's words is noted: rows about chat formats are legitimate.

    A row goes where the mark is a turn token of the very tokenizer it will be trained with: there it is no text, but
    ends or begins a turn in the middle of one.
    """

    name: str = "markers"
    says: str = "Rows whose words hold the marks of a chat format, as leaks and injected turns do."
    needs: Need = ""
    restorable: bool = True

    def find(self, material: Material) -> Iterator[Finding]:
        """A finding for each such row: the first mark, by whom it is said, and what surrounds it."""
        own = control_tokens(material.view.tokenizer) if material.view else frozenset()
        longest = sorted(own, key=len, reverse=True)
        pattern = re.compile("|".join([*map(re.escape, longest), WELL_KNOWN]), re.MULTILINE)
        for row in material.examples:
            found = [(turn.role, mark) for turn in row.turns for mark in pattern.finditer(turn.content)]
            if found:
                yield self._finding(row.id, found, own)

    def _finding(self, row: str, found: Sequence[tuple[str, re.Match[str]]], own: frozenset[str]) -> Finding:
        role, mark = next((each for each in found if each[1][0] in own), found[0])
        around = mark.string[max(0, mark.start() - BEFORE) : mark.end() + AFTER]
        if mark[0] in own:
            reason = (
                f"The {role}'s words hold {mark[0]!r}, which this tokenizer reads as the end or beginning of a turn: "
                "the row is trained as another conversation than it is written as."
            )
            return Finding(self.name, row, reason, around, verdict="own")
        learned = "the model learns to write it" if role == "assistant" else "it may come from an injected turn"
        reason = f"The {role}'s words hold {mark[0].strip()!r}, the mark of a chat format: {learned}."
        return Finding(self.name, row, reason, around, removes=False, verdict="known")


@dataclass(frozen=True, slots=True)
class Template:
    """A row that the template cannot write goes: `tune` would stop at it. The rest is noted."""

    name: str = "template"
    says: str = "Rows that the chat template cannot write, begins twice, or leaves without an end to learn."
    needs: Need = "view"
    restorable: bool = True

    def find(self, material: Material) -> Iterator[Finding | Figure]:
        """A finding for each such row, and what template and tokenizer write around the rows."""
        view = material.view
        if view is None or not material.examples:
            return
        seen = view.read(material.examples, material.workers, material.tell)
        for row, one in zip(material.examples, seen, strict=True):
            yield from self._findings(row, one, view.max_length)
        yield self._figure(view.tokenizer, seen)

    def _findings(self, row: Example, one: Seen, room: int) -> Iterator[Finding]:
        if one.refused:
            yield Finding(self.name, row.id, one.refused, row.prompt[:160], verdict="refused")
            return
        if one.bos == 2:
            reason = "The row begins with two BOS tokens: the template writes one, and what follows it another."
            yield Finding(self.name, row.id, reason, row.prompt[:160], removes=False, verdict="double-bos")
        if one.learned_uncut and not one.close and one.tokens <= room:
            reason = "What is learned ends without a special token: the model does not learn to stop after it."
            yield Finding(self.name, row.id, reason, row.answer[-160:], removes=False, verdict="no-close")

    def _figure(self, tokenizer: Any, seen: Sequence[Seen]) -> Figure:
        before, after = added(tokenizer)
        again = sum(one.bos > 0 for one in seen) if before[:1] == [tokenizer.bos_token] else 0
        twice = sum(one.bos == 2 for one in seen)
        closes = Counter(one.close for one in seen if one.learned_uncut)
        marked = has_markers(tokenizer)
        ends = ", ".join(f"{close or 'nothing'} ({count})" for close, count in closes.most_common())
        says = " ".join((
            "The template marks what the assistant says, and training learns just that." if marked else
            "The template has no {% generation %} markers. `tune` finds the answers turn by turn and learns the same; "
            "TRL's assistant_only_loss refuses such a template, and its default learns whole rows.",
            f"Answers end with {ends or 'nothing'}; the tokenizer's EOS is {tokenizer.eos_token}.",
            f"{twice} rows begin with two BOS tokens in `tune`." if twice else "No row begins with two BOS in `tune`.",
            *_again(again, len(seen)),
        ))  # fmt: skip
        value = {
            "markers": marked,
            "eos": tokenizer.eos_token,
            "closes": dict(closes),
            "tokenizer_adds": {"before": before, "after": after},
            "double_bos": twice,
            "double_bos_if_tokenized_again": again,
            "refused": sum(bool(one.refused) for one in seen),
        }
        return Figure(self.name, says, value)


def added(tokenizer: Any) -> tuple[list[str], list[str]]:
    """The special tokens that the tokenizer itself sets before and after a text."""
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    full = tokenizer("a")["input_ids"]
    at = next((n for n in range(len(full)) if full[n : n + len(bare)] == bare), 0)
    before, after = full[:at], full[at + len(bare) :]
    return tokenizer.convert_ids_to_tokens(before), tokenizer.convert_ids_to_tokens(after)


def _again(rows: int, of: int) -> Iterator[str]:
    if rows:
        yield (
            f"But {rows} of {of} would in a trainer that writes the rows out as text and then tokenizes it: "
            "template and tokenizer each put a BOS there. Pass add_special_tokens=False."
        )
