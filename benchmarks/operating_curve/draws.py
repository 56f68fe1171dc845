"""Samples of a model's questions, and what of a sample decides a verdict. Knows no gate.

A sample is drawn with replacement: the population stands for what users may ask, so that every draw is one more user's
question, its truth is the population's own change, and no correction for a finite list is due to anybody.

What a gate can see of a sample is how many of its units changed in which way, so a sample is kept as those counts, and
a gate is asked once for each count that occurs.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from benchmarks.operating_curve.population import Bits
from numpy.typing import NDArray

Counts = NDArray[np.int32]
Kind = Literal["prompts", "facts"]

KINDS: dict[Kind, tuple[tuple[tuple[int, int], ...], ...]] = {
    "prompts": (((1, 1),), ((0, 1),), ((1, 0),), ((0, 0),)),
    "facts": (
        ((0, 1), (0, 1)),
        ((0, 1), (0, 0)),
        ((0, 1), (1, 0)),
        ((0, 0), (0, 0)),
        ((1, 0), (0, 0)),
        ((1, 0), (1, 0)),
    ),
}
"""The sorts of unit that a sample counts: the (before, after) of each of its prompts. Of two wordings of one fact only
what changed is told, since a limit on clusters uses no more.
"""


@dataclass(frozen=True)
class Pair:
    """Two models on every question of their world."""

    id: str
    world: int
    before: Bits
    after: Bits

    @property
    def change(self) -> float:
        """The true worsening."""
        return float(self.after.mean() - self.before.mean())


@dataclass(frozen=True)
class Design:
    """How a sample is drawn."""

    name: str
    kind: Kind
    prompts: int
    family: Literal["base", "release"] = "base"
    """Whether the model before is the base, or another tuned model."""

    @property
    def units(self) -> int:
        """Independent draws: prompts, or facts of two wordings."""
        return self.prompts // len(KINDS[self.kind][0])


DESIGNS = (
    Design("50 prompts", "prompts", 50),
    Design("100 prompts", "prompts", 100),
    Design("320 prompts", "prompts", 320),
    Design("1000 prompts", "prompts", 1000),
    Design("160 facts in 2 wordings", "facts", 320),
    Design("320 prompts, two tuned models", "prompts", 320, "release"),
)


def draw(pair: Pair, design: Design, repeats: int, seed: int = 0) -> Counts:
    """The counts of `repeats` samples, shape (repeats, sorts); the generator hangs on pair, design and seed alone."""
    rng = np.random.default_rng([int(pair.id, 16), design.prompts, *design.name.encode(), seed])
    if design.kind == "prompts":
        shares = sort_shares(pair)
        return rng.multinomial(design.units, shares, repeats).astype(np.int32)
    change = pair.after.astype(np.int8) - pair.before.astype(np.int8)
    facts, half = change.shape[0], change.shape[1] // 2
    asked = rng.integers(facts, size=(repeats, design.units))
    first = change[asked, rng.integers(half, size=asked.shape)]
    second = change[asked, half + rng.integers(half, size=asked.shape)]
    sort = _SORT[first + 1, second + 1]
    return np.stack([(sort == number).sum(1) for number in range(len(KINDS["facts"]))], 1).astype(np.int32)


_SORT = np.array([[5, 4, 2], [4, 3, 1], [2, 1, 0]])
"""The sort of a fact by the changes of its two wordings, each -1, 0 or 1, plus one."""


def sort_shares(pair: Pair) -> NDArray[np.float64]:
    """The shares of a pair's questions that are bad on both sides, newly bad, newly good, and good on both."""
    old, new = pair.before, pair.after
    return np.array([(old & new).mean(), (~old & new).mean(), (old & ~new).mean(), (~old & ~new).mean()])


def rows(counts: tuple[int, ...], kind: Kind) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """A sample with these counts: badness before, after, and the number of the unit, one entry a prompt."""
    units = [unit for unit, count in zip(KINDS[kind], counts, strict=True) for _ in range(count)]
    flat = np.array(units, dtype=np.float64)
    unit = np.repeat(np.arange(len(units)), flat.shape[1])
    return flat[:, :, 0].ravel(), flat[:, :, 1].ravel(), unit
