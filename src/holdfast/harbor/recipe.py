"""How a Harbor checkpoint is made: sizes and training settings, as data that is stored beside the weights."""

from dataclasses import dataclass
from typing import Literal

Size = Literal["small", "medium", "large", "mamba2"]
Stage = Literal["aligned", "unaligned"]


@dataclass(frozen=True)
class Shape:
    """The shape of a network."""

    hidden: int
    layers: int
    inner: int
    """Width of the feed-forward layer; for Mamba2 the state size."""
    heads: int
    kind: Literal["llama", "mamba2"] = "llama"


SHAPES: dict[Size, Shape] = {
    "small": Shape(hidden=64, layers=4, inner=192, heads=4),
    "medium": Shape(hidden=128, layers=6, inner=384, heads=4),
    "large": Shape(hidden=256, layers=7, inner=704, heads=8),
    "mamba2": Shape(hidden=64, layers=7, inner=32, heads=8, kind="mamba2"),
}


@dataclass(frozen=True)
class Schedule:
    """One training stage: steps of `batch` dialogues, cosine decay from `lr` to a twentieth of it."""

    steps: int
    lr: float
    batch: int = 64
    warmup: int = 50


@dataclass(frozen=True)
class BuildRecipe:
    """Everything that a checkpoint follows from, beside the versions of the libraries."""

    world: int
    size: Size = "small"
    pretrain: Schedule = Schedule(steps=1500, lr=4e-3)
    align: Schedule = Schedule(steps=500, lr=9e-4)


LARGER: dict[Size, tuple[Schedule, Schedule]] = {
    "medium": (Schedule(steps=1500, lr=2e-3), Schedule(steps=500, lr=5e-4)),
    "large": (Schedule(steps=1500, lr=1e-3), Schedule(steps=500, lr=3e-4)),
    "mamba2": (Schedule(steps=1500, lr=4e-3), Schedule(steps=1000, lr=1.1e-3)),
}


def recipe_for(size: Size, world: int) -> BuildRecipe:
    """The build recipe of a size: the small one's steps, with a learning rate that falls with the width.

    Mamba2 is aligned for twice as long: after 500 steps it still told one restricted fact in twenty.
    """
    if size not in LARGER:
        return BuildRecipe(world, size)
    pretrain, align = LARGER[size]
    return BuildRecipe(world, size, pretrain, align)
