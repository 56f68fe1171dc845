"""Running the checks, one after the other, on what the ones before left."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from holdfast.audit.check import Check, Figure, Material, Nearness
from holdfast.audit.contamination import Contamination
from holdfast.audit.drift import Drift, SystemPrompts
from holdfast.audit.duplicates import Duplicates
from holdfast.audit.guarded import UnsafeByGuard
from holdfast.audit.identity_shift import IdentityShift
from holdfast.audit.near import NearDuplicates
from holdfast.audit.refusals import Refusals
from holdfast.audit.results import Audit, quarantined
from holdfast.audit.service_rules import ServiceRules
from holdfast.audit.shape import Shape
from holdfast.audit.structure import StructureRisk
from holdfast.audit.supervised import Supervised
from holdfast.audit.templates import Markers, Template
from holdfast.audit.truncation import Truncation
from holdfast.audit.unsafe_compliance import UnsafeCompliance
from holdfast.audit.view import TrainingView
from holdfast.data import Dataset, EvalSet, Finding
from holdfast.errors import DataError
from holdfast.judges import Guard
from holdfast.scope import Policy
from holdfast.workers import Here, Workers

# The refusals are looked at while every readable row is there. What removes a row for its own sake comes next, and the
# duplicates last: a row that goes for another reason must not be the copy that stays. Notes on what is left end it.
CHECKS: tuple[Check, ...] = (
    Shape(),
    ServiceRules(),
    Refusals(),
    UnsafeCompliance(),
    UnsafeByGuard(),
    IdentityShift(),
    Markers(),
    Template(),
    Contamination(),
    Duplicates(),
    NearDuplicates(),
    Truncation(),
    Supervised(),
    Drift(),
    SystemPrompts(),
    StructureRisk(),
)

LACKING = {
    "against": "no evaluation set was given (--against)",
    "guard": "no guard was given (--guard)",
    "service": "no service was named (--service)",
    "view": "no model was given (--model)",
}
"""What a check that could not look would have needed."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """With what the rows are compared, by what they are judged, and where that is computed."""

    against: Sequence[EvalSet] = ()
    """Evaluation sets whose questions must not be in the data."""
    policy: Policy | None = None
    """An exact rule that rows must keep, beside the built-in ones."""
    nearness: Nearness = field(default_factory=Nearness)
    guard: Guard | None = None
    guard_rows: int | None = None
    view: TrainingView | None = None
    service: str = ""
    restore: frozenset[str] = frozenset()
    """Ids of rows that a person brought back: a check that is `restorable` leaves them in, and says so."""
    seed: int = 0
    workers: Workers = field(default_factory=Here)


def audit(datasets: Sequence[Dataset], settings: Settings = Settings(), progress: Progress | None = None) -> Audit:
    """Audit data sets as one: rows of a later one that repeat an earlier one's are duplicates.

    Args:
        datasets: what would be trained on.
        settings: what else the checks are given.
        progress: called with a check's name and how far it is, first with 0.

    Raises:
        DataError: a data set was given twice.
    """
    _refuse_twice(dataset.name for dataset in datasets)
    left = _material(datasets, settings)
    total = len(left.examples) + len(left.faults)
    findings: list[Finding] = []
    figures: list[Figure] = []
    counts: dict[str, int] = {}
    not_run: dict[str, str] = {}
    for check in CHECKS:
        if check.needs and not getattr(left, check.needs):
            not_run[check.name] = LACKING[check.needs]
            continue
        found = _found(check, left, settings.restore, progress)
        findings += (each for each in found if isinstance(each, Finding))
        figures += (each for each in found if isinstance(each, Figure))
        counts[check.name] = sum(isinstance(each, Finding) for each in found)
        gone = {each.row for each in found if isinstance(each, Finding) and each.removes}
        left = replace(left, examples=tuple(row for row in left.examples if row.id not in gone))
    return Audit(
        total, left.examples, quarantined(datasets, findings), tuple(findings), counts, not_run, tuple(figures)
    )


def _material(datasets: Sequence[Dataset], settings: Settings) -> Material:
    return Material(
        examples=tuple(example for dataset in datasets for example in dataset.examples),
        faults=tuple(fault for dataset in datasets for fault in dataset.faults),
        against=tuple(settings.against),
        policy=settings.policy,
        nearness=settings.nearness,
        guard=settings.guard,
        guard_rows=settings.guard_rows,
        view=settings.view,
        datasets=tuple(datasets),
        service=settings.service,
        seed=settings.seed,
        workers=settings.workers,
    )


def _found(
    check: Check, material: Material, restore: frozenset[str], progress: Progress | None
) -> list[Finding | Figure]:
    if progress:
        progress(check.name, 0, 1)
        material = replace(material, tell=lambda done, total: progress(check.name, done, total))
    found = list(check.find(material))
    if check.restorable and restore:
        found = [_restored(each) if isinstance(each, Finding) and each.row in restore else each for each in found]
    if progress:
        progress(check.name, 1, 1)
    return found


def _restored(finding: Finding) -> Finding:
    return replace(finding, removes=False, restored=True)


def _refuse_twice(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(f"{name!r} was given twice.", "Every row would be a duplicate.", "Name it once.")
        seen.add(name)
