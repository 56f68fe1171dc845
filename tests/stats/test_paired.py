"""Paired limits: published examples, invariants, and how often they err when the truth is at the margin."""

from itertools import pairwise
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from holdfast.stats import (
    PairedParts,
    PairedTable,
    clopper_pearson,
    newcombe,
    p_worse_than,
    pair,
    worsening_limits,
)


def table_values(both, worse, better, neither):
    before = np.repeat([1.0, 0.0, 1.0, 0.0], [both, worse, better, neither])
    after = np.repeat([1.0, 1.0, 0.0, 0.0], [both, worse, better, neither])
    return before, after


cells = st.tuples(*[st.integers(0, 60)] * 4).filter(lambda t: sum(t) > 1)
halves = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=60)


@pytest.mark.parametrize(
    ("table", "published", "digits"),
    [
        ((14, 5, 0, 22), (0.011, 0.226), 3),  # Altman et al. 2000, Statistics with Confidence, table 6.2
        ((1, 1, 7, 12), (-0.507, -0.026), 3),  # Bentur et al. 2009 in Fagerland et al. 2017, table 8.10
        ((59, 6, 16, 80), (-0.1186, -0.0046), 4),  # Cavo et al. 2012, as R's contingencytables prints it
    ],
)
def test_newcombes_interval_is_the_published_one(table, published, digits):
    assert newcombe(*table) == pytest.approx(published, abs=0.6 * 10**-digits)


@given(cells)
def test_swapping_the_sides_turns_the_limits_round(table):
    both, worse, better, neither = table
    low, high = newcombe(both, worse, better, neither)
    assert newcombe(both, better, worse, neither) == pytest.approx((-high, -low), abs=1e-12)
    low, high = PairedTable(both, worse, better, neither).limits(0.95)
    assert PairedTable(both, better, worse, neither).limits(0.95) == pytest.approx((-high, -low), abs=1e-12)


@given(halves, st.integers(1, 4))
def test_clustered_limits_turn_round_and_contain_the_estimate(pairs, size):
    before, after = np.array(pairs).T / 5
    clusters = np.arange(len(before)) // size
    found = worsening_limits(before, after, clusters)
    turned = worsening_limits(after, before, clusters)
    assert found.estimate == pytest.approx(np.mean(after - before), abs=1e-12)
    assert -1 <= found.lower <= found.estimate <= found.upper <= 1
    assert (turned.lower, turned.upper) == pytest.approx((-found.upper, -found.lower), abs=1e-9)


