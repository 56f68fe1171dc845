"""The approximate join: nothing that is not near, each pair once, and a recall that is what it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vector_scenes import KINDS, brute, collected, scene, unit

from holdfast.vectors import Dense, near_pairs_approximately, tiles
from holdfast.workers import Here, Threads


def doubled(size: int, noise: float, rng: np.random.Generator) -> Dense:
    """Rows, each with one other near it."""
    rows = rng.standard_normal((size // 2, 32))
    return unit(np.concatenate([rows, rows + noise * rng.standard_normal(rows.shape)]))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 70), st.integers(1, 9), st.integers(1, 12), st.integers(1, 4), st.data())
def test_what_is_found_is_near_and_comes_once(
    kind: str, size: int, width: int, cells: int, probes: int, data: st.DataObject
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    rows = scene(kind, size, width, rng)
    probes = min(probes, cells)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "TILE", 8)
        patch.setattr(tiles, "BLOCK", 3)
        blocks, recall = near_pairs_approximately(rows, 0.7, Threads(2), rng, cells, probes, 70)
        found = collected(blocks, rows)
    want = brute(rows, None, 0.7)
    assert set(found) <= set(want)
    if recall.share == 1:  # all rows were in the sample
        assert found == want
    else:
        assert len(want) - len(found) > 0


def test_recall_is_the_share_that_is_found() -> None:
    rng = np.random.default_rng(5)
    rows = doubled(6_000, 0.3, rng)
    blocks, recall = near_pairs_approximately(rows, 0.9, Threads(2), rng, 64, 1, 1_500)
    found, want = collected(blocks, rows), brute(rows, None, 0.9)
    low, high = recall.interval
    assert low < len(found) / len(want) < high
    assert 0.3 < recall.share < 0.95
    assert 1_000 < recall.rows <= 1_500


def test_more_probes_find_more_and_workers_change_nothing() -> None:
    rows = doubled(4_000, 0.2, np.random.default_rng(6))
    sizes = []
    for probes in (1, 2, 4):
        runs = [
            collected(near_pairs_approximately(rows, 0.9, workers, np.random.default_rng(1), 48, probes)[0], rows)
            for workers in (Here(), Threads(2))
        ]
        assert runs[0] == runs[1]
        sizes.append(len(runs[0]))
    assert sizes[0] < sizes[1] < sizes[2]


def test_where_cells_do_not_help_the_join_is_exact() -> None:
    rows = scene("equal", 300, 8, np.random.default_rng(0))
    blocks, recall = near_pairs_approximately(rows, 0.9, Here(), np.random.default_rng(0), 4, 2)
    assert sum(len(block.left) for block in blocks) == 300 * 299 // 2
    assert recall.share == 1
    assert recall.rows == 300
    assert 0.98 < recall.interval[0] < recall.interval[1] == 1


def test_without_near_pairs_nothing_is_known_of_recall() -> None:
    blocks, recall = near_pairs_approximately(np.eye(20, dtype=np.float32), 0.5, Here(), np.random.default_rng(0), 4, 1)
    assert list(blocks) == []
    assert (recall.share, recall.interval, recall.rows) == (1.0, (0.0, 1.0), 0)


@pytest.mark.parametrize(("floor", "cells", "probes"), [(1.0, 4, 1), (0.9, 4, 5), (0.9, 4, 0)])
def test_settings_that_make_no_sense_are_refused(floor: float, cells: int, probes: int) -> None:
    with pytest.raises(ValueError, match="needed"):
        near_pairs_approximately(np.eye(9, dtype=np.float32), floor, Here(), np.random.default_rng(0), cells, probes)
