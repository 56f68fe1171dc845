"""The comparison of many pairs at once against one pair looked at by hand, and what it is made of."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.audit import same as module
from holdfast.audit.rewording import asked, stem
from holdfast.audit.same import KNOWN, SHORTEST, Names, laid_out, one_edit
from holdfast.audit.words import NEGATIONS, content, words

WORDS = st.sampled_from(
    ["tide", "tides", "lantern", "lanterns", "lanten", "lamtern", "Lantern", "harbour", "harbor", "harbored", "7", "8",
     "not", "+", "the", "of", "keeper", "keepr", "keeps", "Keeper"]
)  # fmt: skip
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=5).map(" ".join), min_size=2, max_size=14)


def by_hand(texts: list[str], one: int, other: int) -> bool:
    """The rule in plain Python."""
    said = [asked(text) for text in texts]
    used = Counter(root for each in said for root in {stem(word) for word in each})
    names = Names(texts, {word for text in texts for word in text.split()})

    def alike(a: str, b: str) -> bool:
        if a == b:
            return True
        fixed = not (a.isalpha() and b.isalpha()) or {a, b} & NEGATIONS or a in names(one) or b in names(other)
        if fixed:
            return False
        rare, common = sorted((stem(a), stem(b)), key=used.__getitem__)
        slip = used[rare] == 1 and used[common] >= KNOWN and min(len(a), len(b)) >= SHORTEST
        return rare == common or (slip and one_edit(a, b))

    a, b = said[one], said[other]
    return len(a) == len(b) and all(map(alike, a, b))


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(1, 30))
def test_all_pairs_at_once_are_decided_as_one_by_one(texts: list[str], at_once: int) -> None:
    questions = laid_out(texts)
    left, right = np.array([(a, b) for a in range(len(texts)) for b in range(len(texts))]).T
    module.AT_ONCE, before = at_once, module.AT_ONCE
    try:
        found = questions.same(left, right)
    finally:
        module.AT_ONCE = before
    assert found.tolist() == [by_hand(texts, a, b) for a, b in zip(left.tolist(), right.tolist(), strict=True)]


def test_rare_words_far_into_a_text_count_too() -> None:
    long = " ".join(f"word{n} and" for n in range(50))
    texts = [f"{long} lantern", f"{long} lanten", f"{long} lamtern", *["a lantern"] * 3]
    same = laid_out(texts).same(np.array([1, 2, 2]), np.array([0, 0, 1]))
    assert same.tolist() == [True, True, False]


def test_a_trusted_spelling_needs_no_company() -> None:
    texts = ["Where is the lanten kept", "Where is the lantern kept"]
    pair = np.array([0]), np.array([1])
    assert not laid_out(texts).same(*pair)[0]
    assert laid_out(texts, trusted=1).same(*pair)[0]


@pytest.mark.parametrize(
    ("a", "b", "one"),
    [
        ("receive", "recieve", True),
        ("harbor", "harbour", True),
        ("harbor", "harbors", True),
        ("tide", "tile", True),
        ("tide", "tied", True),
        ("tide", "ride", True),
        ("tide", "rode", False),
        ("abcd", "badc", False),
        ("same", "same", True),
    ],
)
def test_one_edit(a: str, b: str, one: bool) -> None:
    assert one_edit(a, b) is one
    assert one_edit(b, a) is one


@pytest.mark.parametrize(
    ("a", "b", "one"),
    [
        ("tides", "tide", True), ("cities", "city", True), ("boxes", "box", True), ("stopped", "stops", True),
        ("baked", "bakes", True), ("colours", "color", True), ("summarised", "summarizes", True),
        ("news", "new", False), ("mean", "meaning", False), ("paint", "painting", False), ("means", "mean", False),
        ("need", "ne", False), ("bus", "bu", False), ("physics", "physic", False), ("four", "for", False),
    ],
)  # fmt: skip
def test_stems(a: str, b: str, one: bool) -> None:
    assert (stem(a) == stem(b)) is one


def test_words_open_contractions_and_join_numbers() -> None:
    assert words("Don’t, can't, cannot, it's “Ann's”, they'll: $1,250.50 + 3") == (
        ["do", "not", "can", "not", "can", "not", "it", "is", "ann's", "they", "will", "$", "1250.50", "+", "3"]
    )
    assert content("Hello, could you please tell me the price?") == ["price"]
    assert content("Please!") == ["please"]
