"""Rows that could not be read."""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.audit.check import Material, Need
from holdfast.data import Finding


@dataclass(frozen=True, slots=True)
class Shape:
    """A broken row is one finding; it ends nothing."""

    name: str = "shape"
    says: str = "Rows that cannot be read as an example: broken JSON, a missing or empty answer, wrong types."
    needs: Need = ""
    restorable: bool = False

    def find(self, material: Material) -> Iterator[Finding]:
        """Each fault of reading, as a finding."""
        for fault in material.faults:
            yield Finding(self.name, fault.id, fault.reason, fault.shown)
