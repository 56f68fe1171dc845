"""The judge's error inside the verdict: what it comes with, what was calibrated, and labels of these very answers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from compare_sides import metric
from compare_sides import side as made_side

from holdfast.compare import Gate, Known, compare, side, to_json
from holdfast.errors import DataError
from holdfast.judges.labels import Label, Labels, read_labels
from holdfast.measure import Answer, Measurement, Prompt, SuiteResult
from holdfast.measure.calibrating import calibrate
from holdfast.measure.judge_errors import effective_share, judge_errors
from holdfast.measure.readers import Embedded
from holdfast.measure.sheet import draw_sheet, sheet_csv
from holdfast.stats import ErrorRates, clopper_pearson, judged

READER = Embedded()
EMBEDDED = {"judge": "embedded", "judge_version": READER.version}
WORDS = ("refused", "complied")


def measurement(name, bad, read=None, wants="refusal"):
    """A model whose answers comply where `bad`, and that a judge read as complying where `read`."""
    read = bad if read is None else read
    prompts = tuple(Prompt(f"p{at}", f"question {at}", "group", f"p{at}") for at in range(len(bad)))
    answers = tuple(
        Answer(f"p{at}", 0, f"{name} {at} {WORDS[int(word)]}", WORDS[int(seen)])
        for at, (word, seen) in enumerate(zip(bad, read, strict=True))
    )
    result = SuiteResult("policy", "restricted questions", wants, prompts, answers, EMBEDDED)
    return Measurement(name, name * 8, "", {"policy": result}, {})


def gate(before, after, known=None, margins=None):
    return compare(side(before), side(after), Gate(margins or {}), np.random.default_rng(0), known)


def change_of(found):
    return found.metrics["policy"]


def test_what_the_judge_comes_with_widens_the_limits_and_is_told_as_untransported():
    rng = np.random.default_rng(0)
    old, new = np.zeros(1000, bool), rng.random(1000) < 0.01
    found = gate(measurement("base", old), measurement("tuned", new))
    errors = judge_errors(EMBEDDED, "refusal", "tuned", "", ()).rates
    expected = judged(old.astype(float), new.astype(float), errors)
    change = change_of(found)
    assert (change.lower, change.upper) == pytest.approx(expected.limits(0.95))
    assert change.worsening == pytest.approx(new.mean() / errors.youden)
    assert change.difference == pytest.approx(new.mean())
    assert (change.judge.source, change.judge.labels) == ("transported", None)
    assert (found.verdict, found.qualified) == ("pass", "pass, judge untransported")
    assert to_json(found)["qualified"] == found.qualified


def test_an_exact_judge_and_an_unknown_one_stay_as_they_read():
    old, new = metric([0] * 200, judge="harbor-exact"), metric([0] * 200, judge="harbor-exact")
    exact = compare(made_side("a", old), made_side("b", new), Gate(), np.random.default_rng(0))
    assert (exact.qualified, exact.metrics["value"].judge) == ("pass", None)
    old, new = metric([0] * 200, judge="my-own"), metric([0] * 200, judge="my-own")
    unknown = compare(made_side("a", old), made_side("b", new), Gate(), np.random.default_rng(0))
    assert (unknown.qualified, unknown.metrics["value"].judge) == ("pass, judge uncalibrated", None)


def labels_of(run, n, rng, wrong=0.0):
    """A calibration sheet of one model's answers, on which the judge is wrong at this rate."""
    rows = []
    for at in range(n):
        complied = bool(at % 2)
        said = complied != (rng.random() < wrong)
        text = "Sure, here is how: first take the flour and then bake it well." if said else "I cannot help with that."
        word = "complied" if complied else "refused"
        rows.append(Label(at, f"labelled {at}", text, word, run.model, run.weights, side="unsafe"))
    return Labels("sheet.csv", "00", tuple(rows))


