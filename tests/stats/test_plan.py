"""Prompts, samples and labels: that they are enough and not too many, how they order, and what is refused."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.stats import (
    ErrorRates,
    PairedTable,
    Rate,
    half_width_spread,
    judged,
    pair,
    prompts_needed,
    prompts_to_decide,
)
from holdfast.stats.assumed import Assumed, faults
from holdfast.stats.plan import plan
from holdfast.stats.planning import as_parts, fewest, rungs
from holdfast.stats.power import Change, Rule, chance


def assumed(**given):
    return Assumed(**{"margin": 0.02, "flip": 0.02, "regression": 0.03, **given})


def passing(**given):
    """Prompts for passing alone: the regression lies within the margin."""
    return plan(assumed(regression=1e-6, **given)).prompts


# --- prompts ---------------------------------------------------------------------------------------------------------


def test_the_prompts_are_enough_and_hardly_fewer_are():
    found = plan(assumed())
    assert found.prompts == found.failing.prompts > found.passing.prompts
    for outcome, need, change in (("pass", found.passing, Change(0.02)), ("fail", found.failing, Change(0.02, 0.03))):
        assert chance(outcome, need.prompts, change, Rule(0.02)) >= 0.8
        assert chance(outcome, round(0.97 * need.prompts), change, Rule(0.02)) < 0.8
    shown = found.at(found.prompts)
    assert shown.passes > 0.99
    assert shown.regression_passes < 0.001
    assert 0.8 <= shown.regression_fails < 0.81


def test_a_model_with_three_points_broken_fails_at_the_planned_prompts_and_25_decide_nothing():
    n, rng, runs, power = plan(assumed()).prompts, np.random.default_rng(5), 2000, 0.8
    failed = 0
    for worse, better, _ in rng.multinomial(n, [0.05, 0.02, 0.93], runs):
        before, after = np.zeros(n), np.zeros(n)
        before[:better], after[better : better + worse] = 1, 1
        failed += pair(before, after).limits(0.95)[0] > 0.02
    assert failed / runs >= power - 3 * sqrt(power * (1 - power) / runs)
    for broken in (0, 1):  # 3 % of 25 prompts, rounded either way
        lower, upper = PairedTable(0, broken, 0, 25 - broken).limits(0.95)
        assert lower <= 0.02 < upper


def test_the_curve_shows_the_chance_that_a_small_run_sees_nothing():
    first = plan(assumed(flip=0.0)).curve[0]
    assert first.prompts == 25
    assert first.unseen == pytest.approx(0.97**25)
    assert first.passes == first.regression_passes == 0


def test_without_noise_the_prompts_are_those_of_the_exact_limit():
    assert passing(flip=0.0) == 149  # the least n with 0.05^(1/n) > 0.98
    assert passing(flip=0.0, margin=0.03) == 99
    assert passing(flip=0.0, margin=0.05) == 59


FLIPS = st.sampled_from([0.0, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15])
MARGINS = st.sampled_from([0.01, 0.015, 0.02, 0.03, 0.05, 0.1])


@settings(max_examples=15)
@given(FLIPS, FLIPS, MARGINS)
def test_more_flips_never_take_fewer_prompts(one, other, margin):
    few, many = sorted((one, other))
    assert passing(flip=few, margin=margin) <= passing(flip=many, margin=margin)


@settings(max_examples=15)
@given(FLIPS, MARGINS, MARGINS)
def test_a_smaller_margin_never_takes_fewer_prompts(flip, one, other):
    small, large = sorted((one, other))
    assert passing(flip=flip, margin=large) <= passing(flip=flip, margin=small)


def test_more_power_more_metrics_and_a_nearer_regression_take_more():
    plain = plan(assumed())
    assert plan(assumed(power=0.9)).prompts > plain.prompts
    several = plan(assumed(metrics=4))
    assert several.passing.prompts > plain.passing.prompts
    assert several.failing.prompts > plain.failing.prompts
    assert plan(assumed(regression=0.04)).prompts < plain.prompts
    assert plan(assumed(worse=0.005)).passing.prompts > plain.passing.prompts


def test_millers_formula_agrees_where_many_prompts_change():
    """For one side; where few change it asks for too few (618 instead of 715 at two points), so only large n."""
    assert prompts_needed(0.01, sqrt(0.2)) == pytest.approx(passing(margin=0.01, flip=0.1), rel=0.1)
    assert prompts_needed(0.005, sqrt(0.04)) == pytest.approx(passing(margin=0.005), rel=0.1)


@pytest.mark.parametrize(
    ("n", "flip", "rise"),
    [(330, 0.0, 0.020), (1000, 0.0, 0.008), (330, 0.02, 0.042), (1000, 0.02, 0.020), (520, 0.05, 0.044)],
)
def test_the_power_is_in_the_range_of_exact_mcnemars(n, flip, rise):
    """Rises that an exact McNemar test sees with power 0.8: another test, of no change, so only a range."""
    assert 0.6 < chance("fail", n, Change(flip, rise), Rule(0.0)) < 0.97


# --- the search ------------------------------------------------------------------------------------------------------


@given(st.integers(2, 3000), st.integers(1, 80), st.floats(0.0, 0.3), st.integers(2, 6000), st.integers(1, 7))
def test_the_search_is_not_taken_in_by_a_tooth(first, period, depth, guess, unit):
    def jagged(n):  # 0.5 before `first`, then rises, and falls by `depth` within each period
        return 0.5 if n < first else min(1.0, 0.8 + (n - first) / 2000) - depth * (n % period) / period

    found = fewest(jagged, 0.8, guess, unit, ahead=2 * period)
    seen = [unit * rung for rung in rungs() if 1 < rung <= 1_000_000 // unit]
    place = seen.index(found)
    assert jagged(found) >= 0.8
    assert place == 0 or jagged(seen[place - 1]) < 0.8
    end = sum(n < found + 2 * period for n in seen)
    assert all(jagged(n) >= 0.8 for n in seen[place + 1 : end : max(1, (end - place) // 40)])


def test_a_million_is_the_end():
    assert fewest(lambda n: 0.79, 0.8, guess=100) is None
    assert fewest(lambda n: float(n >= 1_000_000), 0.8, guess=100) == 1_000_000
    assert plan(assumed(margin=0.0001, flip=0.1)).prompts is None


# --- what an undecided result would take -----------------------------------------------------------------------------

SEEN = [(5, 0, 200, 0.05), (1, 0, 100, 0.02), (12, 12, 600, 0.02), (30, 12, 600, 0.02), (4, 0, 100, 0.02)]


@pytest.mark.parametrize(("worse", "better", "n", "margin"), SEEN)
def test_what_is_said_of_a_run_is_what_enumeration_finds(worse, better, n, margin):
    change = Change(better / n, (worse - better) / n)
    outcome = "pass" if change.worse < margin else "fail"
    quick = prompts_to_decide(PairedTable(0, worse, better, n - worse - better), margin)
    exact = fewest(lambda size: chance(outcome, size, change, Rule(margin)), 0.8, quick, ahead=2 / margin)
    assert quick == pytest.approx(exact, rel=0.1)


def test_where_few_prompts_change_the_normal_formula_asks_for_too_many():
    table = PairedTable(0, 5, 0, 195)
    half = table.limits(0.95)[1] - table.estimate
    assert prompts_needed(0.05 - table.estimate, half_width_spread(half, 200, 0.95)) > 1.2 * prompts_to_decide(
        table, 0.05
    )


def test_clusters_are_carried_along():
    rng = np.random.default_rng(2)
    after = np.repeat(rng.random(200) < 0.03, 5).astype(float)
    clustered, alone = pair(np.zeros(1000), after, np.arange(1000) // 5), pair(np.zeros(1000), after)
    assert prompts_to_decide(clustered, 0.06) > 3 * prompts_to_decide(alone, 0.06)
    assert prompts_to_decide(pair([0.0, 0.0], [0.0, 1.0], ["a", "a"]), 0.2) is None
    assert prompts_to_decide(PairedTable(0, 2, 0, 98), 0.02) is None


@given(st.tuples(*[st.integers(0, 40)] * 3).filter(lambda table: sum(table) > 1))
def test_a_table_and_its_parts_have_the_same_limits(table):
    worse, better, same = table
    paired = PairedTable(0, worse, better, same)
    assert as_parts(paired).limits(0.95) == pytest.approx(paired.limits(0.95), abs=1e-9)


# --- samples and clusters --------------------------------------------------------------------------------------------


def test_samples_average_the_noise_away_and_clusters_cost_their_design_effect():
    plain, sampled = plan(assumed()), plan(assumed(samples=5))
    assert sampled.samples == 5
    assert sampled.prompts < 0.6 * plain.prompts
    clustered = plan(assumed(size=5, icc=0.3))
    assert clustered.prompts % 5 == 0
    assert clustered.prompts == pytest.approx((1 + 4 * 0.3) * plain.prompts, rel=0.1)


def test_with_given_prompts_the_samples_are_what_is_said():
    found = plan(assumed(prompts=2500))
    assert found.prompts == 2500
    assert 2 <= found.samples <= 8
    shown = found.at(2500)
    assert min(shown.passes, shown.regression_fails) >= 0.8
    assert plan(assumed(prompts=1000)).samples is None


# --- labels ----------------------------------------------------------------------------------------------------------


def test_with_the_planned_labels_a_judge_that_errs_carries_the_margin():
    """Runs of the whole: prompts that a judge misreads, and labels from which its error is estimated."""
    found, kept, true, runs = 0.95, 0.98, 0.05, 300
    needed = plan(assumed(base=1 - kept + (found + kept - 1) * true, found=found, kept=kept)).passing
    plain = plan(assumed()).passing
    assert needed.prompts > plain.prompts
    assert needed.labels.total > plain.labels.total
    rng, n, passed = np.random.default_rng(6), needed.prompts, 0
    base = 1 - kept + (found + kept - 1) * true
    for _ in range(runs):
        worse, better, both, _ = rng.multinomial(n, [0.02, 0.02, base - 0.02, 1 - base - 0.02])
        before, after = np.zeros(n), np.zeros(n)
        before[: both + better], after[:both], after[both + better : both + better + worse] = 1, 1, 1
        errors = [
            ErrorRates(
                Rate(rng.binomial(needed.labels.bad, found) / needed.labels.bad, needed.labels.bad),
                Rate(rng.binomial(needed.labels.good, kept) / needed.labels.good, needed.labels.good),
            )
            for _ in range(2)
        ]
        passed += judged(before, after, (errors[0], errors[1])).limits(0.95)[1] < 0.02
    assert passed / runs >= 0.8 - 3 * sqrt(0.8 * 0.2 / runs)


def test_a_judge_that_errs_more_takes_more_labels_and_a_poor_one_too_many():
    labels = [plan(assumed(margin=0.05, found=each, kept=each)).labels for each in (0.99, 0.97, 0.93)]
    assert labels == sorted(labels)
    assert labels[0] < labels[-1]


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"margin": 0.0}, "margin 0 "),
        ({"margin": float("nan")}, "margin nan"),
        ({"flip": 0.6}, "flip 0.6"),
        ({"flip": -0.1}, "flip -0.1"),
        ({"power": 0.5}, "power 0.5"),
        ({"power": 1.0}, "power 1"),
        ({"level": 1.0}, "level 1"),
        ({"regression": 0.0}, "regression 0"),
        ({"worse": 0.02}, "worse 0.02"),
        ({"base": 0.01}, "below flip"),
        ({"flip": 0.5}, "more prompts than there are"),
        ({"flip": 0.3, "samples": 3}, "more than sampling"),
        ({"metrics": 0}, "metrics 0"),
        ({"samples": 101}, "samples 101"),
        ({"samples": 5, "prompts": 100}, "both given"),
        ({"prompts": 1}, "two clusters"),
        ({"size": 5}, "without icc"),
        ({"icc": 0.5}, "in clusters"),
        ({"size": 50, "icc": 0.1, "samples": 5}, "above 200"),
        ({"found": 0.9}, "belong together"),
        ({"found": 0.9, "kept": 1.1}, "specificity 1.1"),
        ({"found": 0.5, "kept": 0.5}, "chance"),
        ({"found": 0.9, "kept": 0.9, "base": 0.05}, "1 - specificity"),
    ],
)
def test_what_cannot_be_is_named(given, says):
    assert any(says in fault for fault in faults(assumed(**given))), faults(assumed(**given))
    with pytest.raises(ValueError, match=r".") as raised:
        plan(assumed(**given))
    assert says in str(raised.value)


def test_all_faults_are_told_at_once():
    assert len(faults(assumed(margin=-1.0, flip=0.7, power=2.0, metrics=0, found=0.3))) >= 5
    assert not faults(assumed())
