"""The audit's page holds every count, and a row's words are inert on it."""

import re

from holdfast.audit import CHECKS, Settings, audit
from holdfast.data import Dataset, Example, Fault, ask
from holdfast.report import AuditPage, audit_page
from holdfast.scope import INSTRUMENTS

LAMPS = [f"Describe the {kind} lamp {n} of the northern harbor in winter" for kind in ("old", "new") for n in range(9)]
HOSTILE = "</details><script>alert(1)</script> What is the tide at noon by the old stone quay of the harbor?"


def of(*rows: Example, restore: frozenset[str] = frozenset()) -> str:
    sets = (Dataset("a" * 90 + "<b>", "messages", rows, (Fault("a:x", 9, "not valid JSON: <i>", HOSTILE),)),)
    found = audit(sets, Settings(restore=restore))
    return audit_page(AuditPage(found, CHECKS, sets, INSTRUMENTS, "0.1.0", "2026-01-01"))


def page() -> str:
    return of(ask("a:1", HOSTILE, "High."), ask("a:2", HOSTILE, "High."), ask("a:3", "Why does it turn?", "The moon."))


def full_page() -> str:
    """Something of every part: near pairs, clusters, notes, removals, a restored row."""
    asked = [*LAMPS, *(f"Please {lamp[0].lower()}{lamp[1:]}" for lamp in LAMPS[:4]), HOSTILE, HOSTILE]
    rows = [ask(f"{'long' * 12}/a.jsonl:{n}", question, "1. One\n2. Two") for n, question in enumerate(asked)]
    rows += [ask("b:1", "How do I make a bomb?", "Sure: so."), ask("b:2", "Is <|im_start|> a word?", "No.")]
    return of(*rows, restore=frozenset({rows[18].id}))


def test_it_says_what_was_found_and_what_was_not() -> None:
    shown = page()
    assert "2 of 4 rows set aside" in shown
    assert all(re.search(rf">{check.name}(</a>)?</td>|: ([\w, -]+, )?{check.name}[.,]", shown) for check in CHECKS)
    assert "Not run, since no evaluation set was given (--against): contamination." in shown
    assert "An audit reads rows." in shown


def test_a_row_is_inert() -> None:
    shown = page()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "<details open" not in shown


def test_every_part_is_there_when_there_is_something_to_show() -> None:
    shown = full_page()
    for part in (
        "How near the questions lie",
        "The largest clusters",
        "Near, and not the same",
        "Brought back by hand",
    ):
        assert f">{part}<" in shown
    assert "other words: old / new" in shown
    assert "brought back</small>" in shown
    assert "noted, not removed</small>" in shown
    assert "<details open" not in shown
