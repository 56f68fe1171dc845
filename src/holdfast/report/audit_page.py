"""An audit as one self-contained HTML file: counts first, then every finding with its reason and evidence."""

from dataclasses import dataclass
from itertools import groupby

from holdfast.audit import Audit, Check
from holdfast.data import Finding
from holdfast.report.render import policy_of_style, render

SHOWN = 200
"""Findings shown of each check; the files hold all of them."""


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    says: str
    count: int
    findings: tuple[Finding, ...]


def audit_page(audit: Audit, checks: tuple[Check, ...], sources: tuple[str, ...], version: str, date: str) -> str:
    """Render an audit as HTML.

    Args:
        audit: what was found.
        checks: all checks that ran, those without a finding as well.
        sources: the files that were read.
        version: Holdfast's version.
        date: the day of the audit, as it is to be printed.
    """
    by_check = {name: tuple(found) for name, found in groupby(audit.findings, key=lambda finding: finding.check)}
    rows = [
        _Found(check.name, check.says, audit.counts[check.name], by_check.get(check.name, ())[:SHOWN])
        for check in checks
    ]
    style, policy = policy_of_style()
    return render(
        "audit.html", audit=audit, found=rows, sources=sources, version=version, date=date, style=style,
        policy=policy, shown=SHOWN,
    )  # fmt: skip
