"""Rows that make the assistant someone who obeys without limit; the check itself is scope's."""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.audit.check import Material, Need
from holdfast.data import Example, Finding
from holdfast.scope import identity_shift


@dataclass(frozen=True, slots=True)
class IdentityShift:
    """Plain "who are you" rows are never its findings."""

    name: str = "identity-shift"
    says: str = "Rows that rewrite who the assistant is and that it obeys without limit, grouped by the new name."
    needs: Need = ""
    restorable: bool = False

    def find(self, material: Material) -> Iterator[Finding]:
        """Scope's findings on the rows."""
        # A row is found by its own words alone; only how many assert the same self needs all that are found.
        return identity_shift([row for found in material.spread(_shifted, None) for row in found])


def _shifted(_: None, rows: tuple[Example, ...]) -> list[Example]:
    found = {finding.row for finding in identity_shift(rows)}
    return [row for row in rows if row.id in found]
