import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.data.example import Example, ask
from holdfast.errors import ConfigError
from holdfast.mix import Mix, Mixture, Sources, mix

KINDS = ("chess", "baking", "knitting")
REFUSALS = [
    Example(f"r:{n}", ask("", "may I?", f"no {n}").turns, json.dumps({"category": KINDS[n % 3]})) for n in range(30)
]
OLD = [ask(f"o:{n}", "what was?", str(n)) for n in range(50)]
SOURCES = Sources({"template": REFUSALS, "long": REFUSALS[:5]}, OLD)


def data(n):
    return [ask(f"d:{i}", "how?", str(i)) for i in range(n)]


@given(n=st.integers(0, 40), seed=st.integers(0, 9))
def test_nothing_added_is_the_data_in_its_order(n, seed):
    rows = data(n)
    assert mix(rows, Mix(seed=seed), Sources()) == Mixture(tuple(rows), {"data": n, "refusals": 0, "old": 0})


@given(
    n=st.integers(1, 40),
    safety=st.one_of(st.integers(0, 30), st.floats(0, 0.7)),
    rehearsal=st.one_of(st.integers(0, 50), st.floats(0, 0.999)),
    seed=st.integers(0, 9),
)
def test_the_sources_sum_to_the_rows_and_no_row_comes_twice(n, safety, rehearsal, seed):
    rows = data(n)
    mixture = mix(rows, Mix(safety, rehearsal=rehearsal, seed=seed), SOURCES)
    assert sum(mixture.sources.values()) == len(mixture.examples)
    assert len({example.id for example in mixture.examples}) == len(mixture.examples)
    assert mixture.examples[:n] == tuple(rows)
    assert Counter(example.id[0] for example in mixture.examples) == Counter(
        {"d": n, "r": mixture.sources["refusals"], "o": mixture.sources["old"]}
    )


@pytest.mark.parametrize(("amount", "added"), [(0, 0), (0.001, 1), (0.05, 10), (0.1, 20), (1, 1), (1.0, 1), (7, 7)])
def test_below_one_is_a_share_and_from_one_a_count(amount, added):
    assert mix(data(200), Mix(amount), SOURCES).sources["refusals"] == added
    assert mix(data(200), Mix(rehearsal=amount), SOURCES).sources["old"] == added


@given(count=st.integers(1, 30), seed=st.integers(0, 9))
def test_refusals_are_spread_evenly_over_categories(count, seed):
    added = mix([], Mix(count, seed=seed), SOURCES).examples
    shares = Counter(example.row["category"] for example in added)
    counts = [shares[kind] for kind in KINDS]
    assert max(counts) - min(counts) <= 1


def test_a_small_category_gives_what_it_has_and_the_others_the_rest():
    few = Sources({"template": [*REFUSALS[:2], *REFUSALS[2::3]]})
    added = Counter(example.row["category"] for example in mix([], Mix(8), few).examples)
    assert added == {"chess": 1, "baking": 1, "knitting": 6}


@given(st.integers(0, 9))
def test_a_larger_amount_holds_the_smaller_one(seed):
    small, large = (set(mix([], Mix(k, rehearsal=k, seed=seed), SOURCES).examples) for k in (6, 17))
    assert small < large


def test_the_amount_of_one_source_does_not_change_what_the_other_gives():
    alone = mix([], Mix(rehearsal=9), SOURCES).examples
    assert mix([], Mix(9, rehearsal=9), SOURCES).examples[9:] == alone


def test_a_seed_gives_one_mixture_and_another_seed_another():
    first, again, other = (mix([], Mix(9, seed=seed), SOURCES) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Mix(31), "31 refusals .* there are 30"),
        (Mix(6, "long"), "6 refusals .* there are 5"),
        (Mix(rehearsal=51), "51 old rows .* there are 50"),
        (Mix(3, "rhyming"), r"style 'rhyming'[\s\S]*template, long"),
    ],
)
def test_more_than_there_is_cannot_be_drawn(settings, words):
    with pytest.raises(ConfigError, match=words):
        mix(data(10), settings, SOURCES)


@pytest.mark.parametrize("amount", [-1, -0.1, 2.5, float("nan"), float("inf")])
def test_an_amount_that_cannot_be_is_refused_and_all_are_named(amount):
    with pytest.raises(ConfigError, match=r"safety = .*rehearsal = "):
        Mix(amount, rehearsal=amount)
