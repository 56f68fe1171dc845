"""The exact joins against brute force, on rows that joins stumble over."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from vector_scenes import KINDS, brute, collected, scene, thinned, unit

from holdfast.vectors import NGRAMS, Vectors, bound, cross_pairs, near_pairs, prefixes, tiles
from holdfast.workers import Here, Threads

FLOORS = st.sampled_from([0.0, 0.3, 0.5, 0.8, 0.9, 0.99, 0.9999999])
SCENES = st.tuples(st.sampled_from(KINDS), st.integers(0, 70), st.sampled_from([1, 2, 3, 8, 40]), st.integers(0, 999))


@contextmanager
def small_parts(shortest: bool) -> Iterator[None]:
    """Tiles and blocks small enough for a test to have many, and rows shortened even if it does not pay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "TILE", 16)
        patch.setattr(tiles, "BLOCK", 5)
        patch.setattr(tiles, "CHECKED", 64)
        patch.setattr(bound, "WIDTHS", (2, 4, 16))
        patch.setattr(bound, "TURNED", 6)
        patch.setattr(bound, "BLOCK", 100)
        patch.setattr(prefixes, "BLOCK", 60)
        patch.setattr(prefixes, "CHUNK", 16)
        patch.setattr(prefixes, "CHECKED", 7)
        if shortest:
            patch.setattr(bound, "LOOKED", -100.0)  # as if each further look paid: two levels of short rows
        yield


@settings(max_examples=200, deadline=None)
@given(SCENES, FLOORS, st.booleans(), st.booleans())
def test_near_pairs_are_those_of_brute_force(
    made: tuple[str, int, int, int], floor: float, shortest: bool, thin: bool
) -> None:
    *which, seed = made
    rng = np.random.default_rng(seed)
    rows: Vectors = scene(*which, rng)
    if thin:
        rows = thinned(rows, rng)
    with small_parts(shortest):
        found = collected(near_pairs(rows, floor, Here()), rows)
        again = collected(near_pairs(rows, floor, Threads(2)), rows)
    assert found == again == brute(rows, None, floor)


@settings(max_examples=200, deadline=None)
@given(SCENES, st.integers(0, 40), FLOORS, st.booleans(), st.booleans())
def test_cross_pairs_are_those_of_brute_force(
    made: tuple[str, int, int, int], others: int, floor: float, shortest: bool, thin: bool
) -> None:
    *which, seed = made
    rng = np.random.default_rng(seed)
    rows: Vectors = scene(*which, rng)
    if thin:
        rows = thinned(rows, rng)
    items = rows[rng.permutation(rows.shape[0])[:others]]
    with small_parts(shortest):
        found = collected(cross_pairs(rows, items, floor, Threads(2)), rows, items)
        again = collected(cross_pairs(items, rows, floor, Here()), items, rows)
    assert found == brute(rows, items, floor)
    assert sorted((right, left) for left, right in again) == found


@pytest.mark.parametrize("kind", KINDS)
def test_at_full_size_the_pairs_are_those_of_brute_force(kind: str) -> None:
    rows = scene(kind, 4_500, 96, np.random.default_rng(3))[: 1_500 if kind == "equal" else None]
    floor = 0.93 if kind == "templates" else 0.3
    product = rows.astype(np.float64) @ rows.T.astype(np.float64)
    want = np.argwhere(np.tril(product > floor, -1))
    blocks = list(near_pairs(rows, floor, Threads(2)))
    found = np.stack(
        [np.concatenate([block.left for block in blocks]), np.concatenate([block.right for block in blocks])], axis=1
    )
    assert len(want) > 1_000
    np.testing.assert_array_equal(found[np.lexsort(found.T[::-1])], want)


def test_a_cosine_at_the_floor_is_not_near() -> None:
    half = np.array([[1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5]], dtype=np.float32)
    assert collected(near_pairs(half, 0.5, Here()), half) == []
    assert collected(near_pairs(half, float(np.nextafter(0.5, 0)), Here()), half) == [(1, 0)]


@settings(max_examples=100, deadline=None)
@given(SCENES, st.integers(1, 12))
def test_short_rows_are_never_further_than_the_long_ones(made: tuple[str, int, int, int], kept: int) -> None:
    *which, seed = made
    rng = np.random.default_rng(seed)
    rows = scene(*which, rng)
    directions = np.linalg.qr(rng.standard_normal((rows.shape[1], rows.shape[1])))[0][:, :kept]
    short = bound._short(rows, directions, (directions.shape[1] + 1, rows.shape[1]), Here()).short.astype(np.float64)
    assert (short @ short.T >= rows.astype(np.float64) @ rows.T.astype(np.float64) - 1e-6).all()


@pytest.mark.parametrize(("falls", "floor", "shorter"), [(True, 0.9, True), (False, 0.9, True), (False, 0.3, False)])
def test_rows_are_shortened_where_it_pays(falls: bool, floor: float, shorter: bool) -> None:
    rows = np.random.default_rng(0).standard_normal((5_000, 64)) / (np.arange(1, 65) if falls else 1)
    one, other = bound.shortened(unit(rows), None, floor, Here())
    assert one is other
    assert (one.short.shape[1] < 64) is shorter
    assert (one.short is one.rows) is not shorter


def test_with_a_middle_length_the_pairs_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(5)
    centres = rng.standard_normal((2_000, 192)) / np.arange(1, 193)
    rows = unit(centres[rng.integers(0, 2_000, 5_000)] + 0.02 * rng.standard_normal((5_000, 192)))
    held, _ = bound.shortened(rows, None, 0.9, Here())
    assert len(held.levels) == 3
    found = collected(near_pairs(rows, 0.9, Threads(2)), rows)
    assert found == brute(rows, None, 0.9)


def test_memory_does_not_grow_with_the_pairs() -> None:
    rows = np.ones((12_000, 4), dtype=np.float32) / 2
    tracemalloc.start()
    pairs = sum(len(block.left) for block in near_pairs(rows, 0.9, Here()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert pairs == 12_000 * 11_999 // 2  # 1.4 GB, were they held
    assert peak < 400e6


@pytest.mark.parametrize("floor", [-0.1, 1.0, float("nan")])
def test_a_floor_that_is_no_cosine_is_refused_at_once(floor: float) -> None:
    with pytest.raises(ValueError, match="floor"):
        near_pairs(np.ones((2, 1), dtype=np.float32), floor, Here())


def test_rows_of_different_encoders_are_refused() -> None:
    with pytest.raises(ValueError, match="one encoder"):
        cross_pairs(np.ones((2, 1), dtype=np.float32), np.ones((2, 3), dtype=np.float32), 0.5, Here())
    with pytest.raises(ValueError, match="one encoder"):
        cross_pairs(np.ones((2, 1 << 20), dtype=np.float32), NGRAMS.encode(["a"], Here()), 0.5, Here())


def test_sparse_rows_with_negative_entries_are_joined_without_folding() -> None:
    rng = np.random.default_rng(8)
    rows = sparse.random_array(
        (300, 40), density=0.2, rng=rng, format="csr", data_sampler=lambda size: rng.normal(size=size)
    )
    rows = sparse.csr_array(rows.multiply(1 / np.sqrt(np.maximum(rows.multiply(rows).sum(axis=1), 1e-12))[:, None]))
    found = {
        (a, b) for p in near_pairs(rows, 0.6, Here()) for a, b in zip(p.left.tolist(), p.right.tolist(), strict=True)
    }
    cosine = np.tril((rows @ rows.T).toarray(), -1)
    assert found == set(map(tuple, np.argwhere(cosine > 0.6).tolist()))
    assert found
