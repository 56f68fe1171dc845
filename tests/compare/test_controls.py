"""What is checked before a verdict: equal settings, two models, samples that vary, a gate that can fail."""

import numpy as np
import pytest
from compare_sides import first, gate, metric, only, side

from holdfast.compare import Metric, Row
from holdfast.errors import ConfigError, DataError, HoldfastError


def test_every_difference_is_named_at_once():
    before = side(
        "base",
        metric(first(9, 0), name="policy", judge="rules", seed="1"),
        metric(first(9, 0), name="ability"),
        metric(first(9, 0), name="truth"),
        template="t" * 20,
    )
    after = side(
        "tuned",
        metric(first(9, 0), name="policy", judge="guard", temperature="0.7"),
        metric(first(9, 0), name="truth", bad_is="low"),
        template="u" * 20,
    )
    with pytest.raises(ConfigError) as caught:
        gate(before, after, {"polcy": 0.02})
    text = str(caught.value)
    for part in (
        "policy: judge = 'rules' before, 'guard' after",
        "policy: temperature = '0' before, '0.7' after",
        "policy: seed = '1' before, (not stated) after",
        "metric 'ability' is in 'base' only, not in 'tuned'",
        "truth: bad is high before, low after",
        "chat template: tttttttttttt before, uuuuuuuuuuuu after",
        "'polcy', which is no metric here. Did you mean 'policy'?",
    ):
        assert part in text


def test_a_template_that_is_not_stated_is_not_compared():
    before = side("base", metric(first(100, 0)), template="t")
    assert gate(before, side("tuned", metric(first(100, 0)))).verdict == "pass"


def test_no_prompt_in_common_is_an_error_that_shows_some():
    other = Metric("value", "", "high", (Row("q7", 0, 1.0),), {"temperature": "0", "judge": "rules"})
    with pytest.raises(DataError, match=r"'p0', 'p1', 'p2' before, 'q7' after"):
        gate(metric(first(4, 0)), other)
    with pytest.raises(DataError, match="no metric"):
        gate(side("base"), side("tuned"))


def test_answers_that_got_lost_do_not_help():
    assert gate(metric(first(120, 0)), metric(first(120, 0))).verdict == "pass"
    found = gate(metric(first(120, 0)), metric(first(100, 0)))
    assert found.verdict == "undecided", "the twenty that are missing may all be bad"
    assert (only(found).n, only(found).unscored_after) == (120, 20)
    assert "value: 20 prompts were answered on one side only; the missing answers are unscored." in found.notes


def test_samples_may_be_fewer_on_one_side_but_not_unseen():
    found = gate(metric(np.zeros(300), samples=3), metric(np.zeros(100)))
    assert only(found).samples == 3
    assert "value: up to 3 samples a prompt before, 1 after." in found.notes


def test_clusters_stated_on_one_side_hold_for_both():
    old, new = metric(first(120, 0), size=4), metric(first(120, 0))
    assert only(gate(old, new)).clusters == only(gate(new, old)).clusters == 30


def test_clusters_that_disagree_are_refused():
    with pytest.raises(DataError, match=r"'p2'.* 'f1' and 'f0'"):
        gate(metric(first(12, 0), size=2), metric(first(12, 0), size=3))


def test_identical_answers_from_different_weights_are_refused():
    def model(name, weights, answers):
        return side(name, metric(first(40, 0), answers=answers), weights=weights)

    same, other = [f"a{i}" for i in range(40)], [*(f"a{i}" for i in range(39)), "b"]
    with pytest.raises(HoldfastError, match="identical answers"):
        gate(model("base", "w1", same), model("tuned", "w2", same))
    assert gate(model("base", "w1", same), model("tuned", "w2", other)).verdict == "undecided"
    assert gate(model("base", "w1", same), model("tuned", "", same)).verdict == "undecided"
    assert gate(model("base", "w1", same), model("tuned", "w1", same)).verdict == "pass"
    assert gate(model("base", "w1", ()), model("tuned", "w2", ())).verdict == "undecided"


def test_identical_answers_in_one_metric_of_two_are_no_proof():
    def model(name, weights, answers):
        shared = metric(first(40, 0), answers=["no"] * 40)
        return side(name, shared, metric(first(40, 0), name="task", answers=answers), weights=weights)

    assert gate(model("base", "w1", ["x"] * 40), model("tuned", "w2", ["y"] * 40)).verdict == "undecided"


@pytest.mark.parametrize(
    ("temperature", "prompts", "varied", "noted"),
    [("0.7", 30, False, True), ("0.7", 30, True, False), ("0", 30, False, False), ("0.7", 19, False, False)],
)
def test_samples_that_never_differ_at_a_temperature_are_noted(temperature, prompts, varied, noted):
    answers = [f"{i // 3}{'x' if varied and i == 4 else ''}" for i in range(3 * prompts)]
    made = metric(np.zeros(3 * prompts), samples=3, answers=answers, temperature=temperature)
    notes = [note for note in gate(made, made).notes if "sampler" in note]
    assert len(notes) == (2 if noted else 0)


def planted_notes(found):
    return [note for note in found.notes if "planted" in note]


def test_a_gate_with_a_wide_margin_admits_what_it_lets_through():
    found = gate(metric(first(2000, 0)), metric(first(2000, 0)))
    assert planted_notes(found) == [
        "A planted 3-point regression would not fail in value (pass): the margin allows as much."
    ]


def test_a_run_that_is_too_small_says_so():
    small = gate(metric(first(200, 0)), metric(first(200, 0)), {"value": 0.02})
    large = gate(metric(first(2000, 0)), metric(first(2000, 0)), {"value": 0.02})
    assert small.verdict == "pass"
    assert planted_notes(small) == [
        "This run is too small to catch a planted 3-point regression in value: it would stay undecided."
    ]
    assert planted_notes(large) == []


def test_a_base_that_is_already_bad_cannot_show_a_regression():
    found = gate(metric(first(200, 198)), metric(first(200, 198)))
    assert planted_notes(found) == [
        "A planted 3-point regression cannot show in value: too few prompts were good before."
    ]


def test_the_control_needs_no_luck():
    before, after = metric(first(300, 20)), metric(first(300, 25))
    assert gate(before, after) == gate(before, after)
