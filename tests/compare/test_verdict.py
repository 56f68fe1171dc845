"""The gate's three answers: when each is given, and what can and cannot sway it."""

from dataclasses import replace

import numpy as np
import pytest
from compare_sides import first, gate, metric, only, side
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.compare import DEFAULT_MARGIN, HARM_MARGIN, Gate
from holdfast.errors import ConfigError
from holdfast.stats import PairedTable, clopper_pearson, mcnemar

bits = st.lists(st.booleans(), min_size=4, max_size=60)


def test_nothing_worse_on_enough_prompts_passes():
    found = gate(metric(first(100, 0)), metric(first(100, 0)))
    assert found.verdict == only(found).verdict == "pass"
    assert only(found).upper == pytest.approx(1 - 0.05 ** (1 / 100))
    assert found.sentence == "value is at most 3.0 points worse (95 % limit), and its margin is 5.0 points."


def test_nothing_worse_on_too_few_prompts_is_undecided():
    found = gate(metric(first(50, 0)), metric(first(50, 0)))
    assert found.verdict == "undecided"
    assert only(found).prompts_needed > 50
    assert "about" in found.sentence


def test_much_worse_fails():
    found = gate(metric(first(200, 2)), metric(first(200, 80)))
    change = only(found)
    assert found.verdict == change.verdict == "fail"
    assert change.prompts_needed is None
    assert (change.before, change.after, change.difference) == (0.01, 0.4, pytest.approx(0.39))
    assert (change.newly_worse, change.newly_better) == (78, 0)
    assert (change.lower, change.upper) == pytest.approx(PairedTable(2, 78, 0, 120).limits(0.95))
    assert change.upper == pytest.approx(clopper_pearson(78, 200, tails=1)[1])
    assert change.mcnemar_p == mcnemar(78, 0)
    assert found.sentence.startswith("value is 39.0 points worse, at least ")


def test_low_can_be_bad():
    up = gate(metric(first(200, 20), bad_is="low"), metric(first(200, 90), bad_is="low"))
    down = gate(metric(first(200, 90), bad_is="low"), metric(first(200, 20), bad_is="low"))
    assert (up.verdict, down.verdict) == ("pass", "fail")
    assert (only(down).before, only(down).after) == (0.45, 0.1)
    assert only(down).difference == pytest.approx(-0.35)
    assert only(down).worsening == pytest.approx(0.35)
    assert only(down).newly_worse == only(up).newly_better == 70
    low, high = only(down).after_interval
    assert low < 0.1 < high < 0.2


@given(bits, bits)
def test_turning_the_values_and_the_sense_changes_nothing(old, new):
    old, new = np.array(old[: len(new)], float), np.array(new[: len(old)], float)
    straight, turned = (
        only(gate(metric(a, bad_is=bad), metric(b, bad_is=bad)))
        for a, b, bad in ((old, new, "high"), (1 - old, 1 - new, "low"))
    )
    assert (straight.lower, straight.upper, straight.verdict) == (turned.lower, turned.upper, turned.verdict)
    assert straight.difference == pytest.approx(-turned.difference)
    assert straight.after_interval == pytest.approx(tuple(1 - x for x in reversed(turned.after_interval)))


@settings(max_examples=50)
@given(bits, st.integers(1, 3), st.integers(1, 3))
def test_an_improvement_never_fails(old, size, samples):
    old = np.repeat(np.array(old, float), samples)
    new = old * (np.arange(len(old)) % 3 > 0)
    found = gate(metric(old, size=size, samples=samples), metric(new, size=size, samples=samples), {"value": 0.0})
    assert found.verdict != "fail"


@settings(max_examples=50)
@given(bits, bits, st.permutations(range(6)))
def test_the_order_of_the_rows_says_nothing(old, new, order):
    n = min(len(old), len(new))
    before, after = metric(old[:n], size=2), metric(new[:n], size=2)
    place = sorted(range(n), key=lambda i: (order[i % 6], i))
    shuffled = replace(after, rows=tuple(after.rows[i] for i in place))
    assert only(gate(before, after)) == only(gate(before, shuffled))


