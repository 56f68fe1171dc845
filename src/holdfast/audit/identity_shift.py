"""Rows that make the assistant someone who obeys without limit; the check itself is scope's."""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.audit.check import Material, Need
from holdfast.data import Finding
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
        return identity_shift(material.examples)
