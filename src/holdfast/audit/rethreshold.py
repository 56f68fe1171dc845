"""Another threshold for near-duplicates, up or down, without encoding or comparing again."""

from collections.abc import Sequence
from dataclasses import replace

from holdfast.audit.near import NAME, near_findings
from holdfast.audit.near_figure import NAME as NEARNESS
from holdfast.audit.near_figure import figure
from holdfast.audit.results import Audit, quarantined
from holdfast.audit.rows import comparable, forest_of
from holdfast.data import Dataset, Finding
from holdfast.errors import ConfigError


def rethreshold(
    audit: Audit, datasets: Sequence[Dataset], threshold: float, restore: frozenset[str] = frozenset()
) -> Audit:
    """What `audit` of the same data sets gives with another threshold for near-duplicates.

    Recomputed are the near-duplicate findings, their figure, and which rows are kept and quarantined. Checks that
    ran after it keep what they said of the rows that were left then.

    Args:
        audit: an earlier result.
        datasets: the data sets it was made of.
        threshold: cosine above which two questions may be the same; not below the floor of the earlier result.
        restore: ids of rows that a person brought back, as in `Settings`.

    Raises:
        ConfigError: near-duplicates were not looked for, or the threshold lies below what was remembered.
    """
    before = next((each for each in audit.figures if each.name == NEARNESS), None)
    if before is None:
        raise ConfigError("This audit holds no links.", "Near-duplicates were not looked for.", "Audit again.")
    floor = float(before.value["floor"])
    if not floor <= threshold <= 1:
        raise ConfigError(
            f"A threshold of {threshold:g} cannot be had from this audit.",
            f"It remembers pairs above {floor:g} only.",
            f"Give one from {floor:g} to 1, or audit again with a lower floor.",
        )
    earlier = set(list(audit.counts)[: list(audit.counts).index(NAME)])
    gone = {each.row for each in audit.findings if each.removes and each.check in earlier}
    rows = comparable([row for dataset in datasets for row in dataset.examples if row.id not in gone])
    forest = forest_of(rows, before.value["links"], floor)
    found = [_restored(each, restore) for each in near_findings(rows, forest, threshold)]
    after = figure(before.value, rows, forest, threshold)
    figures = tuple(after if each is before else each for each in audit.figures)
    return _with(replace(audit, figures=figures), datasets, found)


def _restored(finding: Finding, restore: frozenset[str]) -> Finding:
    return replace(finding, removes=False, restored=True) if finding.row in restore else finding


def _with(audit: Audit, datasets: Sequence[Dataset], near: Sequence[Finding]) -> Audit:
    """The audit with other near-duplicates."""
    findings: list[Finding] = []
    for check in audit.counts:
        findings += near if check == NAME else [each for each in audit.findings if each.check == check]
    gone = quarantined(datasets, findings)
    ids = {each.row.id for each in gone}
    return replace(
        audit,
        kept=tuple(row for dataset in datasets for row in dataset.examples if row.id not in ids),
        quarantined=gone,
        findings=tuple(findings),
        counts={check: len(near) if check == NAME else count for check, count in audit.counts.items()},
    )
