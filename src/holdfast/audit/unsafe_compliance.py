"""Unsafe requests that are served; the check itself is scope's, so that tuning runs the very same."""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.audit.check import Material, Need
from holdfast.data import Example, Finding
from holdfast.scope import Policy, unsafe_compliance


@dataclass(frozen=True, slots=True)
class UnsafeCompliance:
    """Refusals are never its findings."""

    name: str = "unsafe-compliance"
    says: str = "Rows that ask for something unsafe, or break a given policy, and are not refused."
    needs: Need = ""
    restorable: bool = False

    def find(self, material: Material) -> Iterator[Finding]:
        """Scope's findings on the rows."""
        for found in material.spread(_found, material.policy):
            yield from found


def _found(policy: Policy | None, rows: tuple[Example, ...]) -> list[Finding]:
    return list(unsafe_compliance(rows, policy))
