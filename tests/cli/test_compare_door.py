"""`compare` on CSV files: the exit code is the verdict."""

from pathlib import Path

import pytest

from tests.cli.conftest import Door


def table(path: Path, bad: range, n: int = 400, flip: bool = False) -> Path:
    lines = [f"p{i},0,{int((i in bad) != flip)}" for i in range(n)]
    path.write_text("\n".join(["prompt_id,sample,value", *lines]) + "\n")
    return path


@pytest.mark.parametrize(
    ("after", "code", "verdict"), [(range(1), 0, "pass"), (range(100), 1, "fail"), (range(20), 3, "undecided")]
)
def test_exit_codes(door: Door, tmp_path: Path, after: range, code: int, verdict: str) -> None:
    said = door("compare", table(tmp_path / "a.csv", range(0)), table(tmp_path / "b.csv", after), "--json")
    assert said.code == code
    assert said.json["verdict"] == verdict
    metric = said.json["metrics"]["value"]
    keys = {"before", "after", "difference", "upper", "margin", "n", "newly_worse", "newly_better", "verdict"}
    assert keys <= metric.keys()
    assert metric["newly_worse"] == len(after)
    assert metric["difference"] == pytest.approx(len(after) / 400)


def test_bad_is_low_turns_the_worsening_around(door: Door, tmp_path: Path) -> None:
    a, b = table(tmp_path / "a.csv", range(0), flip=True), table(tmp_path / "b.csv", range(100), flip=True)
    assert door("compare", a, b, "--bad-is", "low").code == 1
    assert door("compare", b, a, "--bad-is", "low").code == 0, "an improvement never fails"


def test_a_margin_decides(door: Door, tmp_path: Path) -> None:
    a, b = table(tmp_path / "a.csv", range(0)), table(tmp_path / "b.csv", range(20))
    assert door("compare", a, b, "--margin", "value=0.10").code == 0
    assert door("compare", a, b, "--margin", "value=0.01").code == 1
    wrong = door("compare", a, b, "--margin", "valu=0.01")
    assert wrong.code == 2
    assert "value" in wrong.err


def test_it_speaks_to_people_too(door: Door, tmp_path: Path) -> None:
    said = door("compare", table(tmp_path / "a.csv", range(0)), table(tmp_path / "b.csv", range(100)))
    assert "FAIL" in said.out
    assert "≥" in said.out
