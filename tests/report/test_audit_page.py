"""The audit's page holds every count, and a row's words are inert on it."""

import re

from holdfast.audit import CHECKS, audit
from holdfast.data import Dataset, ask
from holdfast.report import AuditPage, audit_page
from holdfast.scope import INSTRUMENTS

HOSTILE = "</details><script>alert(1)</script> What is the tide at noon by the old stone quay of the harbor?"


def page() -> str:
    rows = (ask("a:1", HOSTILE, "High."), ask("a:2", HOSTILE, "High."), ask("a:3", "Why does it turn?", "The moon."))
    found = audit([Dataset("a", "messages", rows)])
    assert found.counts["duplicate"] == 1
    return audit_page(AuditPage(found, CHECKS, (Dataset("a", "messages", rows),), INSTRUMENTS, "0.1.0", "2026-01-01"))


def test_it_says_what_was_found_and_what_was_not() -> None:
    shown = page()
    assert "1 of 3 rows set aside" in shown
    assert all(re.search(rf">{check.name}(</a>)?</td>", shown) for check in CHECKS)
    assert "Not run: no model was given (--model)." in shown
    assert "An audit reads rows." in shown


def test_a_row_is_inert() -> None:
    shown = page()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "<details open" not in shown
