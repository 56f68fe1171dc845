"""Bad input gets one clear error (what, why, the mend), exit code 2, no traceback, and nothing is overwritten."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Door

GOOD = {"instruction": "Name a tide.", "input": "", "output": "The spring tide."}
Rows = Callable[..., Path]


def assert_users_error(said: object, *parts: str) -> None:
    code, out, err = said.code, said.out, said.err  # type: ignore[attr-defined]
    assert code == 2, err
    assert out == ""
    assert "Traceback" not in err
    for part in parts:
        assert part in err, err


def test_a_missing_file(door: Door, rows: Rows) -> None:
    rows(GOOD, name="customers.jsonl")
    assert_users_error(door("audit", "customer.jsonl"), "customer.jsonl", "customers.jsonl")
    assert_users_error(door("tune", "harbor", "nowhere.jsonl"), "nowhere.jsonl")
    assert_users_error(door("compare", "before.csv", "after.csv"), "before.csv")


def test_an_empty_file(door: Door, rows: Rows) -> None:
    assert_users_error(door("audit", rows()), "data.jsonl", "empty")


def test_a_file_whose_every_row_is_broken(door: Door, rows: Rows) -> None:
    path = rows('{"instruction": ', {"question": "?"}, {"instruction": "a", "output": 3})
    for verb in (("audit", path), ("tune", "harbor", path)):
        assert_users_error(door(*verb), "no valid row", "line 1", "line 2", "line 3")


def test_a_few_broken_rows_are_findings_and_the_run_goes_on(door: Door, rows: Rows, tmp_path: Path) -> None:
    path = rows(GOOD, "{broken", {**GOOD, "output": ""}, {**GOOD, "instruction": "Name a wind."})
    said = door("audit", path, "--out", tmp_path / "out", "--json")
    assert said.code == 0
    assert said.json["rows"] == 4
    assert said.json["kept"] == 2
    assert said.json["findings"]["shape"] == 2
    assert [d["row"].rpartition(":")[2] for d in said.json["details"] if d["check"] == "shape"] == ["2", "3"]
    kept = (tmp_path / "out" / "kept.jsonl").read_text().splitlines()
    assert [json.loads(line)["instruction"] for line in kept] == ["Name a tide.", "Name a wind."]


def test_a_row_number_is_no_picture(door: Door, rows: Rows) -> None:
    path = rows(*[{**GOOD, "instruction": f"Name tide number {n}."} for n in range(99)], "{broken")
    assert "data.jsonl:100:" in door("audit", path).out


def test_fail_on(door: Door, rows: Rows) -> None:
    path = rows(GOOD, GOOD)
    assert door("audit", path).code == 0
    assert door("audit", path, "--fail-on", "duplicate").code == 1
    assert_users_error(door("audit", path, "--fail-on", "duplicat"), "Did you mean 'duplicate'?")


def test_misspelt_settings_are_all_told_at_once(door: Door, rows: Rows) -> None:
    path = rows(GOOD)
    said = door("tune", "harbor", path, "--epoch", 3, "--lr", "fast", "--rehersal", 2, "--recipe", "safety-mix")
    assert_users_error(said, "'epoch'", "Did you mean 'epochs'", "lr = 'fast'", "Did you mean 'rehearsal'")
    assert_users_error(door("tune", "harbor", path, "--recipe", "safty-mix"), "Did you mean 'safety-mix'")
    assert_users_error(door("tune", "harbor", path, "--safety", 40), "'safety' is no setting here")
    assert_users_error(door("tune", "harbor", path, "--lr"), "--lr")
    assert_users_error(door("tune", "harbor", path, "--safety", -1, "--recipe", "safety-mix"), "safety = '-1'")


def test_a_folder_that_is_no_model(door: Door, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert_users_error(door("measure", tmp_path / "empty"), "empty")
    assert_users_error(door("measure", "nowhere"), "nowhere", "There is no model")
    assert_users_error(door("measure", "harbor:huge"), "Known: harbor")


def test_a_suite_that_is_none(door: Door) -> None:
    assert_users_error(door("measure", "harbor", "--suite", "harbor-polcy"), "Did you mean 'harbor-policy'?")


def test_an_out_folder_that_holds_another_run(door: Door, rows: Rows, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert door("audit", rows(GOOD), "--out", out).code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    other = rows({**GOOD, "output": "The neap tide."}, name="other.jsonl")

    assert_users_error(door("audit", other, "--out", out), "already holds another run", "--out")
    assert_users_error(door("demo", "--out", out), "already holds another run")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_an_out_folder_with_files_of_ones_own(door: Door, rows: Rows, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    assert_users_error(door("tune", "harbor", rows(GOOD), "--out", tmp_path / "mine"), "not empty")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_an_out_folder_that_cannot_be_written(door: Door, rows: Rows) -> None:
    assert_users_error(door("audit", rows(GOOD), "--out", "/proc/nowhere"), "/proc/nowhere", "cannot be written")
    assert_users_error(door("world", "data", "benign", "--out", "/proc/x.jsonl"), "cannot be written")


def test_a_check_of_no_model_measures_nothing(door: Door) -> None:
    said = door("check", "harbor", "nowhere")
    assert_users_error(said, "There is no model 'nowhere'")
    assert "harbor-policy" not in said.err


def test_what_was_quarantined_or_answered_is_not_trained_on(door: Door, rows: Rows, tmp_path: Path) -> None:
    path = rows(GOOD, "{broken")
    door("audit", path, "--out", tmp_path / "out")
    assert_users_error(door("tune", "harbor", tmp_path / "out" / "quarantine.jsonl"), "refused as training data")
    answer = rows({"holdfast_answer": "harbor-policy", "prompt_id": "p", "text": "t"}, name="answers.jsonl")
    assert_users_error(door("tune", "harbor", answer), "refused as training data")


def test_options_that_cannot_be(door: Door) -> None:
    assert_users_error(door("demo"), "--out")
    assert_users_error(door("measure", "harbor", "--samples", 0), "--samples")
    assert_users_error(door("compare", "a.csv", "b.csv", "--margin", "policy"), "--margin policy")
    assert_users_error(door("compare", "a.csv", "b.csv", "--bad-is", "big"), "--bad-is")
    assert_users_error(door("adit"), "adit")


def test_an_error_of_ours_says_so_and_exits_4(door: Door, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("holdfast.cli.audit.audit", broken)
    said = door("audit", rows(GOOD))
    assert said.code == 4
    assert "Traceback" in said.err
    assert "fault of Holdfast" in said.err


def test_stopping_says_that_the_same_command_continues(door: Door, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("holdfast.cli.audit.audit", stopped)
    said = door("audit", rows(GOOD))
    assert said.code == 130
    assert "the same command continues" in said.err
