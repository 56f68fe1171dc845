"""The bootstrap beside the limits: its spread is the known one, it resamples clusters whole, and it is seeded."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from holdfast.stats import bootstrap


def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("levels", [2, 500])  # counted by kind, and drawn place by place
def test_it_agrees_with_scipys(levels):
    change = np.random.default_rng(1).integers(0, levels, 200) / levels
    theirs = scipy_stats.bootstrap((change,), np.mean, n_resamples=10_000, method="percentile", rng=rng())
    found = bootstrap(change, None, rng())
    error = 3 * change.std() / sqrt(200) * 0.03  # of a quantile from 10,000 draws
    assert found == pytest.approx(tuple(theirs.confidence_interval), abs=error)


@pytest.mark.parametrize("graded", [False, True])
def test_clusters_are_drawn_whole(graded):
    change = np.repeat(np.random.default_rng(2).random(100) if graded else np.arange(100) % 2, 4)
    low, high = bootstrap(change, np.arange(400) // 4, rng())
    spread = change[::4].std() / sqrt(100)
    assert high - low == pytest.approx(2 * 1.96 * spread, rel=0.06)


def test_clusters_of_unequal_size_weigh_by_their_prompts():
    change, clusters = np.array([1.0, 1.0, 1.0, 0.0]), ["a", "a", "a", "b"]
    assert bootstrap(change, clusters, rng()) == (0.0, 1.0)
    uneven = np.random.default_rng(4).random(300)
    assert bootstrap(uneven, np.r_[np.zeros(150), np.arange(1, 151)], rng(), draws=500)[0] > 0.3


def test_no_change_says_zero_which_is_why_it_does_not_decide():
    assert bootstrap(np.zeros(25), None, rng()) == (0.0, 0.0)


@given(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=1, max_size=30))
def test_it_is_seeded_and_lies_within_the_values(change):
    low, high = bootstrap(change, None, rng(), draws=50)
    assert (low, high) == bootstrap(change, None, rng(), draws=50)
    assert min(change) <= low <= high <= max(change)


def test_nothing_is_no_sample():
    with pytest.raises(ValueError, match="at least one"):
        bootstrap([], None, rng())