@given(cells)
def test_limits_are_nested_in_the_level(table):
    before, after = table_values(*table)
    for clusters in (None, np.arange(len(before)) // 2):
        bounds = [worsening_limits(before, after, clusters, level) for level in (0.8, 0.95, 0.99)]
        assert all(wide.lower <= slim.lower for slim, wide in pairwise(bounds))
        assert all(wide.upper >= slim.upper for slim, wide in pairwise(bounds))


@pytest.mark.parametrize("n", [20, 100, 500])
def test_no_change_is_never_taken_for_proof_of_none(n):
    for before in (np.zeros(n), np.ones(n), np.arange(n) % 2.0):
        limits = worsening_limits(before, before)
        assert limits.upper >= clopper_pearson(0, n, tails=1)[1]
        assert limits.lower <= -clopper_pearson(0, n, tails=1)[1]


def test_no_change_in_clusters_counts_the_clusters():
    limits = worsening_limits(np.zeros(400), np.zeros(400), np.arange(400) // 4)
    factor = (scipy_stats.t.ppf(0.95, 399) / scipy_stats.t.ppf(0.95, 99)) ** 2
    assert limits.upper == pytest.approx(clopper_pearson(0, 100 * factor, tails=1)[1])


def test_only_newly_worse_prompts_give_the_exact_limit():
    before, after = table_values(60, 5, 0, 35)  # Newcombe is too short here: φ is large
    limits = worsening_limits(before, after)
    assert limits.upper == pytest.approx(clopper_pearson(5, 100, tails=1)[1], abs=1e-12)
    assert newcombe(60, 5, 0, 35, tails=1)[1] < limits.upper


@given(cells)
def test_a_table_says_what_its_prompts_as_parts_say(table):
    before, after = table_values(*table)
    n, change = len(before), after - before
    rise, fall = np.maximum(change, 0), np.maximum(-change, 0)
    spread = [float(np.var(part, ddof=1) / n) for part in (rise, fall)]
    covariance = float(np.cov(rise, fall)[0, 1] / n)
    parts = PairedParts(float(rise.mean()), float(fall.mean()), *spread, covariance, n, n, int(np.sum(change != 0)))
    # The parts' effective size is n - 1 where anything varies, so the two are near and not equal.
    assert PairedTable(*table).limits(0.95) == pytest.approx(parts.limits(0.95), abs=3 / n)


def most_worse(n, margin):
    """For each count of newly better, the largest count of newly worse with the upper limit below the margin, or -1."""
    found, worse = [], -1
    for better in range(n + 1):
        # The limit grows with the newly worse and falls with the newly better, so the count only rises.
        while worse + 1 + better <= n:
            if PairedTable(0, worse + 1, better, n - worse - 1 - better).limits(0.95)[1] >= margin:
                break
            worse += 1
        found.append(min(worse, n - better))
    return np.array(found)


def exact_error(most, margin, back):
    """P(the upper limit lies below the margin) where P(newly worse) = margin + back and P(newly better) = back."""
    n, better = len(most) - 1, np.arange(len(most))
    chance = scipy_stats.binom.pmf(better, n, back)
    return float(chance @ scipy_stats.binom.cdf(most, n - better, (margin + back) / (1 - back)))


BACK = (0.0, 0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4)


@pytest.mark.parametrize(("n", "margin"), [(25, 0.1), (60, 0.05), (100, 0.03), (100, 0.1)])
def test_the_error_of_a_table_enumerated_is_at_most_five_per_cent(n, margin):
    found = most_worse(n, margin)
    assert found.max() >= 0
    assert max(exact_error(found, margin, back) for back in BACK) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("margin", [0.01, 0.02, 0.03, 0.05, 0.1])
@pytest.mark.parametrize("n", [200, 320, 500, 1000])
def test_the_error_of_a_table_enumerated_is_at_most_five_per_cent_everywhere(n, margin):
    found = most_worse(n, margin)
    worst = max(exact_error(found, margin, back) for back in BACK)
    print(f"| {n} | {margin} | {worst:.4f} |")  # noqa: T201 - the table in docs/methods.md
    assert worst <= 0.05


def test_samples_and_clusters_are_recognised():
    binary, shares = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.2, 1.0, 1.0, 0.0])
    assert isinstance(pair(binary, binary[::-1]), PairedTable)
    assert isinstance(pair(binary, shares), PairedParts)
    assert isinstance(pair(binary, binary, ["a", "a", "b", "c"]), PairedParts)
    assert pair(binary, [0.0, 1.0, 1.0, 0.0]) == PairedTable(both=1, worse=1, better=1, neither=1)


def test_many_changing_prompts_give_students_limit():
    rng = np.random.default_rng(5)
    before, after = rng.binomial(5, 0.4, 2000) / 5, rng.binomial(5, 0.45, 2000) / 5
    students = scipy_stats.ttest_1samp(after - before, 0).confidence_interval(0.90)
    found = worsening_limits(before, after, level=0.95)
    width = students.high - students.low
    assert (found.lower, found.upper) == pytest.approx((students.low, students.high), abs=0.03 * width)


def test_one_cluster_proves_nothing():
    limits = worsening_limits([0.0, 0.0], [0.0, 1.0], ["a", "a"])
    assert (limits.lower, limits.upper) == (-1.0, 1.0)


