"""Limits for one rate, against published tables, scipy and their definitions."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from holdfast.stats import clopper_pearson, clustered_mean, korn_graubard, wilson

# Newcombe 1998, Stat Med 17:857, table I: the four examples, methods 3 (score) and 5 (Clopper-Pearson).
PUBLISHED = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0000, 0.1611), (0.0000, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]
counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(("bad", "n", "score", "exact"), PUBLISHED)
def test_limits_are_the_published_ones(bad, n, score, exact):
    assert wilson(bad, n) == pytest.approx(score, abs=5e-5)
    assert clopper_pearson(bad, n) == pytest.approx(exact, abs=5e-5)


@given(counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_exact_limits_are_scipys(count, level):
    bad, n = count
    theirs = scipy_stats.binomtest(bad, n).proportion_ci(level, method="exact")
    assert clopper_pearson(bad, n, level) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    theirs = scipy_stats.binomtest(bad, n).proportion_ci(level, method="wilson")
    assert wilson(bad, n, level) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(counts, st.sampled_from([0.6, 0.9, 0.99]))
def test_one_sided_limits_are_those_of_the_wider_interval(count, level):
    for method in (wilson, clopper_pearson):
        assert method(*count, level, tails=1) == pytest.approx(method(*count, 2 * level - 1, tails=2), abs=1e-12)


@pytest.mark.parametrize(("n", "upper"), [(50, 0.058), (100, 0.0295), (330, 0.0090), (1000, 0.0030)])
def test_no_event_of_n_still_leaves_a_rate_possible(n, upper):
    assert clopper_pearson(0, n, tails=1) == (0.0, pytest.approx(1 - 0.05 ** (1 / n)))
    assert clopper_pearson(0, n, tails=1)[1] == pytest.approx(upper, abs=5e-4)


@pytest.mark.parametrize("call", [(-1, 5), (6, 5), (0, 0), (1, 5, 1.0), (1, 5, 0.4, 1), (1, 5, 0.95, 3)])
def test_what_is_no_rate_or_no_level_is_refused(call):
    for method in (wilson, clopper_pearson):
        with pytest.raises(ValueError, match=r"rate|level|tails"):
            method(*call)


def test_korn_graubard_is_clopper_pearson_on_the_effective_size():
    values = np.repeat([1.0, 0.0, 0.0, 1.0, 0.0], 4)  # whole clusters agree: 20 prompts know what 5 know
    clusters = np.repeat(np.arange(5), 4)
    variance = 5 / 4 * sum((4 * (x - 0.4)) ** 2 for x in (1, 0, 0, 1, 0)) / 20**2
    factor = (scipy_stats.t.ppf(0.975, 19) / scipy_stats.t.ppf(0.975, 4)) ** 2
    size = 0.4 * 0.6 / variance * factor
    assert korn_graubard(values, clusters) == pytest.approx(clopper_pearson(0.4 * size, size))
    assert 1 < size < 5


def test_korn_graubard_of_single_prompts_is_nearly_exact():
    values = np.repeat([1.0, 0.0], [12, 188])
    low, high = korn_graubard(values)
    assert (low, high) == pytest.approx(clopper_pearson(12, 200), abs=5e-4)
    assert low <= clopper_pearson(12, 200)[0]
    assert high >= clopper_pearson(12, 200)[1]


def test_where_nothing_varies_the_clusters_are_counted():
    clusters = np.repeat(np.arange(30), 10)
    few = (scipy_stats.t.ppf(0.975, 299) / scipy_stats.t.ppf(0.975, 29)) ** 2
    assert korn_graubard(np.zeros(300), clusters) == pytest.approx(clopper_pearson(0, 30 * few))
    assert korn_graubard(np.ones(300), clusters)[1] == 1.0
    assert korn_graubard(np.zeros(300), np.zeros(300)) == (0.0, 1.0)


def test_labels_are_only_labels():
    values = np.array([0.2, 0.8, 1.0, 0.0, 0.4, 0.4])
    numbers, words = [3, 3, 1, 1, 2, 2], ["b", "b", "z", "z", "a", "a"]
    assert korn_graubard(values, numbers) == korn_graubard(values, words)
    assert clustered_mean(values, numbers) == clustered_mean(values, words)


def test_clustered_mean_of_single_prompts_is_students():
    values = np.random.default_rng(3).normal(size=40)
    theirs = scipy_stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert clustered_mean(values, level=0.9) == pytest.approx((theirs.low, theirs.high))


def test_clustered_mean_of_equal_clusters_is_students_on_their_means():
    rng = np.random.default_rng(4)
    means = rng.normal(size=25)
    values = (means[:, None] + np.array([-1.0, 0.0, 1.0])).ravel()
    theirs = scipy_stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert clustered_mean(values, np.repeat(np.arange(25), 3)) == pytest.approx((theirs.low, theirs.high))


def test_one_cluster_says_nothing_of_the_spread():
    assert clustered_mean([1.0, 2.0], ["a", "a"]) == (-inf, inf)


@pytest.mark.parametrize(("values", "clusters"), [([], None), ([0.5, 2.0], None), ([0.5, 0.5], [1])])
def test_values_that_are_no_rates_are_refused(values, clusters):
    with pytest.raises(ValueError, match="value"):
        korn_graubard(values, clusters)
