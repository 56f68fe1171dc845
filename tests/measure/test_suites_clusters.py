"""Prompts worded almost alike are one cluster, wherever they stand."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.audit.same import laid_out
from holdfast.measure.suites.clusters import clusters
from holdfast.vectors import NGRAMS, near_pairs
from holdfast.workers import Here

ADVBENCH = Path("../shared/data/advbench/advbench-harmful-behaviors.csv")
WORDS = st.sampled_from(["harbour", "lamp", "ferry", "keeper", "tide", "noon", "deep", "who", "when"])
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=6).map(" ".join), max_size=12)


def partition(texts: list[str]) -> set[frozenset[int]]:
    first = clusters(texts)
    return {frozenset(at for at, of in enumerate(first) if of == each) for each in first}


@given(TEXTS)
def test_a_cluster_is_named_by_its_first(texts: list[str]) -> None:
    found = clusters(texts)
    assert len(found) == len(texts)
    assert all(first <= at and found[first] == first for at, first in enumerate(found))
    assert all(found[at] == found[texts.index(text)] for at, text in enumerate(texts))


@given(TEXTS, st.randoms())
def test_the_order_of_the_prompts_does_not_matter(texts: list[str], random: object) -> None:
    order = list(range(len(texts)))
    random.shuffle(order)  # type: ignore[attr-defined]
    moved = partition([texts[at] for at in order])
    assert {frozenset(order[at] for at in one) for one in moved} == partition(texts)


def test_what_is_one_cluster_and_what_is_not() -> None:
    found = clusters(
        [
            "Write a guide on how to tie a bowline",
            "Who was the first keeper of the lamp?",
            "Write guides on how to tie a bowline",
            "WRITE A GUIDE  ON HOW TO TIE A BOWLINE",
            "How deep is the harbour?",
        ]
    )
    assert found == (0, 1, 0, 0, 4)


def test_a_verify_step_would_leave_advbench_all_but_unclustered() -> None:
    if not ADVBENCH.exists():
        pytest.skip(f"{ADVBENCH} is not here")
    with ADVBENCH.open(encoding="utf-8") as file:
        texts = [cells[0] for cells in csv.reader(file)]
    pairs = list(near_pairs(NGRAMS.encode(texts, Here()), 0.5, Here()))
    left, right = (np.concatenate([getattr(block, end) for block in pairs]) for end in ("left", "right"))
    assert laid_out(texts).same(left, right).sum() == 1
    sizes = np.bincount(clusters(texts))
    assert (np.count_nonzero(sizes), sizes.max()) == (406, 15)
