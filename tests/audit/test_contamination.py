"""Contamination: exact, contained and shared stretches; common wording proves nothing."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.audit import Figure, Material
from holdfast.audit.contamination import Contamination
from holdfast.audit.spans import span
from holdfast.audit.stretches import GRAM, held, sought
from holdfast.audit.words import words
from holdfast.data import EvalSet, Example, Finding, Turn, ask, read, read_eval_set, read_questions

SHARED = Path("../shared/data")
LONG = (
    "A lighthouse keeper walks nine steps up every minute and rests two minutes after each landing; "
    "how long does he need for the two hundred steps of the northern tower?"
)


def find(rows: list[Example], *questions: str) -> list[Finding]:
    return look(rows, *questions)[0]


def look(rows: Sequence[Example], *questions: str) -> tuple[list[Finding], Figure]:
    items = tuple((f"e:{n}", question) for n, question in enumerate(questions))
    *findings, figure = Contamination().find(Material(tuple(rows), against=(EvalSet("e", items),)))
    assert isinstance(figure, Figure)
    return [each for each in findings if isinstance(each, Finding)], figure


def test_the_whole_prompt_is_found_at_any_length() -> None:
    (finding,) = find([ask("t:1", "why?", "Because.", "Be brief.")], "Who?", "Why")
    assert (finding.row, finding.keeps, finding.score) == ("t:1", "e:1", 1.0)
    assert "word for word" in finding.reason


def test_a_short_question_is_found_inside_a_row_and_a_shorter_one_is_not() -> None:
    row = ask("t:1", "Answer this for me: how deep is the northern harbor? Be brief.", "Nine metres.")
    (finding,) = find([row], "How deep is the northern harbor?", "how deep is it?")
    assert (finding.keeps, finding.evidence) == ("e:0", "how deep is the northern harbor")
    assert find([row], "is the northern harbor?") == []


def test_a_long_question_is_found_in_question_or_answer_and_by_half_of_it() -> None:
    half = LONG[: len(LONG) * 2 // 3]
    rows = [ask("t:1", f"Solve: {LONG}", "x"), ask("t:2", "Make a riddle.", LONG), ask("t:3", half, "x")]
    found = find(rows, LONG)
    assert [finding.row for finding in found] == ["t:1", "t:2", "t:3"]
    assert found[0].score == found[1].score == 1.0
    assert found[2].score is not None
    assert 0.5 <= found[2].score < 1.0
    assert found[2].evidence.startswith("A lighthouse keeper walks nine steps")
    assert [finding.verdict for finding in found] == ["contained", "contained", "n-gram"]


def test_one_shared_stretch_of_many_is_not_enough() -> None:
    assert (
        find([ask("t:1", "He walks nine steps up every minute and rests two minutes, then sleeps.", "x")], LONG) == []
    )


def test_common_wording_proves_nothing() -> None:
    stem = "Read the following passage and then answer the short question that stands below it"
    rows = [ask(f"t:{n}", f"{stem}: passage number {n} of the harbor book", "x") for n in range(40)]
    assert find(rows, f"{stem}: who was the keeper?") == []
    assert len(find(rows[:5], f"{stem}: who was the keeper?")) == 5


def test_a_whole_question_is_found_however_many_rows_hold_it() -> None:
    rows = [ask(f"t:{n}", f"{LONG} Answer in style {n}.", "x") for n in range(40)]
    assert len(find(rows, LONG)) == 40


def test_nothing_to_compare_with_finds_nothing() -> None:
    assert find([ask("t:1", "Why?", "x")]) == []
    assert find([], "Why?") == []


@pytest.mark.parametrize(
    ("text", "question", "found"),
    [
        ("Be brief. Where do gulls sleep? Thanks!", "Where do gulls sleep?", True),
        ('He asked me: "Where do gulls sleep?" and left.', "Where do gulls sleep?", True),
        ("First line\nwhere do gulls sleep\nlast line", "Where do gulls sleep?", True),
        ("Ask the crew where do gulls sleep?", "Where do gulls sleep?", False),  # not a sentence of its own
        ("Where do gulls sleep in winter?", "Where do gulls sleep?", False),  # goes on: another question
        ("So then. What is it? Ah.", "What is it?", False),  # no word that tells anything
        ("I wonder where do grey gulls sleep. Yes.", "Where do grey gulls sleep?", True),
        ("Where do grey gulls sleep in winter?", "Where do grey gulls sleep?", False),
        ("Birds: grey gulls sleep mostly on A) rocks B) sand", "Grey gulls sleep mostly on", True),
        ("Question: Where do gulls sleep?", "question: where do gulls sleep", True),
    ],
)
def test_a_short_question_is_asked_where_its_sentence_ends(text: str, question: str, found: bool) -> None:
    rows = [ask("t:1", text, "x")]
    assert [(each.keeps, each.verdict) for each in find(rows, question)] == [("e:0", "contained")] * found


def test_a_short_question_that_many_prompts_hold_must_be_a_sentence() -> None:
    inside = [ask(f"t:{n}", f"Tell crew {n} where do grey gulls sleep?", "x") for n in range(40)]
    alone = [ask(f"s:{n}", f"To crew {n}. Where do grey gulls sleep?", "x") for n in range(40)]
    assert [each.row for each in find([*inside, *alone], "Where do grey gulls sleep?")] == [row.id for row in alone]
    assert len(find(inside[:5], "Where do grey gulls sleep?")) == 5


def test_every_turn_is_read_and_evidence_is_what_stands_there() -> None:
    turns = (
        Turn("user", "Go on."),
        Turn("assistant", "Tell me first —  how DEEP, really, is the “northern” harbor? Then we talk."),
        Turn("user", "No."),
        Turn("assistant", "Fine."),
    )
    (finding,) = find([Example("t:1", turns)], "How deep really is the northern harbor?")
    assert finding.evidence == "how DEEP, really, is the “northern” harbor"
    (second,) = find([Example("t:2", (*turns[:2], Turn("user", "why"), turns[3]))], "Why?")
    assert second.verdict == "exact"


@pytest.mark.parametrize(
    ("prompt", "question", "score"),
    [
        ("Please tell me what the depth of the harbor is.", "What is the depth of the harbor?", 1.0),
        ("How deep is the northern harbro?", "How deep is the northern harbor?", 4 / 5),
        ("How deep is the southern harbor?", "How deep is the northern harbor?", None),
        ("How deep isn't the northern harbor?", "How deep is the northern harbor?", None),
        ("How do I sail 12 boats at night?", "How do I sail 14 boats at night?", None),
        ("How deep is the harbor of Kuran?", "How deep is the harbor of Kiran?", None),
    ],
)
def test_other_words_and_slips_are_seen_through_and_other_questions_are_not(
    prompt: str, question: str, score: float | None
) -> None:
    found = [(each.verdict, each.score) for each in find([ask("t:1", prompt, "x")], question)]
    assert found == ([] if score is None else [("paraphrase", pytest.approx(score))])


def test_the_figure_counts_verdicts_and_questions_held() -> None:
    rows = [
        ask("t:1", "Why do gulls sleep?", "x"),
        ask("t:2", "Hm. Why do gulls sleep? So.", "x"),
        ask("t:3", "A", "x"),
    ]
    findings, figure = look(rows, "Why do gulls sleep?", "How deep is it?")
    assert len(findings) == 2
    assert figure.value["verdicts"] == {"exact": 1, "contained": 1, "n-gram": 0, "paraphrase": 0}
    assert figure.value["sets"] == {"e": {"items": 2, "held": 1}}
    assert "2 rows hold one of 2 evaluation questions (1 exact, 1 contained" in figure.says


WORDS = st.lists(st.sampled_from(["tide", "kelp", "rock", "gull", "7"]), max_size=11)
SAID = st.lists(st.lists(WORDS, min_size=1, max_size=3), min_size=1, max_size=6)
QUESTIONS = st.lists(WORDS, min_size=1, max_size=5)
TEXT = st.text("ab.,?! \n'\"(’ﬁé1", max_size=40)
ASKED = st.lists(st.sampled_from(["a", "b", "ab", "fi", "é", "1"]), max_size=6)


@settings(max_examples=150, deadline=None)
@given(SAID, QUESTIONS)
def test_stretches_are_those_of_plain_python(texts: list[list[list[str]]], questions: list[list[str]]) -> None:
    asked = sought(questions)
    shared = (held(texts, asked) @ asked.of.T).toarray()
    for at, question in enumerate(questions):
        width = min(len(question), GRAM)
        stretches = {tuple(question[n : n + width]) for n in range(len(question) - width + 1)} if width >= 3 else set()
        assert asked.of[[at]].sum() == len(stretches)
        for row, text in enumerate(texts):
            said = {tuple(part[n : n + width]) for part in text for n in range(len(part) - width + 1)}
            assert shared[row, at] == len(stretches & said)


@settings(max_examples=150, deadline=None)
@given(TEXT, ASKED)
def test_a_span_lies_in_the_text_and_holds_its_words(text: str, asked: list[str]) -> None:
    where = span(text, asked)
    assert (where is None) == (not set(asked) & {word for part in text.split() for word in words(part)})
    if where:
        inside = [word for part in text[where.start : where.end].split() for word in words(part)]
        assert 0 <= where.start < where.end <= len(text)
        assert len(inside) >= where.words


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public sets are not here")
def test_public_sets_that_overlap_and_that_do_not() -> None:
    alpaca = read(SHARED / "alpaca_subset/alpaca_data.json").examples
    again = read_eval_set(SHARED / "alpaca_subset/alpaca_ref.json")
    assert 450 <= len(look(alpaca, *(text for _, text in again.items))[0]) <= 452
    train = tuple(ask(id, text, "x") for id, text in read_questions(SHARED / "gsm8k/train.jsonl"))
    test = read_eval_set(SHARED / "gsm8k/test.jsonl")
    assert len(look(train, *(text for _, text in test.items))[0]) <= 3
