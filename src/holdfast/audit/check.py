"""What a check is, what it is given, and what it gives. Knows none of the checks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import numpy as np

from holdfast.audit.view import TrainingView
from holdfast.data import Dataset, EvalSet, Example, Fault, Finding
from holdfast.judges import Guard
from holdfast.scope import Policy
from holdfast.vectors import NGRAMS, Encoder
from holdfast.workers import Here, Workers

Need = Literal["", "against", "guard", "service", "view"]


AT_ONCE = 4_096
"""Rows that a worker reads at a time."""

Shared = TypeVar("Shared")
Result = TypeVar("Result")


def _silent(done: int, total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """How questions are compared by meaning or spelling."""

    encoder: Encoder = NGRAMS
    threshold: float = 0.9
    """Cosine above which two questions may be the same."""
    floor: float = 0.85
    """Cosine above which pairs are remembered, so that the threshold can be moved without comparing again."""
    approximately: np.random.Generator | None = None
    """Where given, pairs are looked for within cells that it draws, and the share of them that is found is measured."""
    known: Mapping[str, Any] | None = None
    """The figure `nearness` of an earlier audit; where it is of the very same questions, none is compared again."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a check looks at: the rows that the checks before it left, and what they are compared with."""

    examples: tuple[Example, ...]
    faults: tuple[Fault, ...] = ()
    against: tuple[EvalSet, ...] = ()
    policy: Policy | None = None
    nearness: Nearness = field(default_factory=Nearness)
    guard: Guard | None = None
    """A judge that reads whether an answer is safe, beside the rules."""
    guard_rows: int | None = None
    """At most so many rows go to the guard; all, if None."""
    view: TrainingView | None = None
    """A model's tokenizer and chat template, to see what training will see."""
    datasets: tuple[Dataset, ...] = ()
    """The data sets as they were read, whatever went since."""
    service: str = ""
    """The service whose file rules the rows must keep."""
    seed: int = 0
    """Of what a check draws."""
    workers: Workers = field(default_factory=Here)
    tell: Callable[[int, int], None] = _silent
    """Called by long checks with how much is done, and of how much."""

    def spread(self, do: Callable[[Shared, tuple[Example, ...]], Result], shared: Shared) -> Iterator[Result]:
        """`do(shared, some rows)` for all rows, some at a time and in order, wherever the workers are."""
        rows = self.examples
        parts = (rows[first : first + AT_ONCE] for first in range(0, len(rows), AT_ONCE))
        return self.workers.map(do, shared, parts)


@dataclass(frozen=True, slots=True)
class Figure:
    """Something that holds of the whole data set, in numbers."""

    name: str
    says: str
    """One sentence: what it is, with its numbers in it."""
    value: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON; a share carries its interval."""


class Check(Protocol):
    """One thing that can be wrong with a row."""

    @property
    def name(self) -> str:
        """How findings, counts and settings call it."""

    @property
    def says(self) -> str:
        """What it does, in one sentence."""

    @property
    def needs(self) -> Need:
        """The part of the material without which it cannot look; then it is reported as not run, never as zero."""

    @property
    def restorable(self) -> bool:
        """Whether a person may bring back what it removes."""

    def find(self, material: Material) -> Iterator[Finding | Figure]:
        """What is wrong, a finding a row; and figures of the whole."""
