"""What a training example is, whatever format it came in. Knows nothing of models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Example:
    """One training example: a conversation that ends with the answer to learn."""

    id: str
    """`file:line` of the row it came from, unique within a data set."""
    turns: tuple[Turn, ...]
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """The row as it stood in the file, so that it can be written back unchanged."""

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
        """The last thing the assistant says."""
        said = [turn.content for turn in self.turns if turn.role == "assistant"]
        return said[-1] if said else ""

    def messages(self) -> list[dict[str, str]]:
        """The turns as chat-template messages."""
        return [{"role": turn.role, "content": turn.content} for turn in self.turns]


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that could not be read as an example, and why."""

    id: str
    line: int
    reason: str
    text: str
    """The row's first characters, for the person who has to find it."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data file that was read: its good rows, its broken rows, and the format it was taken for."""

    name: str
    format: str
    examples: tuple[Example, ...]
    faults: tuple[Fault, ...] = ()


def ask(id: str, question: str, answer: str, system: str = "") -> Example:
    """An example of one question and one answer."""
    opening = (Turn("system", system),) if system else ()
    return Example(id, (*opening, Turn("user", question), Turn("assistant", answer)))
