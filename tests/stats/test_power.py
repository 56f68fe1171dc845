"""Chances of the gate's outcomes: against the sum over all tables, against runs that are drawn, and what they imply."""

from itertools import product
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multinomial

from holdfast.stats import PairedTable, pair, power
from holdfast.stats.clustered_power import RUNS, Shape, chance_clustered, expected, one_cluster
from holdfast.stats.power import Change, Rule, chance

NO_WORSE, REGRESSION = Change(0.02), Change(0.02, 0.03)


def met(outcome, rule, paired):
    lower, upper = paired.limits(rule.level_of(outcome))
    return upper < rule.margin if outcome == "pass" else lower > rule.margin


def drawn(outcome, n, change, rule, runs, seed=1):
    """The share of drawn runs with the outcome, by `pair` on the prompts' values; equal tables are paired once."""
    rng = np.random.default_rng(seed)
    shares = [change.flip + change.worse, change.flip, 1 - 2 * change.flip - change.worse]
    tables, times = np.unique(rng.multinomial(n, shares, runs), axis=0, return_counts=True)
    hits = 0
    for (worse, better, _), count in zip(tables, times, strict=True):
        before, after = np.zeros(n), np.zeros(n)
        before[:better], after[better : better + worse] = 1, 1
        hits += count * met(outcome, rule, pair(before, after))
    return hits / runs


def close(found, share, runs):
    """Within four standard errors of a simulated share."""
    return found == pytest.approx(share, abs=4 * sqrt(max(share * (1 - share), 1 / runs) / runs))


@pytest.mark.parametrize("outcome", ["pass", "fail"])
@pytest.mark.parametrize("change", [Change(0.1), Change(0.1, 0.2), Change(0.0, 0.3), Change(0.5), Change(0.0)], ids=str)
def test_a_chance_is_the_sum_over_all_tables(outcome, change):
    n, rule = 14, Rule(0.25, level=0.8)
    cells = [change.flip + change.worse, change.flip, 1 - 2 * change.flip - change.worse]
    total = sum(
        multinomial.pmf([worse, better, n - worse - better], n, cells)
        for worse, better in product(range(n + 1), repeat=2)
        if worse + better <= n and met(outcome, rule, PairedTable(0, worse, better, n - worse - better))
    )
    assert chance(outcome, n, change, rule) == pytest.approx(total, abs=1e-6)


@pytest.mark.parametrize(
    ("n", "change", "outcome", "rule"),
    [
        (149, NO_WORSE, "pass", Rule(0.02)),
        (640, NO_WORSE, "pass", Rule(0.02)),
        (640, Change(0.02, 0.005), "pass", Rule(0.02)),
        (640, REGRESSION, "fail", Rule(0.02)),
        (640, REGRESSION, "pass", Rule(0.02)),
        (300, Change(0.1, 0.1), "fail", Rule(0.05, metrics=3)),
        (400, Change(0.0, 0.03), "fail", Rule(0.01, level=0.9)),
    ],
)
def test_a_chance_is_the_share_of_drawn_runs(n, change, outcome, rule):
    runs = 20_000
    assert close(chance(outcome, n, change, rule), drawn(outcome, n, change, rule, runs), runs)


@pytest.mark.parametrize(("n", "change", "outcome"), [(5000, Change(0.1), "pass"), (9000, Change(0.1, 0.03), "fail")])
def test_what_is_interpolated_is_close_to_the_whole_sum(n, change, outcome, monkeypatch):
    quick = chance(outcome, n, change, Rule(0.02))
    monkeypatch.setattr(power, "NODES", n)
    monkeypatch.setattr(power, "VALUES", n)
    assert 0.5 < quick < 0.98
    assert quick == pytest.approx(chance(outcome, n, change, Rule(0.02)), abs=0.002)


@given(st.integers(2, 60), st.floats(0.0, 0.4), st.floats(0.0, 0.2), st.floats(0.01, 0.5), st.integers(1, 4))
def test_a_chance_is_a_probability_and_pass_and_fail_exclude_each_other(n, flip, worse, margin, metrics):
    rule = Rule(margin, metrics=metrics)
    both = [chance(outcome, n, Change(flip, worse), rule) for outcome in ("pass", "fail")]
    assert min(both) >= -1e-9
    assert sum(both) <= 1 + 1e-6


