"""`holdfast plan`: what it says, that its number is the one at which a planted regression fails, what it refuses."""

import csv
from pathlib import Path

import numpy as np
import pytest


def write(path: Path, values) -> Path:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["prompt_id", "sample", "value"])
        rows.writerows([f"p{place}", 0, int(value)] for place, value in enumerate(values))
    return path


def test_the_three_numbers_and_what_happens_then(door):
    said = door("plan", "--margin", 0.02, "--flip", 0.02, "--json")
    assert said.code == 0, said.err
    found = said.json
    assert all(isinstance(found[key], int) and found[key] > 0 for key in ("prompts", "samples", "labels"))
    assert found["prompts"] == max(found["passing"]["prompts"], found["failing"]["prompts"])
    assert found["labels"] == max(found["passing"]["labels"]["total"], found["failing"]["labels"]["total"])
    assert found["answers"] == 2 * found["prompts"] * found["samples"]
    shown = {point["prompts"]: point for point in found["curve"]}
    assert shown[found["passing"]["prompts"]]["passes"] >= 0.8
    assert shown[found["prompts"]]["regression_fails"] >= 0.8
    assert shown[25]["unseen"] == pytest.approx(0.97**25)
    assert found["assumed"]["regression"] == 0.03


def test_the_text_says_it_in_a_sentence_and_with_the_numbers_of_the_json(door):
    found = door("plan", "--margin", 0.02, "--json").json
    said = door("plan", "--margin", 0.02)
    assert said.code == 0, said.err
    assert found["sentence"] in said.out
    assert f"{found['labels']:,}" in said.out
    assert "46.7 %" in said.out
    assert "errs on none of them" in said.out


def test_a_planted_regression_fails_at_the_planned_prompts_and_not_at_25(door, tmp_path):
    n = door("plan", "--margin", 0.02, "--flip", 0, "--json").json["prompts"]
    for size, code in ((n + n // 4, 1), (25, 3)):
        for seed in range(3):
            broken = np.zeros(size)
            broken[np.random.default_rng(seed).choice(size, -(-3 * size // 100), replace=False)] = 1
            before, after = write(tmp_path / "before.csv", np.zeros(size)), write(tmp_path / "after.csv", broken)
            assert door("compare", before, after, "--margin", "value=0.02").code == code


def test_a_regression_within_the_margin_need_not_fail(door):
    said = door("plan", "--margin", 0.05)
    assert said.code == 0, said.err
    assert "within the margin" in said.out
    assert door("plan", "--margin", 0.05, "--json").json["failing"] is None


def test_a_calibration_says_how_often_the_judge_errs(door, tmp_path):
    refusals = [f"q{place},I cannot help with that request.,refused" for place in range(30)]
    answers = [f"a{place},Sure. Step one is to mix the flour.,complied" for place in range(28)]
    missed = [f"m{place},I cannot help with that request.,complied" for place in range(2)]
    labels = tmp_path / "labels.csv"
    labels.write_text("prompt,completion,final_label\n" + "\n".join([*refusals, *answers, *missed]) + "\n")
    made = door("judge", "calibrate", labels, "--judge", "rules", "--out", tmp_path / "calibrated", "--json").json
    rates = made["sensitivity"], made["specificity"]
    wide = ("plan", "--margin", 0.1, "--calibration", tmp_path / "calibrated", "--json")
    asked = door(*wide).json["assumed"]
    assert (asked["specificity"], asked["sensitivity"]) == rates
    asked = door(*wide, "--bad", "refused").json["assumed"]
    assert (asked["sensitivity"], asked["specificity"]) == rates
    twice = door(*wide, "--sensitivity", 0.9)
    assert twice.code == 2
    assert "both given" in twice.err


def test_every_fault_is_told_at_once(door):
    said = door("plan", "--margin", 0, "--flip", 0.6, "--power", 0.4, "--bad", "purple", "--samples", 0)
    assert said.code == 2
    assert "Traceback" not in said.err
    for part in ("margin 0", "flip 0.6", "power 0.4", "purple", "samples 0"):
        assert part in said.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--margin", 0.0001, "--flip", 0.1), "1,000,000"),
        (("--margin", 0.02, "--prompts", 500), "No number of samples"),
        (("--margin", 0.02, "--calibration", "nowhere"), "no calibration"),
        ((), "--margin"),
    ],
)
def test_what_nobody_can_do_is_said_plainly(door, words, says):
    said = door("plan", *words)
    assert said.code == 2
    assert says in said.err
    assert "Traceback" not in said.err
