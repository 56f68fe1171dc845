"""Where refusals and old rows come from: a Harbor world's own, or files that the user gives."""

from pathlib import Path

from holdfast.data import read_together
from holdfast.harbor import harbor_sources
from holdfast.mix import Sources
from holdfast.world import make_world


def sources_of(world: int | None, refusals: Path | None, old: Path | None, style: str) -> Sources:
    """What may be mixed in: the files that were given, else the world's own rows.

    Raises:
        DataError: a file holds no row that can be read.
    """
    own = harbor_sources(make_world(world)) if world is not None else Sources()
    return Sources(
        refusals={**own.refusals, style: read_together(refusals).examples} if refusals else own.refusals,
        old=read_together(old).examples if old else own.old,
        category=own.category,
    )
