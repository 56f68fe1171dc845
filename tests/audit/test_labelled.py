"""Contamination on labelled rows: precision and recall of each verdict, on the half never tuned on."""

from collections.abc import Sequence
from functools import cache

import pytest
from labelled import NONE, SHARED, Labelled, labelled

from holdfast.audit import Material, Nearness
from holdfast.audit.contamination import Contamination
from holdfast.data import Finding
from holdfast.stats import clopper_pearson
from holdfast.vectors import NGRAMS, WordLlama

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the public sets are not here")
VERDICTS = ("exact", "contained", "n-gram", "paraphrase")
WANTED = {
    "exact": {"verbatim"},
    "contained": {"embedded", "polite"},
    "n-gram": {"partial", "long-number", "long-typo"},
    "paraphrase": {"typo", "tell-me", "small-words", "synonym", "reorder"},
}
"""For each verdict, the edits that it is there for."""


@cache
def judged(encoder: str) -> tuple[tuple[Labelled, Finding | None], ...]:
    sets, rows = labelled(7)
    nearness = Nearness(WordLlama() if encoder == "wordllama" else NGRAMS)
    found = Contamination().find(Material(tuple(each.row for each in rows), against=sets, nearness=nearness))
    by_row = {each.row: each for each in found if isinstance(each, Finding)}
    return tuple((each, by_row.get(each.row.id)) for each in rows)


def is_right(label: Labelled, finding: Finding | None) -> bool:
    if finding is None:
        return label.right == NONE
    return finding.verdict in label.right and finding.keeps == label.item


def precision(pairs: Sequence[tuple[Labelled, Finding | None]], verdict: str) -> tuple[int, int]:
    found = [is_right(label, finding) for label, finding in pairs if finding and finding.verdict == verdict]
    return sum(found), len(found)


def recall(pairs: Sequence[tuple[Labelled, Finding | None]], edits: set[str]) -> tuple[int, int]:
    found = [is_right(label, finding) for label, finding in pairs if label.edit in edits]
    return sum(found), len(found)


def half(encoder: str, held_out: bool) -> list[tuple[Labelled, Finding | None]]:
    return [pair for pair in judged(encoder) if pair[0].held_out == held_out]


@pytest.mark.parametrize("encoder", ["ngrams", "wordllama"])
@pytest.mark.parametrize("verdict", ["exact", "contained", "n-gram"])
def test_verdicts_are_right_and_found_on_the_half_never_tuned_on(encoder: str, verdict: str) -> None:
    pairs = half(encoder, True)
    (right, found), (hit, all_) = precision(pairs, verdict), recall(pairs, WANTED[verdict])
    assert found > 50
    assert all_ > 50
    assert right / found >= 0.95
    assert hit / all_ >= 0.90


@pytest.mark.parametrize("encoder", ["ngrams", "wordllama"])
def test_paraphrases_that_are_found_are_paraphrases(encoder: str) -> None:
    right, found = precision(half(encoder, True), "paraphrase")
    assert found > 100
    assert right / found >= 0.95


def test_near_misses_and_other_peoples_questions_stay() -> None:
    pairs = [pair for pair in half("wordllama", True) if pair[0].right == NONE]
    stays, all_ = recall(pairs, {"short-number", "negated", "entity", "subject", "continued", "train"})
    assert all_ > 1500
    assert stays / all_ > 0.99


def test_evidence_stands_in_the_row() -> None:
    for label, finding in judged("ngrams"):
        if finding:
            assert any(finding.evidence in turn.content for turn in label.row.turns)


def table(encoder: str) -> str:
    """What the docs show: run this file as a script."""
    lines = ["| | development | held out (95 % interval) |", "|---|---|---|"]
    for verdict in VERDICTS:
        counts = [precision(half(encoder, held_out), verdict) for held_out in (False, True)]
        lines.append(f"| **{verdict}**: precision | {shown(*counts[0])} | {shown(*counts[1], interval=True)} |")
        counts = [recall(half(encoder, held_out), WANTED[verdict]) for held_out in (False, True)]
        lines.append(f"| **{verdict}**: recall | {shown(*counts[0])} | {shown(*counts[1], interval=True)} |")
    for edit in dict.fromkeys(label.edit for label, _ in judged(encoder)):
        counts = [recall(half(encoder, held_out), {edit}) for held_out in (False, True)]
        lines.append(f"| {edit} | {shown(*counts[0])} | {shown(*counts[1], interval=True)} |")
    return "\n".join(lines)


def shown(right: int, n: int, interval: bool = False) -> str:
    text = f"{right} of {n} ({right / max(1, n):.1%})"
    if not interval or not n:
        return text
    low, high = clopper_pearson(right, n)
    return f"{right} of {n} ({right / n:.1%}; {low:.1%} to {high:.1%})"


if __name__ == "__main__":
    for name in ("wordllama", "ngrams"):
        print(f"{name}\n{table(name)}\n")  # noqa: T201
