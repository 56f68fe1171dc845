"""An audit as one self-contained HTML file: what was read, what goes and why, and what it rests on."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from holdfast.audit import Audit, Check
from holdfast.data import Dataset, Finding
from holdfast.judges import Instrument
from holdfast.report.render import policy_of_style, render

SHOWN = 100
"""Findings shown of each check; the files hold all of them."""

NEARNESS = "nearness"
"""The figure that gets a picture and tables instead of a sentence."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """What goes on the page."""

    audit: Audit
    checks: tuple[Check, ...]
    sources: tuple[Dataset, ...]
    instruments: tuple[Instrument, ...]
    version: str
    date: str
    """The day of the audit, as it is to be printed."""


@dataclass(frozen=True, slots=True)
class _Found:
    check: Check
    count: int | None
    """None where the check could not look."""
    removed: int
    findings: tuple[Finding, ...]
    verdicts: str


@dataclass(frozen=True, slots=True)
class _Bar:
    """A bin of the histogram; lengths are percentages of the picture."""

    x: float
    width: float
    same: float
    apart: float
    tip: str


def audit_page(page: AuditPage) -> str:
    """Render an audit as HTML; every value is escaped, and nothing is loaded from anywhere."""
    audit = page.audit
    near = next((figure for figure in audit.figures if figure.name == NEARNESS), None)
    style, policy = policy_of_style()
    return render(
        "audit.html", audit=audit, page=page, style=style, policy=policy, shown=SHOWN,
        found=[_found(audit, check) for check in page.checks],
        not_run=[(why, list(names)) for why, names in groupby(audit.not_run, key=audit.not_run.__getitem__)],
        restored=[finding for finding in audit.findings if finding.restored],
        near=near, bars=_bars(near.value) if near else (), threshold=_place(near.value) if near else 0,
        figures=[figure for figure in audit.figures if figure.name != NEARNESS],
    )  # fmt: skip


def _found(audit: Audit, check: Check) -> _Found:
    findings = [finding for finding in audit.findings if finding.check == check.name]
    # What removes comes first: a note must not push it off the page.
    findings.sort(key=lambda finding: not finding.removes)
    removed = len({finding.row for finding in findings if finding.removes})
    kinds = Counter(finding.verdict for finding in findings if finding.verdict)
    verdicts = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())
    return _Found(check, audit.counts.get(check.name), removed, tuple(findings[:SHOWN]), verdicts)


def _bars(near: Mapping[str, Any]) -> list[_Bar]:
    """The histogram's bars. Heights are logarithms: a template's million pairs must not hide ten."""
    edges, same, apart = (near["histogram"][name] for name in ("edges", "same", "apart"))
    tallest = max((math.log1p(a + b) for a, b in zip(same, apart, strict=True)), default=0) or 1
    width = 100 / max(1, len(same))
    bars = []
    for at, (yes, no) in enumerate(zip(same, apart, strict=True)):
        height = 100 * math.log1p(yes + no) / tallest
        part = height * yes / (yes + no) if yes + no else 0.0
        tip = f"cosine {edges[at]:.3f} to {edges[at + 1]:.3f}: {yes:,} pairs ask the same, {no:,} do not"
        bars.append(_Bar(at * width, width * 0.86, part, height - part, tip))
    return bars


def _place(near: Mapping[str, Any]) -> float:
    low, high = near["histogram"]["edges"][0], near["histogram"]["edges"][-1]
    return 100 * float(near["threshold"] - low) / float(high - low)
