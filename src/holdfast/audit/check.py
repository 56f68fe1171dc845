"""What a check is, and what it is given. Knows none of the checks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from holdfast.data import EvalSet, Example, Fault, Finding
from holdfast.scope import Policy


@dataclass(frozen=True, slots=True)
class Material:
    """What a check looks at: the rows that the checks before it left, and what they are compared with."""

    examples: tuple[Example, ...]
    faults: tuple[Fault, ...] = ()
    against: tuple[EvalSet, ...] = ()
    policy: Policy | None = None


class Check(Protocol):
    """One thing that can be wrong with a row."""

    @property
    def name(self) -> str:
        """How findings, counts and settings call it."""

    @property
    def says(self) -> str:
        """What it does, in one sentence."""

    def find(self, material: Material) -> Iterator[Finding]:
        """What is wrong, a finding a row."""
