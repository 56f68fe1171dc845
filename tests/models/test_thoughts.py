"""A thought is told from the answer, whatever marks it has, and an answer without one stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.models.thoughts import SIGNS, is_piece, opens_thought, split_thought, with_thought

HARMONY = "<|end|><|start|>assistant<|channel|>final<|message|>"
PAIRS = [
    ("<think>", "</think>"),
    ("<think>\n", "\n</think>\n\n"),
    ("<Thinking>", "</THINKING> "),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("<|channel|>analysis<|message|>", HARMONY),
    ("<|channel|>analysis<|message|>", "<|channel|>final <|constrain|>json<|message|>"),
]
LETTERS = st.characters(exclude_characters=SIGNS, exclude_categories=["Cs"])
WORDS = st.text(LETTERS, min_size=1).filter(lambda text: text.strip() == text)
PIECES = st.sampled_from([mark.strip() for pair in PAIRS for mark in pair] + ["yes", " ", "\n", "<", "a < b", "[1]"])


@pytest.mark.parametrize(("opens", "closes"), PAIRS)
@pytest.mark.parametrize("before", ["", "\n  "])
def test_a_closed_thought_and_what_follows_it(opens: str, closes: str, before: str) -> None:
    assert split_thought(f"{before}{opens}They ask a lot.{closes}It is deep.") == ("They ask a lot.", "It is deep.")
    assert split_thought(f"They ask a lot.{closes}It is deep.") == ("They ask a lot.", "It is deep.")
    assert split_thought(f"{opens}{closes}It is deep.") == ("", "It is deep."), "an empty thought is none"
    assert split_thought(f"{opens}They ask a lot.{closes}") == ("They ask a lot.", "")


@pytest.mark.parametrize("opens", sorted({opens for opens, _ in PAIRS}))
def test_a_thought_that_is_never_closed_is_everything(opens: str) -> None:
    assert split_thought(f"{opens}They ask a lot.") == ("They ask a lot.", "")
    assert split_thought(f"a</think> {opens}b")[1] == "", "one was closed and another one opened"
    mentioned = f"In a transcript one writes {opens}."
    assert split_thought(mentioned) == ("", mentioned)


def test_where_the_prompt_opened_it_a_text_that_closes_none_is_all_thought() -> None:
    assert split_thought("They ask a lot.", opened=True) == ("They ask a lot.", "")
    assert split_thought("They ask.</think>It is deep.", opened=True) == ("They ask.", "It is deep.")
    assert split_thought("<think>They ask.", opened=True) == ("They ask.", "")
    assert split_thought("", opened=True) == ("", "")


@given(WORDS, WORDS, st.sampled_from(PAIRS))
def test_the_parts_come_apart_as_they_were_joined(thought: str, answer: str, pair: tuple[str, str]) -> None:
    assert split_thought(f"{pair[0]}{thought}{pair[1]}{answer}") == (thought, answer)


@given(st.text(LETTERS))
def test_a_text_without_a_mark_is_unchanged(text: str) -> None:
    assert split_thought(text) == ("", text)


@given(st.lists(PIECES | WORDS, max_size=8).map("".join))
def test_whatever_stands_in_a_text_both_parts_are_its_own_and_the_answer_holds_no_thought(text: str) -> None:
    thought, answer = split_thought(text)
    assert thought in text
    assert text.endswith(answer)
    assert split_thought(answer) == ("", answer)


def test_a_thought_that_came_apart_is_joined_by_what_the_text_holds_and_said_once() -> None:
    assert with_thought("", "Deep.") == ("", "Deep.")
    assert with_thought("Hm.\n", "Deep.") == ("Hm.", "Deep.")
    assert with_thought("Hm.", "<think>\nHm.\n</think>Deep.") == ("Hm.", "Deep.")
    assert with_thought("Hm.", "<think>Or so.</think>Deep.") == ("Hm.\n\nOr so.", "Deep.")
    assert with_thought("Hm.", "") == ("Hm.", "")


def test_a_prompt_that_ends_in_an_opening_mark_opens_a_thought() -> None:
    assert opens_thought("<|Assistant|><think>\n")
    assert opens_thought("[THINK]")
    assert not opens_thought("<|Assistant|><think>\n\n</think>\n\n")
    assert not opens_thought("What is <think> for?<|Assistant|>")


def test_pieces_of_marks_are_known() -> None:
    assert all(
        map(is_piece, ["<think>", "</think>", "[/THINK]", "<|channel|>", "<|message|>", "<|start|>", "<channel|>"])
    )
    assert not any(map(is_piece, ["<|im_end|>", "<s>", "think", "<|user|>", "[INST]"]))
