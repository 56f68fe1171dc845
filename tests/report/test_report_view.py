from dataclasses import replace
from itertools import pairwise

import pytest
import report_scene as scene
from hypothesis import given
from hypothesis import strategies as st

from holdfast.measure.results import Answer, Prompt, SuiteResult
from holdfast.report.answers import answer_table
from holdfast.report.figures import Axis, axis, bar, strip
from holdfast.report.view import held_out, models, section_view, shared_prefix, suites, worst_group

PLAIN = scene.section("plain", scene.PLAIN, held=False, scale=0.1)
POLICY = PLAIN.comparison.metrics["harbor-policy"]


def flat(**changes):
    return replace(POLICY, **changes)


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 0.2))
def test_the_axis_holds_whatever_got_worse_and_keeps_its_order(a, b, margin):
    lower, upper = sorted((a, b))
    found = axis([flat(worsening=(a + b) / 2, lower=lower, upper=upper, margin=margin)])
    places = [found.at(100 * value) for value in (lower, (a + b) / 2, upper)]
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)
    assert 100 * upper <= found.high
    assert 100 * margin <= found.high
    ticks = found.ticks()
    assert (ticks[0], ticks[-1]) == (found.low, found.high)
    assert 0.0 in ticks
    gaps = [found.at(right) - found.at(left) for left, right in pairwise(ticks)]
    assert min(gaps) >= 10


def test_a_small_change_gets_a_linear_axis_and_a_large_one_square_roots():
    small = axis([flat(worsening=0.01, lower=-0.01, upper=0.03, margin=0.02)])
    assert small == Axis(-5.0, 5.0, root=False)
    assert small.at(2.5) == 75.0
    large = axis([flat(worsening=0.7, lower=0.6, upper=0.8, margin=0.02)])
    assert large.root
    assert large.at(2) - large.at(0) > 10  # the margin is seen to be apart from zero


def test_an_improvement_beyond_the_axis_is_an_arrow_at_its_end():
    scale = Axis(-10.0, 100.0, root=True)
    found = strip(flat(worsening=-0.95, lower=-0.99, upper=-0.9), scale)
    assert (found.estimate, found.beyond) == (0.0, True)


def test_missing_numbers_are_not_drawn():
    found = strip(flat(worsening=None, lower=None, upper=float("nan")), Axis(-10.0, 10.0, root=False))
    assert (found.estimate, found.lower, found.upper, found.beyond) == (None, None, None, False)
    assert bar(None, (0.1, 0.2)) is None
    assert bar(0.5, None).low is None


def test_the_lead_is_the_metric_that_decided():
    view = section_view(PLAIN, Axis(-10.0, 100.0, root=True))
    assert view.lead.change.name == "harbor-policy"  # ability fails too, but the policy goes first
    metrics = {name: replace(c, verdict="pass") for name, c in PLAIN.comparison.metrics.items()}
    metrics["harbor-ability"] = replace(metrics["harbor-ability"], verdict="undecided")
    held = replace(PLAIN, comparison=replace(PLAIN.comparison, metrics=metrics))
    assert section_view(held, Axis(-10.0, 100.0, root=True)).lead.change.name == "harbor-ability"


def test_the_worst_category_follows_the_direction_of_its_metric():
    ability = PLAIN.comparison.metrics["harbor-ability"]
    found = worst_group([ability])
    drops = {group.group: group.before - group.after for group in ability.groups}
    assert found.group.group == max(drops, key=drops.get)
    assert found.worsening == pytest.approx(max(drops.values()))
    better = replace(ability, bad_is="high")
    assert worst_group([better]) is None


def one_suite(outcomes, wants="refusal", held=("topic", "")):
    prompts = tuple(Prompt(str(i), f"q{i}", "g", str(i), held[i % len(held)]) for i in range(len(outcomes)))
    answers = tuple(Answer(str(i), k, f"a{i}", o) for i, row in enumerate(outcomes) for k, o in enumerate(row))
    return SuiteResult("harbor-policy", "says", wants, prompts, answers, {})


def test_answers_come_newly_worse_first_and_are_capped():
    before = one_suite([["refused"], ["refused"], ["complied"], ["unscored"], ["complied"]])
    after = one_suite([["refused"], ["complied"], ["refused"], ["refused"], ["complied"]])
    table = answer_table(before, after)
    assert [pair.question for pair in table.pairs] == ["q1", "q3", "q2", "q4", "q0"]
    assert table.guarded
    short = answer_table(before, after, shown=2)
    assert (len(short.pairs), short.total, short.counts["good in both"]) == (2, 5, 1)


def test_several_samples_are_counted_and_the_first_is_shown():
    before, after = one_suite([["refused"] * 3]), one_suite([["complied", "refused", "unscored"]])
    (pair,) = answer_table(before, after).pairs
    assert pair.after.bad_samples == "1 of 3 samples bad"
    assert pair.change == "newly worse"


def test_held_out_prompts_are_counted_apart_and_unscored_ones_shown():
    before = one_suite([["refused"], ["refused"], ["refused"], ["refused"]])
    after = one_suite([["complied"], ["refused"], ["unscored"], ["refused"]])
    section = replace(
        PLAIN, before=replace(PLAIN.before, suites={"harbor-policy": before}),
        after=replace(PLAIN.after, suites={"harbor-policy": after}),
    )  # fmt: skip
    wording, topic = held_out(section, POLICY)
    assert (wording.kind, wording.before, wording.after) == ("wording only", 0.0, 0.0)
    assert (topic.kind, topic.prompts, topic.after, topic.unscored) == ("topic", 2, 1.0, 1)
    assert [row.after for row in held_out(section, replace(POLICY, bad_is="low"))] == [1.0, 0.0]


def test_nothing_is_said_of_held_out_prompts_where_the_suite_does_not_say():
    assert held_out(PLAIN, PLAIN.comparison.metrics["harbor-task"]) == []


def test_a_shared_base_is_named_once():
    page = scene.demo_page()
    assert [part for part, _ in models(page)] == ["Before", "plain", "safety-mix"]
    assert [part for part, _ in models(scene.check_page())] == ["Before", "After"]
    assert [suite.suite for suite in suites(page)] == list(scene.SUITES)


def test_only_a_whole_word_is_a_shared_prefix():
    assert shared_prefix(["harbor-policy", "harbor-task"]) == "harbor-"
    assert shared_prefix(["harbor-policy", "harbour"]) == ""
    assert shared_prefix(["harbor-policy"]) == ""
