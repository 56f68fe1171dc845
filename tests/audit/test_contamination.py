"""Contamination: exact, contained and shared stretches; common wording proves nothing."""

from pathlib import Path

import pytest

from holdfast.audit import Material
from holdfast.audit.contamination import Contamination
from holdfast.data import EvalSet, Example, Finding, ask, read, read_eval_set, read_questions

SHARED = Path("../shared/data")
LONG = (
    "A lighthouse keeper walks nine steps up every minute and rests two minutes after each landing; "
    "how long does he need for the two hundred steps of the northern tower?"
)


def find(rows: list[Example], *questions: str) -> list[Finding]:
    items = tuple((f"e:{n}", question) for n, question in enumerate(questions))
    return list(Contamination().find(Material(tuple(rows), against=(EvalSet("e", items),))))


def test_the_whole_prompt_is_found_at_any_length() -> None:
    (finding,) = find([ask("t:1", "why?", "Because.", "Be brief.")], "Who?", "Why")
    assert (finding.row, finding.keeps, finding.score) == ("t:1", "e:1", 1.0)
    assert "word for word" in finding.reason


def test_a_short_question_is_found_inside_a_row_and_a_shorter_one_is_not() -> None:
    row = ask("t:1", "Answer this for me: how deep is the northern harbor? Be brief.", "Nine metres.")
    (finding,) = find([row], "How deep is the northern harbor?", "how deep is it")
    assert (finding.keeps, finding.evidence) == ("e:0", "how deep is the northern harbor")
    assert find([row], "is the northern harbor") == []


def test_a_long_question_is_found_in_question_or_answer_and_by_half_of_it() -> None:
    half = LONG[: len(LONG) * 2 // 3]
    rows = [ask("t:1", f"Solve: {LONG}", "x"), ask("t:2", "Make a riddle.", LONG), ask("t:3", half, "x")]
    found = find(rows, LONG)
    assert [finding.row for finding in found] == ["t:1", "t:2", "t:3"]
    assert found[0].score == found[1].score == 1.0
    assert found[2].score is not None
    assert 0.5 <= found[2].score < 1.0
    assert "a lighthouse keeper walks nine steps" in found[2].evidence


def test_one_shared_stretch_of_many_is_not_enough() -> None:
    assert (
        find([ask("t:1", "He walks nine steps up every minute and rests two minutes, then sleeps.", "x")], LONG) == []
    )


def test_common_wording_proves_nothing() -> None:
    stem = "Read the following passage and answer the question that stands below it"
    rows = [ask(f"t:{n}", f"{stem}: passage number {n} of the harbor book", "x") for n in range(40)]
    assert find(rows, f"{stem}: who was the keeper?") == []
    assert len(find(rows[:5], f"{stem}: who was the keeper?")) == 5


def test_a_whole_question_is_found_however_many_rows_hold_it() -> None:
    rows = [ask(f"t:{n}", f"{LONG} Answer in style {n}.", "x") for n in range(40)]
    assert len(find(rows, LONG)) == 40


def test_nothing_to_compare_with_finds_nothing() -> None:
    assert find([ask("t:1", "Why?", "x")]) == []
    assert find([], "Why?") == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public sets are not here")
def test_public_sets_that_overlap_and_that_do_not() -> None:
    alpaca = read(SHARED / "alpaca_subset/alpaca_data.json").examples
    again = read_eval_set(SHARED / "alpaca_subset/alpaca_ref.json")
    found = list(Contamination().find(Material(alpaca, against=(again,))))
    assert 450 <= len(found) <= 452
    train = tuple(ask(id, text, "x") for id, text in read_questions(SHARED / "gsm8k/train.jsonl"))
    test = read_eval_set(SHARED / "gsm8k/test.jsonl")
    assert len(list(Contamination().find(Material(train, against=(test,))))) <= 3
