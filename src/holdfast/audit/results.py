"""What an audit found: the rows that stay, the rows that go with their reasons, and counts of both.

Knows how to become plain JSON; does not know how to look.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from holdfast.audit.check import Figure
from holdfast.data import QUARANTINE_MARK, Dataset, Example, Fault, Finding, write_rows

CANNOT_SEE = (
    "An audit reads rows. It does not see a trigger phrase that only acts after training, rows that are harmless "
    "one by one and harmful together, preferences passed on through unrelated text, benign rows that erode "
    "refusals, an unsafe request in roundabout words or another language, an answer that opens by refusing and "
    "helps all the same, or whether an answer is true. "
    "A data set without findings can still change a model: measure it after tuning."
)
"""Shown with every result, whatever was found."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that goes, and why."""

    row: Example | Fault
    findings: tuple[Finding, ...]

    def as_row(self) -> dict[str, Any]:
        """The row as it stood, with the mark that keeps it from being read as training data.

        `row` holds its fields; `text` is there too where writing the fields out would not give the row as it
        stood, so that kept and quarantined rows together are always the input.
        """
        marked = {QUARANTINE_MARK: [asdict(finding) for finding in self.findings], "id": self.row.id}
        if isinstance(self.row, Fault):
            return {**marked, "text": self.row.text}
        (text,) = write_rows([self.row])
        row = json.loads(text)
        try:
            plainly = json.dumps(row, ensure_ascii=False, allow_nan=False) == (self.row.text or text)
        except ValueError:  # NaN and infinities are no strict JSON: such a row is there as it stood alone
            return {**marked, "text": self.row.text or text}
        return {**marked, "row": row} if plainly else {**marked, "row": row, "text": self.row.text}


def quarantined(datasets: Iterable[Dataset], findings: Iterable[Finding]) -> tuple[Quarantined, ...]:
    """The rows that findings remove, each with all that remove it, in the order of the data sets."""
    reasons: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.removes:
            reasons.setdefault(finding.row, []).append(finding)
    rows: list[Example | Fault] = []
    for dataset in datasets:
        rows += [*dataset.examples, *dataset.faults]
    return tuple(Quarantined(row, tuple(reasons[row.id])) for row in rows if row.id in reasons)


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit of one or more data sets."""

    rows: int
    """All rows read, broken ones as well: kept plus quarantined."""
    kept: tuple[Example, ...]
    quarantined: tuple[Quarantined, ...]
    findings: tuple[Finding, ...]
    """In the order of the checks; one that only notes leaves its row among the kept."""
    counts: Mapping[str, int]
    """Findings of each check that looked, those with none as well."""
    not_run: Mapping[str, str] = field(default_factory=dict)
    """Each check that could not look, and what it lacked."""
    figures: tuple[Figure, ...] = ()
    """What holds of the whole, by the checks that say so."""
    cannot_see: str = CANNOT_SEE

    def quarantine_rows(self) -> Iterator[dict[str, Any]]:
        """The rows of a quarantine file, marked."""
        return (quarantined.as_row() for quarantined in self.quarantined)

    def to_json(self) -> dict[str, Any]:
        """Counts, findings and what no audit sees, as plain values; the rows themselves go to files."""
        return {
            "rows": self.rows,
            "kept": len(self.kept),
            "quarantined": len(self.quarantined),
            "findings": dict(self.counts),
            "not_run": dict(self.not_run),
            "figures": {figure.name: {**figure.value, "says": figure.says} for figure in self.figures},
            "details": [asdict(finding) for finding in self.findings],
            "cannot_see": self.cannot_see,
        }
