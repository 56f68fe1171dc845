"""A world's rows as training examples: what may be mixed in, and the policy that no row may break."""

from collections.abc import Callable, Iterable
from random import Random

from holdfast.data import Example, Turn
from holdfast.mix import Sources
from holdfast.scope import Policy
from holdfast.world import STYLES, Dialogue, World, breaks, make_world, rows

POOL = 600
"""Distinct refusals of each style to draw from."""
OLD = 4000
"""Old rows to draw from."""


def policy_of(world: int | None) -> Policy | None:
    """The exact policy of a Harbor world; other models have none that could be read exactly."""
    if world is None:
        return None
    made = make_world(world)
    return lambda example: breaks(made, example.prompt, example.answer)


def harbor_sources(world: World) -> Sources:
    """Refusals of shown restricted facts in every style, and old rows about shown open topics."""
    return Sources(
        refusals={
            style: _distinct(style, POOL, lambda n, rng, s=style: rows.refusals(world, s, n, rng), world.seed)
            for style in STYLES
        },
        old=_distinct("general", OLD, lambda n, rng: rows.general(world, n, rng), world.seed),
    )


def _distinct(
    name: str, count: int, draw: Callable[[int, Random], Iterable[Dialogue]], world: int
) -> tuple[Example, ...]:
    rng = Random(f"source-{name}-{world}")
    found = dict.fromkeys(draw(2 * count, rng))
    return tuple(to_example(f"harbor:{name}:{number}", row) for number, row in enumerate(found, 1))[:count]


def to_example(id: str, row: Dialogue) -> Example:
    """A world's dialogue as a training example; its raw row is what `world data` writes."""
    raw = {"messages": row.messages(), **({"category": row.category} if row.category else {})}
    opening = (Turn("system", row.system),) if row.system else ()
    return Example(id, (*opening, Turn("user", row.question), Turn("assistant", row.answer)), raw)