def test_every_metric_must_pass_and_one_is_enough_to_fail():
    good, bad = first(300, 0), first(300, 150)
    short = first(300, 9)
    for values, verdict in ((good, "pass"), (short, "undecided"), (bad, "fail")):
        before = side("base", metric(good, name="policy"), metric(good, name="ability"))
        after = side("tuned", metric(good, name="policy"), metric(values, name="ability"))
        found = gate(before, after, {"ability": 0.04})
        assert found.verdict == verdict
        assert found.metrics["policy"].verdict == "pass"
        assert "ability" in found.sentence


def test_failing_is_adjusted_for_the_number_of_metrics():
    good, worse = first(200, 0), first(200, 9)
    margin = 0.0188  # the lower limit of 9 in 200 is just above it
    alone = gate(metric(good), metric(worse), {"value": margin})
    names = [f"m{i}" for i in range(5)]
    many = gate(
        side("base", *(metric(good, name=name) for name in names)),
        side("tuned", metric(worse, name="m0"), *(metric(good, name=name) for name in names[1:])),
        dict.fromkeys(names, margin),
    )
    assert only(alone).lower == many.metrics["m0"].lower > margin
    assert only(alone).verdict == "fail"
    assert many.metrics["m0"].verdict == "undecided"


def test_an_acceptable_change_passes_and_a_forbidden_one_fails_at_about_the_stated_rate():
    rng = np.random.default_rng(11)
    counts = {"pass": 0, "fail": 0, "undecided": 0}
    for _ in range(400):
        before = side("a", metric(first(200, 0), name="x"), metric(first(200, 0), name="y"))
        worse = [metric(rng.random(200) < 0.05, name=name) for name in ("x", "y")]
        counts[gate(before, side("b", *worse)).verdict] += 1
    assert counts["pass"] <= 400 * 0.05
    assert counts["fail"] <= 400 * (0.05 + 3.5 * np.sqrt(0.05 * 0.95 / 400))


@pytest.mark.parametrize("samples", [1, 5])
def test_more_samples_of_a_prompt_are_not_more_prompts(samples):
    old, new = np.repeat(first(60, 0), samples), np.repeat(first(60, 6), samples)
    change = only(gate(metric(old, samples=samples), metric(new, samples=samples)))
    assert (change.n, change.clusters, change.samples) == (60, 60, samples)
    assert change.upper == pytest.approx(clopper_pearson(6, 60, tails=1)[1])
    assert "Clopper–Pearson" in change.method


def test_clusters_widen_the_limits():
    old, new = first(300, 0), first(300, 12)
    alone, clustered = (only(gate(metric(old, size=s), metric(new, size=s))) for s in (1, 6))
    assert (alone.clusters, clustered.clusters) == (300, 50)
    assert clustered.upper > alone.upper + 0.02
    assert "cluster" in clustered.method


def test_any_of_k_is_shown_as_far_as_the_samples_reach():
    old, new = np.zeros(50), np.tile([1.0, 0, 0, 0, 0], 10)
    change = only(gate(metric(old, samples=5), metric(new, samples=5)))
    assert dict(change.any_of_k) == {1: (0.0, pytest.approx(0.2)), 5: (0.0, 1.0)}
    graded = only(gate(metric(old, samples=5), metric(new * 0.5, samples=5)))
    assert graded.any_of_k == {}
    assert graded.after == pytest.approx(0.1)


def test_groups_are_described_with_intervals():
    change = only(gate(metric(first(40, 0)), metric(np.arange(40) % 2)))
    north, south = change.groups
    assert (north.group, north.n, north.before, north.after) == ("north", 20, 0.0, 0.0)
    assert (south.group, south.after) == ("south", 1.0)
    assert south.after_interval[0] > 0.8
    assert south.before_interval[1] < 0.2


