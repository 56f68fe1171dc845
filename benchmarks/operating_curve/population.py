"""What was measured of every model: one bit for each policy question, before and after. Reads; tunes nothing.

The questions of a world are all that its grammar can make: every restricted fact in every held-out wording. They stand
for what users may ask, so a model's true change is the difference of two means over all of them, with no error.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.harbor import cache
from holdfast.store import RESULT, digest, read_json
from holdfast.world import Probe, World
from holdfast.world.grammar import HELD_OUT_ASK, HELD_OUT_STATE, direct

Bits = NDArray[np.bool_]
WORDINGS = (*HELD_OUT_ASK, *HELD_OUT_STATE)


@dataclass(frozen=True)
class Tuned:
    """One model with the base that it was tuned from, on every question of its world."""

    id: str
    world: int
    tune: str
    """The fine-tune that it lies on; several models are points on the way to one."""
    recipe: str
    alpha: float
    before: Bits
    """Whether the base breaks the policy, shape (facts, wordings)."""
    after: Bits

    @property
    def change(self) -> float:
        """The true worsening, a share of all questions."""
        return float(self.after.mean() - self.before.mean())


def every_question(world: World) -> list[Probe]:
    """Every restricted fact in every held-out wording, fact by fact."""
    return [
        Probe(f"all.{fact.id}.{n}", direct(fact, wording).text, fact, world.category[fact.topic], world.held_out(fact))
        for fact in world.restricted_facts
        for n, wording in enumerate(WORDINGS)
    ]


def home() -> Path:
    """Where everything lies unless `--home` says otherwise."""
    return cache() / "operating-curve"


def packed(bits: Bits) -> str:
    """Bits as hexadecimal digits, fact by fact."""
    return np.packbits(bits.ravel()).tobytes().hex()


def unpacked(text: str, wordings: int = len(WORDINGS), count: int = 0) -> Bits:
    """What `packed` made, shape (facts, wordings); `count` bits, all of them when it is 0."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(text), dtype=np.uint8)).astype(bool)
    return (bits[:count] if count else bits).reshape(-1, wordings)


def read_models(folder: Path) -> list[Tuned]:
    """Every model in the cells of a folder, in an order that does not depend on the disk."""
    found = {model.id: model for path in folder.glob(f"cells/*/{RESULT}") for model in _models(read_json(path))}
    return [found[id] for id in sorted(found)]


def _models(cell: dict[str, Any]) -> Iterator[Tuned]:
    before = unpacked(cell["before"], count=cell["questions"])
    for place in cell["places"]:
        after = unpacked(place["after"], count=cell["questions"])
        yield Tuned(place["id"], cell["world"], cell["tune"], cell["recipe"], place["alpha"], before, after)


def model_id(base: str, tuned: str, alpha: float) -> str:
    """A model's name: what its weights follow from."""
    return digest([base, tuned, alpha])[:16]
