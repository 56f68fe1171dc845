"""The study of the gate's errors: its truth is exact, it can fail, it says what `compare` says, and it resumes.

The full run is `python -m benchmarks.gate_errors` (docs/results/gate-errors.md); here a handful of its cells.
"""

import json
from dataclasses import replace
from datetime import date
from math import sqrt

import numpy as np
import pytest
from benchmarks.gate_errors.__main__ import main, read
from benchmarks.gate_errors.cells import FAMILIES, Cell, grid
from benchmarks.gate_errors.deciding import decide, mean, wald
from benchmarks.gate_errors.page import whole
from benchmarks.gate_errors.tally import ERRORS, Share, Tally, from_line, simulate
from benchmarks.gate_errors.through import differs, measurement
from benchmarks.gate_errors.worlds import draw, read_rate, sheet

from holdfast.measure.sheet import draw_sheet
from holdfast.stats import PairedTable

GRID = list(grid())

SINGLE = Cell("single", 320, 0.02, 0.02, 0.03)
QUICK = (
    SINGLE,
    Cell("clustered", 320, 0.1, 0.02, 0.05, size=2, flips="whole"),
    Cell("clustered", 320, 0.0, 0.0, 0.03, size=2, flips="both"),
    Cell("unscored", 320, 0.1, 0.02, 0.05, lost="bad"),
    Cell("shared", 320, 0.1, 0.02, 0.05, judge=(0.9, 0.9, 0.9, 0.9), labels=300),
    Cell("own", 320, 0.0, 0.0, 0.05, judge=(0.98, 0.98, 0.9, 0.9), labels=300),
    Cell("labels", 320, 0.1, 0.02, 0.05, judge=(0.98, 0.98, 0.9, 0.9), labels=300),
    Cell("several", 320, 0.1, 0.02, 0.05, metrics=5),
    Cell("seeds", 320, 0.1, 0.02, 0.05, seeds=5, spread=0.01),
    Cell("groups", 320, 0.1, 0.02, 0.03, groups=4, uneven=True),
)
ONE_OF_EACH = [next(cell for cell in reversed(GRID) if cell.family == family) for family in FAMILIES]


@pytest.fixture(autouse=True)
def _few_bootstraps(monkeypatch):
    monkeypatch.setattr("benchmarks.gate_errors.tally.SHOWN", 20)


def test_the_grid_holds_each_cell_once_and_every_family():
    assert len({cell.name for cell in GRID}) == len(GRID) > 250
    assert {cell.family for cell in GRID} == set(FAMILIES)
    assert {cell.n for cell in GRID} == {100, 320, 1000, 3000}


@pytest.mark.parametrize("cell", QUICK, ids=lambda cell: cell.name)
def test_the_gate_errs_in_five_per_cent_at_most_at_the_margin(cell):
    found = simulate(cell, 1000, through=2)
    assert not found.faults
    assert not found.differing


def test_walds_limit_would_fail():
    """It passes every seventh model that is three points worse, and would stop the study."""
    cell = Cell("single", 100, 0.0, 0.0, 0.03)
    found = simulate(cell, 1000, limits_of=wald)
    assert found.faults == ["false pass"]
    assert found.shares["false pass"].value > 0.15
    assert not simulate(cell, 1000, through=0).faults


def test_walds_limit_is_the_normal_one():
    low, high = wald(PairedTable(0, 12, 4, 84))
    change = np.repeat([1.0, -1.0, 0.0], [12, 4, 84])
    assert (low, high) == pytest.approx(tuple(0.08 + sign * 1.6449 * change.std() / 10 for sign in (-1, 1)), abs=1e-5)


def test_a_cell_comes_out_the_same_again_whatever_ran_before():
    first, again = (simulate(SINGLE, 60, through=0) for _ in range(2))
    assert first.shares == again.shares
    assert simulate(SINGLE, 60, seed=1, through=0).shares != first.shares


@pytest.mark.parametrize("cell", ONE_OF_EACH, ids=lambda cell: cell.name)
def test_the_true_worsening_is_the_margin_on_average(cell):
    drawn = [draw(cell, np.random.default_rng([3, at])) for at in range(400)]
    before = np.array([mean(data.before, lost=np.nan) for data in drawn])
    after = np.array([mean(data.afters, lost=np.nan).mean(axis=0) for data in drawn])
    wanted = [read_rate(cell.base, *cell.judge[:2]), read_rate(cell.base + cell.margin, *cell.judge[2:])]
    if not cell.lost:
        for found, true in zip((before, after), wanted, strict=True):
            each = found.mean(axis=1)
            assert abs(each.mean() - true) <= 4 * each.std() / sqrt(len(each)) + 1e-12
    assert np.mean([data.rates[1] for data in drawn]) == pytest.approx(cell.base + cell.margin, abs=0.002)


