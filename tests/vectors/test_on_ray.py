"""The same results on a Ray cluster as in this process: started once, on two cores, for all of this file."""

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest
from vector_scenes import brute, collected, scene, thinned

from holdfast.vectors import NGRAMS, WordLlama, cross_pairs, near_pairs, near_pairs_approximately
from holdfast.workers import Here, OnRay, Threads


@pytest.fixture(scope="module")
def on_ray() -> Iterator[OnRay]:
    if not find_spec("ray"):
        pytest.skip("the extra `ray` is not installed")
    yield OnRay.started(cores=2)
    import ray

    ray.shutdown()


def test_work_is_done_in_order_on_ray(on_ray: OnRay) -> None:
    assert on_ray.count == 2
    shared = np.arange(5)
    assert list(on_ray.map(lambda held, part: int(held[part]), shared, [3, 1, 4, 1, 0, 2, 2])) == [3, 1, 4, 1, 0, 2, 2]


def test_pairs_do_not_depend_on_where_they_are_computed(on_ray: OnRay) -> None:
    rng = np.random.default_rng(8)
    rows = scene("templates", 5_000, 40, rng)
    blocks = [list(near_pairs(rows, 0.97, workers)) for workers in (Here(), Threads(2), on_ray)]
    assert sum(len(block.left) for block in blocks[0]) > 1_000
    for others in blocks[1:]:
        for block, other in zip(blocks[0], others, strict=True):
            np.testing.assert_array_equal(block.left, other.left)
            np.testing.assert_array_equal(block.right, other.right)
            np.testing.assert_array_equal(block.cosine, other.cosine)
    thin = thinned(rows[:600], rng)
    assert collected(near_pairs(thin, 0.8, on_ray), thin) == brute(thin, None, 0.8)
    assert collected(cross_pairs(thin[:70], thin, 0.8, on_ray), thin[:70], thin) == brute(thin[:70], thin, 0.8)


def test_approximate_pairs_do_not_depend_on_where_they_are_computed(on_ray: OnRay) -> None:
    rows = scene("random", 3_000, 12, np.random.default_rng(9))
    found = [
        near_pairs_approximately(rows, 0.8, workers, np.random.default_rng(1), 40, 1, 500)
        for workers in (Threads(2), on_ray)
    ]
    assert found[0][1] == found[1][1]
    assert collected(found[0][0], rows) == collected(found[1][0], rows)


def test_texts_become_the_same_rows_on_ray(on_ray: OnRay) -> None:
    texts = [f"Describe the harbor {n} and its keeper." for n in range(5_000)]
    np.testing.assert_array_equal(WordLlama().encode(texts, on_ray), WordLlama().encode(texts, Here()))
    assert abs(NGRAMS.encode(texts, on_ray) - NGRAMS.encode(texts, Here())).max() == 0
