"""The operating curve's verdicts: our gate's rule, the other gates' resumable files, shares by change, the page."""

import json
from datetime import date
from xml.etree import ElementTree

import numpy as np
import pytest
from benchmarks.operating_curve import rivals
from benchmarks.operating_curve.curve import between, curve, own_margin, shares, worst
from benchmarks.operating_curve.draws import DESIGNS, KINDS, Pair, draw
from benchmarks.operating_curve.gates import MARGIN, base_pairs, limits, release_pairs, run, through_compare, verdicts
from benchmarks.operating_curve.page import figure
from benchmarks.operating_curve.population import Tuned
from benchmarks.operating_curve.seen import read
from benchmarks.operating_curve.words import percent, whole

from holdfast.stats import worsening_limits

PROMPTS = DESIGNS[1]


def models(count: int = 40) -> list[Tuned]:
    """Made-up models of two worlds, from none to about ten points worse."""
    made = []
    for number in range(count):
        rng = np.random.default_rng(number)
        before = rng.random((160, 6)) < 0.01
        after = before | (rng.random((160, 6)) < 0.1 * number / count)
        made.append(Tuned(f"{number:016x}", number % 2, f"{number % 2}-{number // 4}", "plain", 1.0, before, after))
    return made


@pytest.mark.parametrize("kind", ["prompts", "facts"])
def test_a_sample_s_verdict_is_that_of_compare(kind) -> None:
    for seed in range(6):
        counts = np.random.default_rng(seed).multinomial(60, [0.02, 0.04 * seed, 0.02, 0.98 - 0.04 * seed - 0.02])
        sample = tuple(counts.tolist()) + (0, 0) * (kind == "facts")
        (said,) = verdicts(limits(np.array([sample], dtype=np.int32), kind), MARGIN)
        assert through_compare(sample, kind) == said


def test_nothing_changed_passes_only_where_there_are_prompts_enough() -> None:
    counts = np.array([[0, 0, 0, 50], [0, 0, 0, 100]], dtype=np.int32)
    assert verdicts(limits(counts, "prompts"), MARGIN).tolist() == ["undecided", "pass"]


def test_limits_are_those_of_the_prompts_themselves() -> None:
    found = limits(np.array([[2, 5, 1, 92]], dtype=np.int32), "prompts")[0]
    before, after = [1] * 2 + [0] * 5 + [1] + [0] * 92, [1] * 2 + [1] * 5 + [0] + [0] * 92
    wanted = worsening_limits(before, after)
    assert found.tolist() == pytest.approx([wanted.lower, wanted.upper])


def test_pairs_lie_in_the_range_and_releases_change_both_ways() -> None:
    made = models()
    assert all(-0.01 <= each.change <= 0.12 for each in base_pairs(made))
    releases = release_pairs(made, 10)
    assert 0 < len(releases) <= 10
    assert any((each.before & ~each.after).any() and (~each.before & each.after).any() for each in releases)


def test_no_bin_mixes_both_sides_of_the_margin() -> None:
    change = np.array([0.0299, 0.03, 0.0301, 0.0349, 0.035, -0.004])
    found = shares(np.array([["pass", "fail"]] * 6))
    bins = curve(change, found, 2, 0.03)
    assert [each.models for each in bins] == [1, 1, 3, 1]
    assert sum(each.models for each in bins) == len(change)
    at = between(change, found, 2, 0.03, 0.035)
    assert at is not None
    assert (at["pass"], at["undecided"], at["fail"], at.samples) == (0.5, 0.0, 0.5, 6)
    assert at.error("pass") == pytest.approx(np.sqrt(0.25 / 6))


def test_the_worst_model_is_one_that_can_be_wrong() -> None:
    change = np.array([0.0, 0.03, 0.05])
    found = np.array([[1.0, 0.0, 0.0], [0.1, 0.9, 0.0], [0.0, 0.2, 0.8]])
    passed, failed = (worst(change, found, 100, 0.03, verdict) for verdict in ("pass", "fail"))
    assert passed is not None
    assert failed is not None
    assert (passed.place, passed.share, passed.error) == (1, 0.1, pytest.approx(0.03))
    assert (failed.place, failed.share) == (0, 0.0)
    assert worst(change[:1], found[:1], 100, 0.03, "pass") is None