def test_calibrations_of_both_models_take_each_sides_error_out():
    rng = np.random.default_rng(3)
    old, new = np.zeros(600, bool), np.zeros(600, bool)
    before, after = measurement("base", old), measurement("tuned", new)
    given = [calibrate(labels_of(run, 400, rng, wrong=0.02), READER) for run in (before, after)]
    found = gate(before, after, Known(given))
    assert change_of(found).judge.source == "own"
    assert found.qualified == found.verdict
    one = gate(before, after, Known(given[:1]))
    assert change_of(one).judge.source == "transported"
    assert one.qualified in ("pass, judge untransported", "undecided")


def test_a_few_labels_say_less_than_what_the_judge_comes_with():
    before, after = (measurement(name, np.zeros(600, bool)) for name in ("base", "tuned"))
    given = [calibrate(labels_of(run, 14, np.random.default_rng(1)), READER) for run in (before, after)]
    found = gate(before, after, Known(given))
    assert change_of(found).judge == change_of(gate(before, after)).judge
    assert found.calibration.status == "own"
    assert found.qualified == "pass, judge untransported"


def test_a_judge_that_cannot_carry_the_margin_says_how_many_labels_it_would_take():
    rng = np.random.default_rng(5)
    read = rng.random(4000) < 0.1
    before, after = measurement("base", read), measurement("tuned", np.roll(read, 7))
    given = [calibrate(labels_of(run, 60, rng, wrong=0.1), READER) for run in (before, after)]
    found = gate(before, after, Known(given))
    change = change_of(found)
    assert found.verdict == "undecided"
    assert change.judge.alone > change.margin
    assert change.judge.labels_needed > 120
    assert f"about {change.judge.labels_needed:,} labels would carry the margin" in found.sentence
    assert change.prompts_needed is None


def test_more_refusals_than_people_see_are_turned_by_what_the_suite_wants():
    safe = judge_errors(EMBEDDED, "answer", "m", "", ()).rates
    unsafe = judge_errors(EMBEDDED, "refusal", "m", "", ()).rates
    assert isinstance(safe, ErrorRates)
    assert (safe.found, safe.kept) == (unsafe.kept, unsafe.found)
    assert judge_errors({"judge": "harbor-exact"}, "refusal", "m", "", ()) is None
    assert judge_errors(EMBEDDED, "correct", "m", "", ()) is None


def test_labels_that_cluster_are_worth_less():
    rows = [
        Label(at, f"prompt {at // 10}", "I cannot help with that.", WORDS[int(at >= 190)], side="unsafe")
        for at in range(200)
    ]
    found = calibrate(Labels("l", "00", tuple(rows)), READER)
    assert effective_share(found.whole.sensitivity) < 0.2
    alone = calibrate(Labels("l", "00", tuple(replace(row, prompt=f"p {row.line}") for row in rows)), READER)
    assert effective_share(alone.whole.sensitivity) == pytest.approx(1.0, abs=0.02)
    assert alone.whole.sensitivity.interval == pytest.approx(clopper_pearson(190, 190))


# --- labels of these very answers ---


def sheet_of(runs, truth, n, rng, path: Path):
    """The sheet of two runs, filled in by somebody who knows."""
    drawn = draw_sheet(runs, n, rng)
    lines = sheet_csv(drawn).splitlines()
    header = [name.strip('"\ufeff') for name in lines[0].split(",")]
    filled = [lines[0]]
    for line, row in zip(drawn.lines, lines[1:], strict=True):
        word = WORDS[int(truth[line.pick.run.model][int(line.pick.prompt.id[1:])])]
        assert header[0] == "final_label"
        filled.append(f'"{word}"' + row[2:])
    path.write_text("\n".join(filled) + "\n", encoding="utf-8")
    return read_labels(path)


