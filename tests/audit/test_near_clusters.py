"""The forest against all pairs, which rows stay, and another threshold without looking again."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.audit import Audit, Nearness, Settings, audit
from holdfast.audit import clusters as module
from holdfast.audit.clusters import Growing, standing
from holdfast.audit.rethreshold import rethreshold
from holdfast.data import Dataset, Fault, ask
from holdfast.errors import ConfigError

ROWS = 12
GRID = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
PAIRS = st.lists(
    st.tuples(st.integers(0, ROWS - 1), st.integers(0, ROWS - 1), st.sampled_from(GRID)).filter(
        lambda pair: pair[0] != pair[1]
    ),
    max_size=40,
)


def grown(pairs: list[tuple[int, int, float]], at_once: int) -> module.Forest:
    growing = Growing(ROWS, 0.5)
    for start in range(0, len(pairs), at_once):
        left, right, cosine = zip(*pairs[start : start + at_once], strict=True)
        growing.add(np.array(left), np.array(right), np.array(cosine))
    return growing.forest()


def first_of(pairs: list[tuple[int, int, float]], threshold: float) -> list[int]:
    """By hand: each row's cluster, as its first row."""
    label = list(range(ROWS))
    for _ in range(ROWS):
        for left, right, cosine in pairs:
            if cosine > threshold or cosine == 1.0:
                label[left] = label[right] = min(label[left], label[right])
    return label


@settings(max_examples=150, deadline=None)
@given(PAIRS, st.sampled_from(GRID), st.integers(1, 9))
def test_a_forest_has_the_clusters_of_all_pairs_at_any_threshold(
    pairs: list[tuple[int, int, float]], threshold: float, at_once: int
) -> None:
    forest = grown(pairs, at_once)
    assert len(forest.left) < ROWS
    assert forest.clusters(threshold).tolist() == first_of(pairs, threshold)


@settings(max_examples=100, deadline=None)
@given(PAIRS, st.randoms(use_true_random=False), st.integers(1, 9))
def test_a_forest_is_the_same_in_whatever_order_and_blocks_pairs_come(
    pairs: list[tuple[int, int, float]], rng: Any, at_once: int
) -> None:
    module.HELD, held = 10, module.HELD
    try:
        one = grown(pairs, len(pairs) + 1)
        other = grown([pair[1::-1] + pair[2:] for pair in rng.sample(pairs, len(pairs))], at_once)
    finally:
        module.HELD = held
    for name in ("left", "right", "cosine"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()


@settings(max_examples=100, deadline=None)
@given(PAIRS, st.sampled_from(GRID[:-1]))
def test_the_weakest_link_is_where_two_rows_part(pairs: list[tuple[int, int, float]], threshold: float) -> None:
    forest = grown(pairs, 50)
    for (end, row), score in forest.weakest(threshold, range(ROWS)).items():
        if end == row:
            continue
        assert score > threshold or score == 1.0
        assert forest.clusters(score - 1e-9)[end] == forest.clusters(score - 1e-9)[row]
        if score < 1.0:
            assert forest.clusters(score)[end] != forest.clusters(score)[row]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_each_row_goes_to_the_first_that_stays_and_asks_the_same(cluster: list[int], kind: list[int]) -> None:
    first = np.array([cluster.index(each) for each in cluster])
    kinds = np.array(kind)
    stays = standing(first, lambda left, right: np.abs(kinds[left] - kinds[right]) <= 1)
    for row, kept in enumerate(stays.tolist()):
        earlier = [at for at in range(row) if first[at] == first[row] and stays[at] == at]
        wanted = [at for at in earlier if abs(kind[at] - kind[row]) <= 1]
        assert kept == (wanted[0] if wanted else row)


TEXTS = st.sampled_from(
    [
        *(f"{verb} how the {size} boats sail on the {tide} tide" for verb in ("Explain", "Please explain")
          for size in ("old", "olde") for tide in ("evening", "evenin", "evenng")),
        "Explain how the old boat sailed on the evening tide", "Tell me how the old boats sail on the evening tide",
        "How do the old boats sail on the evening tide", "How do I bomb a house", "Why do boats sail", "no",
    ]
)  # fmt: skip
ANSWERS = st.sampled_from(["By the wind.", "I'm sorry, but I can't help with that."])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(TEXTS, ANSWERS), min_size=1, max_size=25),
    st.sampled_from((0.86, 0.9, 0.93, 0.97)),
    st.sampled_from((0.86, 0.9, 0.93, 0.97)),
)
def test_another_threshold_gives_what_an_audit_with_it_gives(
    rows: list[tuple[str, str]], one: float, other: float
) -> None:
    examples = tuple(ask(f"a:{at}", question, answer) for at, (question, answer) in enumerate(rows))
    data = (
        Dataset("a", "alpaca", examples[::2], (Fault("a:99", 99, "broken", "{"),)),
        Dataset("b", "alpaca", examples[1::2]),
    )
    restore = frozenset({"a:1", "a:2"})
    first = audit(data, Settings(nearness=Nearness(threshold=one), restore=restore))
    wanted = audit(data, Settings(nearness=Nearness(threshold=other), restore=restore))
    again = rethreshold(first, data, other, restore)
    assert seen(again) == seen(wanted)


def seen(result: Audit) -> dict[str, Any]:
    """All that near-duplicates decide; checks that ran after them looked at other rows."""
    return {
        "rows": [row.id for row in result.kept],
        "quarantined": [asdict(each) for each in result.quarantined],
        "findings": [asdict(each) for each in result.findings if each.check == "near-duplicate"],
        "count": result.counts["near-duplicate"],
        "figure": next(asdict(each) for each in result.figures if each.name == "nearness"),
    }


def test_a_threshold_below_the_floor_and_an_audit_without_links_are_refused() -> None:
    data = (Dataset("a", "alpaca", (ask("a:1", "Why do the boats sail?", "Wind."),)),)
    result = audit(data)
    with pytest.raises(ConfigError, match=r"above 0\.85 only"):
        rethreshold(result, data, 0.8)
    bare = type(result)(1, result.kept, (), (), {})
    with pytest.raises(ConfigError, match="no links"):
        rethreshold(bare, data, 0.9)
