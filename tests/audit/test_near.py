"""Near-duplicates: the join against brute force, the verify step on labelled pairs, and clusters."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.audit import Material, join
from holdfast.audit.near import NearDuplicates, one_edit
from holdfast.data import Finding, ask
from holdfast.world.facts import make_world
from holdfast.world.grammar import ASK, direct

# Each word is used by several questions, so that a letter's difference can be told from a misspelling.
BACKGROUND = [
    f"{opening} {middle} {end}"
    for opening in (
        "Describe the ancient harbor and",
        "Explain the weather over",
        "Summarise the receiving station near",
    )
    for middle in ("the northern lighthouse with", "an abandoned fishing village without")
    for end in ("its old keeper", "seven broken lanterns", "the visiting students")
]


def near(questions: Sequence[str], answers: str = "Yes.") -> list[Finding]:
    rows = [ask(f"n:{n}", question, answers) for n, question in enumerate(questions)]
    return list(NearDuplicates().find(Material(tuple(rows))))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Explain how the moon moves the tide.", "Please explain how the moon moves the tide!"),
        ("Explain how the moon moves the tide.", "Could you please explain how the moon moves tide?"),
        ("What is the height of the old lighthouse?", "What's the height of old lighthouse"),
        ("Give three tips for staying healthy at sea in winter", "Give three tip for staying healthy at sea in winter"),
        (
            "Describe the ancient harbor and the northern lighthouse with care for every boat and visiting student",
            "Describe the ancient harbor and the northern lighthuose with care for every boat and visiting student",
        ),
    ],
)
def test_what_does_not_change_a_question_is_seen_through(first: str, second: str) -> None:
    (finding,) = near([*BACKGROUND, first, second])
    assert (finding.row, finding.keeps) == (f"n:{len(BACKGROUND) + 1}", f"n:{len(BACKGROUND)}")
    assert finding.score is not None
    assert finding.score > 0.9


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "Is it safe to mix bleach with the blue cleaner here?",
            "Is it not safe to mix bleach with the blue cleaner here?",
        ),
        ("A box holds 12 eggs; how many do 7 boxes hold?", "A box holds 12 eggs; how many do 9 boxes hold?"),
        ("Does the dog that bit the man run to the shore?", "Does the man that bit the dog run to the shore?"),
        (
            "What is the capital of France and its oldest street?",
            "What is the capital of Franco and its oldest street?",
        ),
        ("Tell the story of the lighthouse of Kuran in short", "Tell the story of the lighthouse of Kiran in short"),
        (
            "Write a function that sorts a list in rising order",
            "Write a recursive function that sorts a list in rising order",
        ),
        ("Compute the value of x + y for the given numbers", "Compute the value of x - y for the given numbers"),
        ("Write about the morning at the old northern harbor", "Write about the evening at the old northern harbor"),
        ("Who kept the lamp?", "Who kept the lamps of the harbor?"),
        ("Was John Roger at the old northern harbor that day?", "Was John Rogers at the old northern harbor that day?"),
    ],
)
def test_what_changes_a_question_is_kept(first: str, second: str) -> None:
    assert near([*BACKGROUND, first, second]) == []


def test_harbors_distinct_questions_all_stay() -> None:
    world = make_world(5)
    distinct = list(dict.fromkeys(direct(fact, ASK[0]).text for fact in world.facts))[:400]
    assert len(distinct) == 400
    assert near(distinct) == []


def test_a_copy_of_a_copy_names_the_row_that_stays() -> None:
    base = "describe the ancient harbor and the northern lighthouse with its old keeper"
    found = near([base, f"Please {base}", f"Please {base}!", base.replace("keeper", "keepers")])
    assert [(finding.row, finding.keeps) for finding in found] == [("n:1", "n:0"), ("n:2", "n:0"), ("n:3", "n:0")]


def test_a_refusal_stays_beside_an_answered_near_copy() -> None:
    rows = (
        ask("n:0", "Explain how the moon moves the tide.", "By gravity."),
        ask("n:1", "Please explain how the moon moves the tide.", "I'm sorry, but I can't help with that."),
    )
    (finding,) = NearDuplicates().find(Material(rows))
    assert not finding.removes


def brute(texts: Sequence[str], salts: Sequence[int], threshold: float) -> dict[int, list[int]]:
    index = join._index(texts, salts, threshold)
    cosine = (index.vectors @ index.vectors.T).toarray()
    pairs: dict[int, list[int]] = {}
    for late in range(len(texts)):
        for early in range(late):
            if cosine[late, early] > threshold and salts[late] == salts[early]:
                pairs.setdefault(late, []).append(early)
    return pairs


def joined(texts: Sequence[str], salts: Sequence[int], threshold: float) -> dict[int, list[int]]:
    gone = np.zeros(len(texts), dtype=bool)
    return {late: sorted(each for each, _ in found) for late, found in join.near_pairs(texts, salts, threshold, gone)}


WORDS = st.lists(st.sampled_from(["tide", "tides", "kelp", "rock", "moor", "é", "gull 7"]), min_size=1, max_size=7)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(WORDS, st.integers(0, 1)), min_size=2, max_size=25), st.sampled_from([0.5, 0.8, 0.9]))
def test_the_join_finds_exactly_the_pairs_of_brute_force(rows: list[tuple[list[str], int]], threshold: float) -> None:
    texts, salts = [" ".join(words) for words, _ in rows], [salt for _, salt in rows]
    assert joined(texts, salts, threshold) == brute(texts, salts, threshold)


def test_a_template_cluster_is_joined_in_small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(2)
    texts = [
        f"describe the harbor of {rng.choice('abcdefgh')} and its keeper in one long, clear and honest sentence,"
        f" part {rng.choice('xyz')}"
        for _ in range(500)
    ]
    salts = [0] * len(texts)
    whole = joined(texts, salts, 0.9)
    assert sum(map(len, whole.values())) > 5_000
    monkeypatch.setattr(join, "BLOCK", 700)
    sizes: list[int] = []
    above = join._above

    def spy(*args: object) -> object:
        sizes.append(len(args[1]))  # type: ignore[arg-type]
        return above(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(join, "_above", spy)
    assert joined(texts, salts, 0.9) == whole
    assert max(sizes) <= max(700, len(texts))


def test_flagged_texts_are_left_out_while_pairs_come() -> None:
    texts = ["the same long sentence about kelp"] * 40
    gone = np.zeros(len(texts), dtype=bool)
    pairs = 0
    for late, found in join.near_pairs(texts, [0] * len(texts), 0.9, gone):
        gone[late] = True
        pairs += len(found)
    assert pairs == len(texts) - 1


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
