"""Near-duplicates: labelled pairs, which row stays, clusters, what the figure shows, and memory."""

import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest

from holdfast.audit import Figure, Material, Nearness
from holdfast.audit.near import NearDuplicates
from holdfast.data import Example, Finding, ask, read
from holdfast.vectors import Vectors, WordLlama
from holdfast.workers import Workers
from holdfast.world.facts import make_world
from holdfast.world.grammar import ASK, direct

SHARED = Path("../shared/data")
NGRAMS = Nearness()
WORDLLAMA = Nearness(WordLlama())

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


class Alike:
    """An encoder to which everything is nearly the same: what stays, stays by comparison of words alone."""

    name = "alike"
    origin = "made for this test"

    def encode(self, texts: Sequence[str], workers: Workers) -> Vectors:
        return np.tile(np.float32([0.6, 0.8]), (len(texts), 1))


ALIKE = Nearness(Alike())


def look(rows: Sequence[Example], nearness: Nearness = NGRAMS) -> tuple[list[Finding], Figure]:
    *findings, figure = NearDuplicates().find(Material(tuple(rows), nearness=nearness))
    assert isinstance(figure, Figure)
    return [each for each in findings if isinstance(each, Finding)], figure


def near(questions: Sequence[str], nearness: Nearness = NGRAMS) -> list[Finding]:
    return look([ask(f"n:{n}", question, "Yes.") for n, question in enumerate(questions)], nearness)[0]