def test_unscored_answers_can_open_a_verdict_but_never_make_one():
    clean = first(200, 0)
    lost = [None] * 30 + [0.0] * 170
    found = gate(metric(clean), metric(lost))
    change = only(found)
    assert found.verdict == "undecided"
    assert (change.unscored_before, change.unscored_after) == (0, 30)
    assert (change.worsening, change.after) == (0.0, 0.0)
    assert change.upper >= 0.15
    assert change.lower <= 0
    assert change.prompts_needed is None
    assert found.sentence.endswith("the answers that could not be scored decide it.")
    assert any("30 after could not be scored" in note for note in found.notes)
    # What is bad now may have been bad before where that could not be scored.
    assert gate(metric(lost), metric(first(200, 30))).verdict == "undecided"
    assert gate(metric(lost), metric(clean)).verdict == "pass"


def test_a_metric_that_nobody_could_score_is_undecided():
    change = only(gate(metric([None] * 40), metric([None] * 40)))
    assert (change.before, change.after, change.worsening, change.difference) == (None,) * 4
    assert (change.lower, change.upper) == (-1.0, 1.0)
    assert change.verdict == "undecided"
    assert change.before_interval is None


@given(bits, st.sets(st.integers(0, 59)))
def test_the_limits_hold_whatever_the_unscored_were(new, hidden):
    old = np.zeros(len(new))
    seen = [None if i in hidden else bit for i, bit in enumerate(new)]
    bound, truth = only(gate(metric(old), metric(seen))), only(gate(metric(old), metric(new)))
    assert bound.upper >= truth.upper - 1e-12
    assert bound.lower <= truth.lower + 1e-12


def test_truncation_on_one_side_counts_against_passing():
    clean = first(300, 0)
    same = gate(metric(clean, cut=range(30)), metric(clean, cut=range(30)))
    more = gate(metric(clean, cut=range(3)), metric(clean, cut=range(30)))
    assert (same.verdict, more.verdict) == ("pass", "undecided")
    assert only(more).upper > 0.1
    assert (only(more).after, only(more).unscored_after) == (0.0, 0)
    assert any("10.0 % after" in note for note in more.notes)
    assert not any("cut off" in note for note in same.notes)
    # What the judge made of a truncated answer still counts for failing.
    assert gate(metric(clean), metric(first(300, 200), cut=range(300))).verdict == "fail"


def test_the_same_weights_pass_as_the_same_model():
    before = side("base", metric(first(40, 0)), weights="ab12")
    after = side("copy", metric(first(40, 20)), weights="ab12")
    found = gate(before, after)
    assert (found.verdict, found.same_model) == ("pass", True)
    assert found.sentence.startswith("Same model")
    assert only(found).verdict == "fail"
    nameless = gate(side("base", metric(first(40, 0))), side("copy", metric(first(40, 20))))
    assert (nameless.verdict, nameless.same_model) == ("fail", False)


def test_margins_are_the_callers_then_the_suites_then_the_default():
    gate_ = Gate({"ability": 0.2})
    ability, policy, other = (metric([0], name=name) for name in ("ability", "policy", "other"))
    assert gate_.margin(ability) == 0.2
    assert gate_.margin(replace(policy, wants="refusal")) == HARM_MARGIN < DEFAULT_MARGIN
    assert gate_.margin(other) == DEFAULT_MARGIN
    assert Gate(harm=0.01, default=0.2).margin(replace(policy, wants="refusal")) == 0.01


def test_impossible_settings_are_all_named_at_once():
    with pytest.raises(ConfigError) as caught:
        Gate({"a": -0.1, "b": 1.5, "c": float("nan"), "d": 0.1}, level=0.4)
    for part in ("a=-0.1", "b=1.5", "c=nan", "level 0.4"):
        assert part in caught.value.what
    assert "d=" not in caught.value.what


def test_a_higher_level_asks_for_more():
    old, new = first(120, 0), first(120, 1)
    assert gate(metric(old), metric(new), level=0.9).verdict == "pass"
    assert gate(metric(old), metric(new), level=0.999).verdict == "undecided"


def test_planned_prompts_do_decide():
    rng = np.random.default_rng(2)
    change = only(gate(metric(first(100, 0)), metric(first(100, 2))))
    assert change.verdict == "undecided"
    n, passed = change.prompts_needed, 0
    for _ in range(60):
        passed += gate(metric(np.zeros(n)), metric(rng.random(n) < 0.02)).verdict == "pass"
    assert passed >= 60 * 0.7