def test_lost_answers_are_lost_more_often_where_they_are_bad():
    cell = Cell("unscored", 2000, 0.3, 0.0, 0.03, lost="bad")
    data = draw(cell, np.random.default_rng(0))
    assert np.isnan(data.before).mean() == pytest.approx(0.3 * 0.3 + 0.7 * 0.01, abs=0.02)
    assert np.nanmean(data.before) < 0.26


def test_the_worst_category_carries_the_whole_worsening():
    cell = Cell("groups", 3200, 0.0, 0.0, 0.03, groups=4, uneven=True)
    data = draw(cell, np.random.default_rng(0))
    shares = [float(data.afters[0][data.groups == group].mean()) for group in range(4)]
    assert shares[0] == pytest.approx(0.12, abs=0.04)
    assert shares[1:] == [0, 0, 0]
    assert data.worst == pytest.approx(0.12)


def test_a_sheet_is_the_one_that_judge_label_draws():
    cell = Cell("labels", 80, 0.2, 0.0, 0.1, samples=2, judge=(0.9, 0.9, 0.8, 0.9), labels=60)
    data = draw(cell, np.random.default_rng(1))
    words = data.before, data.afters[0]
    after, prompts, samples, weights = sheet(*words, 60, np.random.default_rng(7))
    runs = [measurement(name, each, data.clusters) for name, each in zip(("before", "after"), words, strict=True)]
    theirs = draw_sheet(runs, 60, np.random.default_rng(7)).lines
    found = [(line.model == "after", line.pick.prompt.id, line.pick.answer.sample) for line in theirs]
    drawn = [(late, f"p{at}", sample) for late, at, sample in zip(after, prompts, samples, strict=True)]
    assert dict(zip(drawn, weights, strict=True)) == pytest.approx(
        dict(zip(found, [1 / line.probability for line in theirs], strict=True))
    )
    assert len(theirs) == len(after)


@pytest.mark.parametrize("cell", ONE_OF_EACH, ids=lambda cell: cell.name)
def test_compare_says_the_same(cell):
    rng = np.random.default_rng(2)
    assert differs(cell, [draw(cell, rng) for _ in range(cell.metrics)]) == []


def test_what_compare_says_otherwise_is_told():
    cell = Cell("unscored", 100, 0.1, 0.0, 0.05, lost="bad")
    data = draw(cell, np.random.default_rng(2))
    assert decide(cell, data).lower < 0
    (told,) = differs(replace(cell, lost=""), [data])  # forgets what the lost answers leave open
    assert told.startswith("m0, limits: (")


def test_a_finished_cell_is_not_run_again_unless_the_code_changed(tmp_path, capsys, monkeypatch):
    def run(*more):
        monkeypatch.setattr("sys.argv", ["gate_errors", "--out", str(tmp_path), "--families", "unscored", *more])
        main()
        return len(capsys.readouterr().out.splitlines())

    assert run("--repeats", "5") == 16
    assert run("--repeats", "5") == 0
    assert run("--repeats", "6", "--minutes", "0") == 0
    file = tmp_path / "cells.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text(
        "".join(json.dumps({**line, "sources": "old"} if at == 3 else line) + "\n" for at, line in enumerate(lines))
    )
    assert len(read(tmp_path, 0)) == 15
    assert run("--repeats", "5") == 1
    page = tmp_path / "page.md"
    run("--page", str(page))
    assert f"16 of {len(GRID)} cells" in page.read_text()


def test_the_page_names_every_cell_that_fails():
    good = {name: Share(0.04, 10_000) for name in (*ERRORS, "before", "pass, unchanged")}
    bad = good | {"false pass": Share(0.07, 10_000), "before": Share(0.0566, 10_000)}
    assert not Share(0.0565, 10_000).too_often
    found = [Tally(cell, 10_000, 0, shares, (), 1.0) for cell, shares in ((GRID[0], good), (GRID[1], bad))]
    text = whole(found, 2, 0, date(2026, 1, 1))
    assert f"  - `{GRID[1].name}`: false pass 7.00 % (± 0.26), rate before 5.66 % (± 0.23)\n" in text
    assert f"- Most false passes: 7.00 % (± 0.26), in `{GRID[1].name}`." in text
    assert "No cell fails" in whole(found[:1], 1, 0, date(2026, 1, 1))


@pytest.mark.parametrize("cell", ONE_OF_EACH, ids=lambda cell: cell.name)
def test_what_is_kept_is_read_back(cell):
    found = Tally(cell, 7, 3, {"false pass": Share(0.5, 7)}, ("x",), 2.0)
    assert from_line(json.loads(json.dumps(found.line("abc")))) == found
