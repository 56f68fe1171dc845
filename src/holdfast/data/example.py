"""What a training example is, whatever format it came in. Knows nothing of models."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]

NOTHING: Mapping[str, Any] = {}
SHOWN = 200
"""Characters of a broken row that a person is shown."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Role
    content: str
    """Empty for an assistant's message that only calls tools."""
    # One shared empty mapping: a million rows would hold millions of them.
    more: Mapping[str, Any] = field(default_factory=lambda: NOTHING, hash=False)
    """What else the message carries, as it stood: `tool_calls`, `name`, `tool_call_id`, `weight`, …"""


@dataclass(frozen=True, slots=True)
class Example:
    """One training example: a conversation that ends with the answer to learn."""

    id: str
    """`file:line` of the row it came from, unique within a data set."""
    turns: tuple[Turn, ...]
    text: str = field(default="", compare=False, repr=False)
    """The row's JSON exactly as it stood in its file; of a table, the row as JSON; empty if it came from no file."""
    tools: tuple[Any, ...] = field(default=(), hash=False)
    """The tools that the conversation may call, as they stood."""

    @property
    def row(self) -> dict[str, Any]:
        """The row's fields, parsed anew at each call; none if it came from no file."""
        return dict(json.loads(self.text)) if self.text else {}

    @property
    def system(self) -> str:
        """The system prompt, or nothing."""
        return "\n".join(turn.content for turn in self.turns if turn.role == "system")

    @property
    def prompt(self) -> str:
        """Everything the user says, in order."""
        return "\n".join(turn.content for turn in self.turns if turn.role == "user")

    @property
    def answer(self) -> str:
        """The last thing the assistant says; a message that only calls tools says nothing."""
        said = [turn.content for turn in self.turns if turn.role == "assistant" and turn.content]
        return said[-1] if said else ""

    def messages(self) -> list[dict[str, Any]]:
        """The turns as chat-template messages."""
        return [{"role": turn.role, "content": turn.content, **turn.more} for turn in self.turns]


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that could not be read as an example, and why."""

    id: str
    line: int
    reason: str
    text: str
    """The row exactly as it stood. Bytes that are not UTF-8 are lone surrogates, as `surrogateescape` makes them."""

    @property
    def shown(self) -> str:
        """The row's first characters, for the person who has to find it: at most 200, always valid Unicode."""
        return self.text[: 2 * SHOWN].strip()[:SHOWN].encode("utf-8", errors="replace").decode()


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data file that was read: its good rows, its broken rows, and the format it was taken for."""

    name: str
    format: str
    """Of its rows, for example `alpaca`, or `alpaca + messages`."""
    examples: tuple[Example, ...]
    faults: tuple[Fault, ...] = ()
    container: str = "JSONL"
    """Of its file, for example `JSONL`, `JSON list`, `CSV`, `Parquet`, or `JSONL, gzip`."""
    unit: str = "line"
    """What the numbers in its ids count: `line` or `row`."""


def ask(id: str, question: str, answer: str, system: str = "") -> Example:
    """An example of one question and one answer."""
    opening = (Turn("system", system),) if system else ()
    return Example(id, (*opening, Turn("user", question), Turn("assistant", answer)))