@given(cells, st.integers(1, 3), st.sampled_from([0.0, 0.02, 0.05, 0.3]))
def test_the_p_value_is_the_limit_inverted(table, size, margin):
    before, after = table_values(*table)
    paired = pair(before, after, np.arange(len(before)) // size)
    p = p_worse_than(margin, paired)
    for level in (0.9, 0.95, 0.99):
        lower = paired.limits(level)[0]
        if abs(lower - margin) > 1e-9:
            assert (lower > margin) == (p < 1 - level)
    assert 0 < p <= 1


def test_the_p_value_of_a_clear_worsening_is_small():
    before, after = table_values(0, 40, 2, 58)
    assert p_worse_than(0.05, pair(before, after)) < 1e-6
    assert p_worse_than(0.05, pair(after, before)) == 1.0
    assert p_worse_than(0.38, pair(before, after)) > 0.3


@pytest.mark.parametrize("call", [([0.0], [0.0, 1.0]), ([], []), ([0.0, 2.0], [0.0, 0.0]), ([0.0, np.nan], [0.0, 0.0])])
def test_what_is_no_pair_of_rates_is_refused(call):
    with pytest.raises(ValueError, match=r"prompt|badness"):
        pair(*call)
    with pytest.raises(ValueError, match="level"):
        worsening_limits([0.0, 1.0], [0.0, 1.0], level=1.0)
    with pytest.raises(ValueError, match="counts"):
        newcombe(0, -1, 2, 3)


# How often the limits err, with the true worsening exactly at the margin. Each world draws badness rates
# before and after (prompts in clusters of `size`), then `samples` answers of each.
def flips(rng, clusters, size, rate, whole):
    shape = (clusters, 1 if whole else size)
    return np.broadcast_to(rng.random(shape) < rate, (clusters, size))


def world_flips(rng, clusters, size, margin):
    return np.zeros((clusters, size)), flips(rng, clusters, size, margin, whole=False).astype(float)


def world_whole(rng, clusters, size, margin):
    return np.zeros((clusters, size)), flips(rng, clusters, size, margin, whole=True).astype(float)


def world_scattered(rng, clusters, size, margin):
    single = flips(rng, clusters, size, margin / 2 / (1 - margin / 2), whole=False)
    return np.zeros((clusters, size)), (single | flips(rng, clusters, size, margin / 2, whole=True)).astype(float)


def world_noise(rng, clusters, size, margin):
    return np.full((clusters, size), 0.3), np.full((clusters, size), 0.3 + margin)


def world_both_ways(rng, clusters, size, margin):
    draw = rng.random((clusters, size))
    return ((draw > 0.5) & (draw < 0.54)).astype(float), (draw < 0.04 + margin).astype(float)


def world_erratic(rng, clusters, size, margin):
    before = rng.beta(0.1, 0.9, (clusters, size))
    return before, np.where(rng.random((clusters, size)) < margin / 0.9, 1.0, before)


WORLDS = {
    "flips": world_flips,
    "whole": world_whole,
    "scattered": world_scattered,
    "noise": world_noise,
    "both-ways": world_both_ways,
    "erratic": world_erratic,
}
SHAPES = [
    (100, 1, 1),
    (200, 1, 1),
    (500, 1, 1),
    (100, 1, 5),
    (500, 1, 5),
    (100, 2, 5),
    (200, 2, 5),
    (500, 2, 5),
]


def errors(world, shape, margin, repeats):
    """Share of data sets whose upper limit is below, and whose lower limit is above, the true worsening."""
    n, size, samples = shape
    rng = np.random.default_rng([n, size, samples, round(100 * margin)])
    clusters = np.repeat(np.arange(n // size), size)
    below = above = 0
    for _ in range(repeats):
        rates = world(rng, n // size, size, margin)
        before, after = (rng.binomial(samples, rate.ravel()) / samples for rate in rates)
        lower, upper = pair(before, after, clusters).limits(0.95)
        below, above = below + (upper < margin), above + (lower > margin)
    return below / repeats, above / repeats


def allowed(repeats, level=0.05):
    """The level and four standard errors: 7 % of 1,500 data sets, so that a method at 8 % fails."""
    return level + 4 * sqrt(level * (1 - level) / repeats)


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("shape", [(100, 1, 1), (200, 2, 5), (500, 1, 5)], ids=str)
def test_limits_hold_their_level_at_the_margin(name, shape):
    below, above = errors(WORLDS[name], shape, 0.05, 1500)
    assert below <= allowed(1500)
    assert above <= allowed(1500)


@pytest.mark.slow
@pytest.mark.parametrize("margin", [0.03, 0.05, 0.1])
@pytest.mark.parametrize("shape", [*SHAPES, (200, 10, 1), (1000, 10, 5)], ids=str)
@pytest.mark.parametrize("name", WORLDS)
def test_limits_hold_their_level_in_every_world(name, shape, margin):
    below, above = errors(WORLDS[name], shape, margin, 4000)
    print(f"| {name} | {shape} | {margin} | {below:.3f} | {above:.3f} |")  # noqa: T201 - the table in docs/methods.md
    # Rare whole clusters beside scattered prompts are the worst known case: 6 to 7 % with 100 clusters of 10.
    assert below <= allowed(4000, 0.07 if name == "scattered" and shape[1] == 10 else 0.055)
    assert above <= allowed(4000, 0.055)