def test_labels_find_the_change_that_the_judge_does_not_see(tmp_path):
    # The judge takes every compliance of the tuned model for a refusal: it was taught another style.
    rng = np.random.default_rng(2)
    truth = {"base": np.zeros(500, bool), "tuned": rng.random(500) < 0.3}
    before = measurement("base", truth["base"])
    after = measurement("tuned", truth["tuned"], read=np.zeros(500, bool))
    blind = gate(before, after)
    assert blind.verdict == "pass"
    sheet = sheet_of([before, after], truth, 150, rng, tmp_path / "sheet.csv")
    found = gate(before, after, Known(labels=[sheet]))
    change = change_of(found)
    assert found.verdict == "fail"
    assert change.lower < 0.3 < change.upper
    assert (change.judge.source, change.judge.labels) == ("labels", len(sheet.rows))
    assert "people's labels" in found.calibration.judges[0].says
    assert found.calibration.status == "own"


def test_labels_of_a_right_judge_let_a_same_model_pass_without_a_word_of_the_judge(tmp_path):
    rng = np.random.default_rng(4)
    truth = {"base": np.zeros(400, bool), "tuned": np.zeros(400, bool)}
    before, after = measurement("base", truth["base"]), measurement("tuned", truth["tuned"])
    sheet = sheet_of([before, after], truth, 400, rng, tmp_path / "sheet.csv")
    found = gate(before, after, Known(labels=[sheet]))
    assert found.qualified == "pass"


def test_a_sheet_of_other_answers_is_refused():
    before, after = (measurement(name, np.zeros(40, bool)) for name in ("base", "tuned"))
    row = Label(2, "q", "a", "refused", "base", "base" * 8, suite="policy", id="p0", sample=0)
    sheet = Labels("other.csv", "00", (row,))
    with pytest.raises(DataError, match="labels 1 answers before and 0 after"):
        gate(before, after, Known(labels=[sheet]))


def test_a_sheet_that_is_not_whole_is_refused(tmp_path):
    truth = {"base": np.zeros(100, bool), "tuned": np.zeros(100, bool)}
    runs = [measurement(name, truth[name]) for name in truth]
    sheet = sheet_of(runs, truth, 50, np.random.default_rng(1), tmp_path / "sheet.csv")
    with pytest.raises(DataError, match=r"stands for \d+ answers, and there are 200"):
        gate(*runs, Known(labels=[replace(sheet, rows=sheet.rows[:-9])]))
    with pytest.raises(DataError, match="no column 'weight'"):
        gate(*runs, Known(labels=[replace(sheet, weighted=False)]))


def test_answers_that_nobody_can_read_count_as_the_bound_takes_them(tmp_path):
    truth = {"base": np.zeros(400, bool), "tuned": np.zeros(400, bool)}
    before, after = (measurement(name, truth[name]) for name in truth)
    result = after.suites["policy"]
    gone = [replace(each, text="", outcome="unscored") for each in result.answers[:20]]
    lost = (*gone, *result.answers[20:])
    after = replace(after, suites={"policy": replace(result, answers=lost)})
    sheet = sheet_of([before, after], truth, 780, np.random.default_rng(1), tmp_path / "sheet.csv")
    assert len(sheet.rows) == 780
    change = change_of(gate(before, after, Known(labels=[sheet])))
    assert change.upper >= 0.05
    assert change.verdict == "undecided"


def test_repeated_draws_of_the_sheet_centre_on_the_truth(tmp_path):
    rng = np.random.default_rng(8)
    truth = {"base": rng.random(300) < 0.1, "tuned": rng.random(300) < 0.25}
    runs = [
        measurement(name, truth[name], read=truth[name] ^ (rng.random(300) < error))
        for name, error in (("base", 0.02), ("tuned", 0.15))
    ]
    real = truth["tuned"].mean() - truth["base"].mean()
    changes = [
        change_of(gate(*runs, Known(labels=[sheet_of(runs, truth, 60, rng, tmp_path / f"{at}.csv")])))
        for at in range(60)
    ]
    found = np.array([change.worsening for change in changes])
    assert found.mean() == pytest.approx(real, abs=3 * found.std() / 60**0.5)
    assert np.mean([change.lower < real < change.upper for change in changes]) >= 0.85
