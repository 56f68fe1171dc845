"""A sample of the kept rows, so many of each category. Rows that were set aside can never be drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.audit.results import Audit
from holdfast.data import Example
from holdfast.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows that were drawn, in the order of the data, and how many of each category there were."""

    rows: tuple[Example, ...]
    drawn: Mapping[str, int]
    of: Mapping[str, int]
    """Kept rows of each category: where fewer than were asked for, all of them are drawn."""


def stratified_sample(audit: Audit, per_category: int, field: str, rng: np.random.Generator) -> Sample:
    """Draw the same number of kept rows of each category, without replacement.

    Args:
        audit: whose kept rows.
        per_category: rows of each.
        field: the field of a row that holds its category; "" for the file that it came from.
        rng: what draws.

    Raises:
        ConfigError: no kept row has the field.
    """
    groups: dict[str, list[int]] = {}
    for at, row in enumerate(audit.kept):
        groups.setdefault(_category(row, field), []).append(at)
    if field and set(groups) <= {""}:
        raise ConfigError(
            f"No kept row has a field {field!r} to sample by.", f"Fields of the first: {_fields(audit.kept)}.",
            "Name one with --category, or leave it out to sample by file.",
        )  # fmt: skip
    chosen = {name: rng.permutation(len(at))[:per_category] for name, at in sorted(groups.items())}
    places = sorted(groups[name][place] for name, drawn in chosen.items() for place in drawn)
    return Sample(
        tuple(audit.kept[at] for at in places),
        {name: len(drawn) for name, drawn in chosen.items()},
        {name: len(groups[name]) for name in chosen},
    )


def _category(row: Example, field: str) -> str:
    return str(row.row.get(field, "")) if field else row.id.rpartition(":")[0]


def _fields(rows: Sequence[Example]) -> str:
    return ", ".join(map(str, rows[0].row)) if rows else "there is none"
