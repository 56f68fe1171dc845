"""Unsafe requests that are served; the check itself is scope's, so that tuning runs the very same."""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.audit.check import Material, Need
from holdfast.data import Finding
from holdfast.scope import unsafe_compliance


@dataclass(frozen=True, slots=True)
class UnsafeCompliance:
    """Refusals are never its findings."""

    name: str = "unsafe-compliance"
    says: str = "Rows that ask for something unsafe, or break a given policy, and are not refused."
    needs: Need = ""
    restorable: bool = False

    def find(self, material: Material) -> Iterator[Finding]:
        """Scope's findings on the rows."""
        return unsafe_compliance(material.examples, material.policy)
