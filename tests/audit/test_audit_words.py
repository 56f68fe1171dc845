"""Words are read part by part, and are the same as if the whole text were read at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.audit.words import TOKEN, folded, normal, opened, words

PIECES = st.sampled_from(
    ["can't", "won't", "1,000", "3.5", "who's", "John's", "'s", "n't", ",000", "can", "not", " ", "\n", "\t", "\x1c",
     "\u00a0", "\u2003", "\u00a8", "\u0308", "\u03a3", "\u1e9e", "\ufb01", "\u2019", "\u2014", "\ud800", "I", "x+y"]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join))
def test_words_are_those_of_the_whole_text(text: str) -> None:
    assert words(text) == TOKEN.findall(opened(folded(text)))


@pytest.mark.parametrize("text", ["What is it?", "  what\n is\u00a0it", '"What is it"!', ". What is it ."])
def test_case_space_and_marks_at_the_ends_do_not_count(text: str) -> None:
    assert normal(text) == "what is it"
