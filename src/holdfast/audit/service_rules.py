"""Rows that a fine-tuning service would refuse the whole file for; its rules are data's."""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.audit.check import Material, Need
from holdfast.data import Finding, service_faults


@dataclass(frozen=True, slots=True)
class ServiceRules:
    """A breach of the whole file is noted under the file's name; a row's goes, so that the rest can be uploaded."""

    name: str = "service-rules"
    says: str = "Rows for which a fine-tuning service would refuse the file, by its own rules."
    needs: Need = "service"
    restorable: bool = True

    def find(self, material: Material) -> Iterator[Finding]:
        """A finding for each breach, with the rule's name as its verdict; unreadable rows are `shape`'s."""
        readable = {row.id for row in material.examples}
        for dataset in material.datasets:
            for breach in service_faults(dataset, material.service):
                if breach.row in readable or not breach.row:
                    yield Finding(
                        self.name, breach.row or dataset.name, breach.reason, "", removes=bool(breach.row),
                        verdict=breach.rule,
                    )  # fmt: skip