def test_a_small_run_without_a_change_shows_nothing():
    """25 prompts: a model three points worse breaks none of them in 47 % of runs, and still cannot pass."""
    assert round(0.97**25, 3) == 0.467
    assert chance("pass", 25, Change(0.0, 0.03), Rule(0.02)) == 0
    assert chance("fail", 25, Change(0.0, 0.03), Rule(0.02)) < 0.01
    assert [chance("pass", n, Change(0.0), Rule(0.02)) for n in (148, 149)] == [0, 1]


# --- clusters and samples --------------------------------------------------------------------------------------------

SHAPES = [
    (600, NO_WORSE, Shape(0.04, samples=5), "pass"),
    (600, REGRESSION, Shape(0.04, samples=5), "fail"),
    (900, NO_WORSE, Shape(0.04, size=5, icc=0.3), "pass"),
    (1500, REGRESSION, Shape(0.1, size=5, icc=0.3), "fail"),
    (900, Change(0.04, 0.005), Shape(0.1, samples=4, size=3, icc=0.2), "pass"),
]


def answers(rng, n, change, shape):
    """Badness of each prompt before and after, and its cluster, drawn prompt by prompt."""
    k, size = shape.samples, shape.size

    def prompts(count):
        rest = 1 - change.worse
        base, flip = shape.base / rest, change.flip / rest
        alike = 1 - flip / (base * (1 - base))
        rate = rng.beta(base * (1 - alike) / alike, (1 - base) * (1 - alike) / alike, count)
        broken = rng.random(count) < change.worse
        return rng.binomial(k, np.where(broken, 0, rate)), rng.binomial(k, np.where(broken, 1, rate))

    clusters = np.repeat(np.arange(n // size), size)
    copies = rng.random(n) < sqrt(shape.icc)
    pairs = zip(prompts(n), prompts(n // size), strict=True)
    before, after = (np.where(copies, common[clusters], own) / k for own, common in pairs)
    return before, after, clusters


@pytest.mark.parametrize(("n", "change", "shape", "outcome"), SHAPES)
def test_a_simulated_chance_is_the_share_of_runs_drawn_prompt_by_prompt(n, change, shape, outcome):
    rng, rule, runs = np.random.default_rng(3), Rule(0.02), 500
    hits = sum(met(outcome, rule, pair(*answers(rng, n, change, shape))) for _ in range(runs))
    found = chance_clustered(outcome, n, one_cluster(change, shape), shape.size, rule, seed=0)
    assert found > 0.05
    assert found == pytest.approx(hits / runs, abs=4 * 0.5 * sqrt(1 / runs + 1 / RUNS))


@given(
    st.floats(0.0, 0.1),
    st.floats(0.0, 0.1),
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from([0.0, 0.2, 0.7, 1.0]),
)
def test_a_cluster_has_the_moments_that_are_assumed(flip, worse, samples, size, icc):
    shape = Shape(0.25, samples, size, icc)
    found = expected(one_cluster(Change(flip, worse), shape), size)
    assert found.estimate == pytest.approx(worse, abs=1e-4)
    # Miller 2024, section 3: the variance over prompts, and the variance within them over the samples.
    alone = worse * (1 - worse) + 2 * flip / samples
    effect = 1 + (size - 1) * icc
    spread = found.rise_variance + found.fall_variance - 2 * found.covariance
    assert spread * found.n == pytest.approx(alone * effect, abs=1e-3 * effect)


def test_the_same_seed_gives_the_same_chance_and_clusters_cannot_be_cut():
    drawn_cluster = one_cluster(NO_WORSE, Shape(0.04, size=5, icc=0.3))
    first, again = (chance_clustered("pass", 900, drawn_cluster, 5, Rule(0.02), seed=4) for _ in range(2))
    assert first == again
    with pytest.raises(ValueError, match="clusters of 5"):
        chance_clustered("pass", 901, drawn_cluster, 5, Rule(0.02), seed=4)


def test_one_answer_of_single_prompts_is_simulated_as_it_is_summed():
    simulated = chance_clustered("pass", 640, one_cluster(NO_WORSE, Shape(0.04)), 1, Rule(0.02), seed=0)
    assert close(chance("pass", 640, NO_WORSE, Rule(0.02)), simulated, RUNS)