def test_at_its_own_change_a_model_passes_below_and_fails_above() -> None:
    limits_of = np.array([[-0.01, 0.02], [0.01, 0.05], [0.04, 0.08]])
    found = own_margin(limits_of, np.array([[0, 1, 1, 2], [0, 0, 1, 2]]), np.array([0.03, 0.05]))
    assert found.tolist() == [[0.25, 0.5, 0.25], [0.5, 0.5, 0.0]]


def test_the_rivals_know_our_sorts_and_see_differences_alone() -> None:
    assert {kind: [tuple(map(tuple, unit)) for unit in units] for kind, units in KINDS.items()} == {
        kind: [tuple(map(tuple, unit)) for unit in units] for kind, units in rivals.SORTS.items()
    }
    for kind, counts in (("prompts", [3, 2, 1, 4]), ("facts", [1, 2, 3, 4, 5, 6])):
        change = [
            sorted(sum(new - old for old, new in case) for case in rivals.cases_of(sample, kind))
            for sample in (counts, rivals.seen(counts, kind))
        ]
        assert change[0] == change[1]
        assert sum(rivals.seen(counts, kind)) == sum(counts)


def test_another_gate_goes_on_where_it_was_stopped(tmp_path) -> None:
    keys = [[0, 1, 0, 9], [1, 1, 0, 8], [0, 2, 0, 8], [0, 3, 0, 7]]
    (tmp_path / "keys.json").write_text(json.dumps({"kind": "prompts", "margin": 0.03, "keys": keys}))
    asked = []

    def gate(cases, margin):
        if len(asked) == 2:
            raise KeyboardInterrupt
        asked.append(sum(new for ((_, new),) in cases))
        return "pass", 0.0, 0.1

    with pytest.raises(KeyboardInterrupt):
        rivals.judge(gate, "1.0", tmp_path)
    asked.append("went on")
    assert rivals.judge(gate, "1.0", tmp_path) == 1  # the first two differ in nothing that it can see
    assert asked == [1, 2, "went on", 3]
    assert rivals.judge(gate, "1.0", tmp_path) == 0
    assert rivals.judge(gate, "1.1", tmp_path) == 3


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("curve")
    folder = home / "samples" / PROMPTS.name.replace(" ", "-")
    run(PROMPTS, base_pairs(models()), 30, folder)

    def naive(cases, margin):
        worse = sum(new - old for case in cases for old, new in case) / len(cases)
        return ("pass" if worse < margin else "fail"), worse, worse

    naive.__name__ = "statgate"
    rivals.judge(naive, "0", folder)
    return read(PROMPTS, home)


def test_every_gate_is_read_on_the_same_samples(made) -> None:
    assert [gate.gate for gate in made.gates] == ["Holdfast", "statgate"]
    assert all(np.allclose(gate.rule.sum(1), 1) for gate in made.gates)
    pair = base_pairs(models())[-1]
    again = verdicts(limits(draw(Pair(pair.id, 0, pair.before, pair.after), PROMPTS, 30), "prompts"), MARGIN)
    assert made.gates[0].rule[-1].tolist() == [np.mean(again == verdict) for verdict in ("pass", "undecided", "fail")]
    assert made.differing == 0


def test_the_figure_is_one_svg_that_loads_nothing(made) -> None:
    drawn = ElementTree.fromstring(figure([made]))
    shapes = [node for node in drawn.iter() if node.tag.endswith("polygon")]
    assert len(shapes) == 2 * len(made.gates)
    assert "href" not in figure([made])
    for shape in shapes:
        for point in shape.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= 800
            assert 0 <= y <= float(drawn.attrib["height"])


def test_the_page_says_how_often_and_on_what(made) -> None:
    page = whole([made], models(), date(2026, 1, 2))
    assert "Made on 2026-01-02" in page
    assert "40 small Harbors from 20 fine-tunes in 2 worlds" in page
    rows = [line for line in page.splitlines() if line.startswith("| 100 prompts |")]
    assert len(rows) == 2 + 1 + 2
    shown = percent(made.beyond(made.gates[1].rule)["pass"])
    assert f"**{shown}**" in rows[1]