SAME = [
    ("Explain how the moon moves the tide.", "Please explain how the moon moves the tide!"),
    ("Explain how the moon moves the tide.", "Could you please explain how the moon moves tide?"),
    ("What is the height of the old lighthouse?", "What's the height of old lighthouse"),
    ("Why can't a gull sail 1,000 miles?", "Why can not a gull sail 1000 miles"),
]
REWORDED = [
    ("Give three tips for staying healthy at sea in winter", "Give three tip for staying healthy at sea in winter"),
    ("Give three tips for staying healthy at sea in winter", "List 3 tips for staying healthy at sea in winter"),
    ("What is the capital of the northern kingdom?", "Tell me the capital of the northern kingdom."),
    ("What is the capital of the northern kingdom?", "Tell me what the capital of the northern kingdom is."),
    ("How do I mend the nets of a fishing boat?", "How to mend the nets of a fishing boat?"),
    ("Summarise how the colour of the water changed", "Summarize how the color of the water changes"),
    ("Write a poem about the keeper of the light", "Write me a poem about the keeper of the light"),
    (
        "Describe the ancient harbor and the northern lighthouse with care for every boat and visiting student",
        "Describe the ancient harbor and the northern lighthuose with care for every boat and visiting student",
    ),
]
APART = [
    (
        "Is it safe to mix bleach with the blue cleaner here?",
        "Is it not safe to mix bleach with the blue cleaner here?",
    ),
    ("A box holds 12 eggs; how many do 7 boxes hold?", "A box holds 12 eggs; how many do 9 boxes hold?"),
    ("A box holds 12 eggs; how many do 7 boxes hold?", "A box holds 7 eggs; how many do 12 boxes hold?"),
    ("Does the dog that bit the man run to the shore?", "Does the man that bit the dog run to the shore?"),
    ("Show the flights from Paris to London in March", "Show the flights to Paris from London in March"),
    ("Write a program that reverses a list", "Write a program that reverses a string"),
    ("What is the capital of France and its oldest street?", "What is the capital of Franco and its oldest street?"),
    ("Tell the story of the lighthouse of Kuran in short", "Tell the story of the lighthouse of Kiran in short"),
    (
        "Write a function that sorts a list in rising order",
        "Write a recursive function that sorts a list in rising order",
    ),
    ("Compute the value of x + y for the given numbers", "Compute the value of x - y for the given numbers"),
    ("Write about the morning at the old northern harbor", "Write about the evening at the old northern harbor"),
    ("Who kept the lamp?", "Who kept the lamps of the harbor?"),
    ("Was John Roger at the old northern harbor that day?", "Was John Rogers at the old northern harbor that day?"),
    ("Describe the paint of the old harbor wall", "Describe the painting of the old harbor wall"),
    ("Find the mean of the given numbers", "Find the meaning of the given numbers"),
    ("Give me a joke about the sea", "What is a joke about the sea?"),
    ("Can I swim in the cold northern bay?", "Should I swim in the cold northern bay?"),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_what_does_not_change_a_question_is_seen_through_without_an_encoder(first: str, second: str) -> None:
    (finding,) = near([*BACKGROUND, first, second])
    assert (finding.row, finding.keeps) == (f"n:{len(BACKGROUND) + 1}", f"n:{len(BACKGROUND)}")
    assert (finding.score, finding.verdict) == (1.0, "equal")


@pytest.mark.parametrize(("first", "second"), REWORDED)
def test_harmless_rewordings_are_the_same_where_an_encoder_says_so(first: str, second: str) -> None:
    (finding,) = near([*BACKGROUND, first, second], ALIKE)
    assert (finding.keeps, finding.verdict) == (f"n:{len(BACKGROUND)}", "near")


@pytest.mark.parametrize(("first", "second"), APART)
@pytest.mark.parametrize("nearness", [ALIKE, WORDLLAMA, NGRAMS], ids=lambda nearness: nearness.encoder.name)
def test_what_changes_a_question_is_kept_whatever_the_encoder_says(first: str, second: str, nearness: Nearness) -> None:
    assert near([*BACKGROUND, first, second], nearness) == []


def test_harbors_distinct_questions_all_stay() -> None:
    world = make_world(5)
    distinct = list(dict.fromkeys(direct(fact, ASK[0]).text for fact in world.facts))[:400]
    assert len(distinct) == 400
    assert near(distinct) == near(distinct, WORDLLAMA) == near(distinct, ALIKE) == []


def test_a_copy_of_a_copy_names_the_row_that_stays() -> None:
    base = "describe the ancient harbor and the northern lighthouse with its old keeper"
    found = near([base, f"Please {base}", f"Please {base}!", base.replace("keeper", "keepers")])
    assert [(finding.row, finding.keeps) for finding in found] == [("n:1", "n:0"), ("n:2", "n:0"), ("n:3", "n:0")]
    assert all("of 4 like it the first stays" in finding.reason for finding in found)
    assert found[2].score is not None
    assert 0.9 < found[2].score < 1


def test_the_score_is_where_a_threshold_would_part_the_two() -> None:
    rows = [*BACKGROUND, "Give 3 tips for a calm sea", "List three tips for calm seas"]
    (finding,) = near(rows, ALIKE)
    assert near(rows, Nearness(Alike(), threshold=finding.score - 1e-4, floor=0.5)) == [finding]


def test_a_refusal_stays_beside_an_answered_near_copy() -> None:
    rows = (
        ask("n:0", "Explain how the moon moves the tide.", "By gravity."),
        ask("n:1", "Please explain how the moon moves the tide.", "I'm sorry, but I can't help with that."),
    )
    (finding,), _ = look(rows)
    assert not finding.removes
    (finding,), _ = look(tuple(ask(f"m:{at}", row.prompt, rows[1].answer) for at, row in enumerate(rows)))
    assert finding.removes


def test_a_chain_of_slips_does_not_carry_a_row_away() -> None:
    known = [f"Where is the {thing} {place}" for thing in ("kettle", "nettle") for place in ("now", "then", "later")]
    chain = [f"Boil the {thing} on the old stove" for thing in ("kettle", "ettle", "nettle")]
    findings, figure = look([ask(f"n:{n}", text, "Yes.") for n, text in enumerate([*chain, *known])], ALIKE)
    assert [(each.row, each.keeps) for each in findings] == [("n:1", "n:0")]
    (chained,) = figure.value["chained"]
    assert (chained["row"], chained["other"]) == ("n:2", "n:0")
    assert chained["because"] == "other words: kettle / nettle"


def test_the_figure_says_what_was_seen() -> None:
    rows = [
        ask(f"n:{n}", text, "Yes.") for n, text in enumerate([*BACKGROUND, *REWORDED[2], *APART[1], REWORDED[2][0]])
    ]
    findings, figure = look(rows, ALIKE)
    value = figure.value
    asked = len(rows) - 1
    assert value["questions"] == asked
    assert value["pairs"]["same"] + value["pairs"]["apart"] == asked * (asked - 1) // 2
    assert value["histogram"]["same"][-1] == value["pairs"]["same"] == 1
    assert len(value["links"]) == len(findings) == 2
    assert {tuple(pair["texts"]) for pair in value["borderline"]} == {REWORDED[2][::-1]}
    assert value["clusters"]["sizes"] == {"3": 1}
    assert value["clusters"]["largest"][0]["first"] == f"n:{len(BACKGROUND)}"
    assert 0 < len(value["apart"]) <= 20
    assert value["encoder"] == "alike"


def test_reasons_for_staying_apart() -> None:
    because = {}
    for kind, at in (("number", 1), ("negation", 0), ("order", 3), ("words", 10)):
        rows = [ask(f"n:{n}", text, "Yes.") for n, text in enumerate(APART[at])]
        because[kind] = look(rows, ALIKE)[1].value["apart"][0]["because"]
    assert because == {
        "number": "other numbers: 7 / 9",
        "negation": "a negation in one of them",
        "order": "the same words in another order",
        "words": "other words: morning / evening",
    }


def templated(count: int) -> list[Example]:
    """Rows of one template: nearly all pairs lie above the floor, and one in three rows repeats an earlier one."""
    rng = Random(2)
    texts = [
        f"Describe the harbor of town {rng.randrange(count)} and its keeper in one long, clear and honest sentence"
        for _ in range(count)
    ]
    return [ask(f"n:{n}", text if n % 2 else f"Please {text.lower()}", "Yes.") for n, text in enumerate(texts)]


def test_a_template_cluster_takes_memory_in_proportion_to_its_rows() -> None:
    rows = templated(3_000)
    distinct = len({row.prompt.removeprefix("Please ").lower() for row in rows})
    tracemalloc.start()
    findings, figure = look(rows, WORDLLAMA)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(findings) == len(rows) - distinct
    assert figure.value["pairs"]["apart"] > 1_000_000
    assert len(figure.value["links"]) == len(findings)
    assert peak < 200e6


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public sets are not here")
@pytest.mark.parametrize("nearness", [NGRAMS, WORDLLAMA], ids=lambda nearness: nearness.encoder.name)
def test_real_rows_that_only_look_alike_stay(nearness: Nearness) -> None:
    assert look(read(SHARED / "alpaca_subset/alpaca_data.json").examples, nearness)[0] == []
    findings, figure = look(read(SHARED / "sqlgen/sqlgen_train.json").examples, nearness)
    assert findings == []
    assert figure.value["pairs"]["apart"] > 100


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Give the plural of the word: lighthouse keeper", "Give the plural of the word: lighthouse keepers"),
        ("Fix the grammar: she are a doctor at the harbor", "Fix the grammar: she is a doctor at the harbor"),
        ("What is the plural of 'lantern' in the old tongue?", "What is the plural of 'lanterns' in the old tongue?"),
        ("Add the article that lacks: I saw dog", "Add the article that lacks: I saw a dog"),
    ],
)
def test_words_that_are_asked_about_do_not_bend(first: str, second: str) -> None:
    assert near([*BACKGROUND, first, second]) == []


def test_a_recall_that_nothing_was_measured_on_is_not_shown_as_one() -> None:
    rows = tuple(
        ask(f"n:{n}", question, "Yes.") for n, question in enumerate(["Who keeps the old lamp?", "How deep is it now?"])
    )
    nearness = Nearness(WordLlama(), approximately=np.random.default_rng(0))
    (figure,) = (each for each in NearDuplicates().find(Material(rows, nearness=nearness)) if isinstance(each, Figure))
    assert figure.value["recall"]["share"] is None
    assert "not measured" in figure.says
    assert "100.0%" not in figure.says
