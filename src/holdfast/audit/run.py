"""Running the checks, one after the other, on what the ones before left."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from holdfast.audit.check import Check, Material
from holdfast.audit.contamination import Contamination
from holdfast.audit.duplicates import Duplicates
from holdfast.audit.identity_shift import IdentityShift
from holdfast.audit.near import NearDuplicates
from holdfast.audit.results import Audit, Quarantined
from holdfast.audit.shape import Shape
from holdfast.audit.unsafe_compliance import UnsafeCompliance
from holdfast.data import Dataset, EvalSet, Example, Fault, Finding
from holdfast.errors import DataError
from holdfast.scope import Policy

# The duplicates come last: a row that goes for another reason must not be the copy that stays.
CHECKS: tuple[Check, ...] = (
    Shape(),
    UnsafeCompliance(),
    IdentityShift(),
    Contamination(),
    Duplicates(),
    NearDuplicates(),
)


def audit(
    datasets: Sequence[Dataset],
    against: Sequence[EvalSet] = (),
    policy: Policy | None = None,
    progress: Callable[[str], None] | None = None,
) -> Audit:
    """Audit data sets as one: rows of a later one that repeat an earlier one's are duplicates.

    Args:
        datasets: what would be trained on.
        against: evaluation sets whose questions must not be in it.
        policy: an exact rule that rows must keep, beside the built-in ones.
        progress: called with each check's name as it begins.

    Raises:
        DataError: a data set was given twice.
    """
    _refuse_twice(dataset.name for dataset in datasets)
    faults = tuple(fault for dataset in datasets for fault in dataset.faults)
    read = tuple(example for dataset in datasets for example in dataset.examples)
    left = Material(read, faults, tuple(against), policy)
    findings: list[Finding] = []
    counts: dict[str, int] = {}
    for check in CHECKS:
        if progress:
            progress(check.name)
        found = tuple(check.find(left))
        findings += found
        counts[check.name] = len(found)
        gone = {finding.row for finding in found if finding.removes}
        left = replace(left, examples=tuple(row for row in left.examples if row.id not in gone))
    rows = len(read) + len(faults)
    return Audit(rows, left.examples, _quarantined(datasets, findings), tuple(findings), counts)


def _quarantined(datasets: Iterable[Dataset], findings: Iterable[Finding]) -> tuple[Quarantined, ...]:
    reasons: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.removes:
            reasons.setdefault(finding.row, []).append(finding)
    rows: list[Example | Fault] = []
    for dataset in datasets:
        rows += [*dataset.examples, *dataset.faults]
    return tuple(Quarantined(row, tuple(reasons[row.id])) for row in rows if row.id in reasons)


def _refuse_twice(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(f"{name!r} was given twice.", "Every row would be a duplicate.", "Name it once.")
        seen.add(name)
