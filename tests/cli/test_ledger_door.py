"""`ledger` from words to exit codes: what is written, what is refused, and what a kill or an editor leaves behind."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.cli.judge import read_calibration
from holdfast.cli.ledger_folder import LedgerFolder
from holdfast.errors import OutputError
from holdfast.measure import SUITES, Asking, HarborSuite, Reader, measure
from holdfast.measure.readers import Rules
from holdfast.models import ScriptedModel
from holdfast.store import Journal, plain, write_json
from holdfast.world import REFUSALS, make_world
from tests.cli.conftest import Door, Said

Release = Callable[..., Said]


@pytest.fixture
def release(door: Door, tmp_path: Path) -> Release:
    """Add a release of which the first `bad` of 1,000 prompts went wrong."""

    def add(name: str, bad: int, *words: object, prompt: str = "p") -> Said:
        lines = [f"{prompt}{at},0,{int(at < bad)}" for at in range(1000)]
        file = tmp_path / f"{name}.csv"
        file.write_text("\n".join(["prompt_id,sample,value", *lines]) + "\n")
        return door("ledger", "add", file, "--name", name, *words)

    return add


def lines(folder: Path = Path("ledger")) -> list[str]:
    return (folder / "ledger.jsonl").read_text().splitlines()


def test_ten_steps_that_each_pass_fail_against_the_first(door: Door, release: Release) -> None:
    codes = [release(f"v1.{at}", 15 * at, "--margin", "value=0.03").code for at in range(11)]
    assert codes[:2] == [0, 0]
    assert codes[-1] == 1
    shown = door("ledger", "--json")
    assert shown.code == 0, "to show is not to decide"
    releases = shown.json["releases"]
    assert [each["release"] for each in releases] == [f"v1.{at}" for at in range(11)]
    assert [each["before"]["verdict"] for each in releases[1:]] == ["pass"] * 10
    assert releases[10]["anchor"]["metrics"]["value"]["worsening"] == pytest.approx(0.15)
    assert [each["uses"]["value"] for each in releases] == list(range(11))
    assert (shown.json["anchor"], shown.json["newest"], shown.json["verdict"]) == ("v1.0", "v1.10", "fail")
    assert door("ledger", "--exit-code").code == 1
    assert door("ledger", "show", "--exit-code", "--margin", "value=0.2").code == 0
    again = door("ledger", "show", "--recompute", "--json").json
    assert (again["releases"], again["says"]) == (releases, shown.json["says"])
    table = door("ledger").out
    assert "15.0 (13.1 to 17.0)" in table
    assert "FAIL" in table
    assert "decided on 10 models" in table


def test_undecided_exits_3(door: Door, release: Release) -> None:
    release("v0", 0, "--margin", "value=0.03")
    assert release("v1", 30).code == 3
    assert door("ledger", "--exit-code").code == 3


def test_a_gate_from_a_file(release: Release, tmp_path: Path) -> None:
    (tmp_path / "gate.toml").write_text("[gate]\ndefault = 0.2\n")
    release("v0", 0, "--margin", "value=0.03")
    assert release("v1", 100).code == 1
    assert release("v2", 101, "--gate", tmp_path / "gate.toml").code == 0
    said = release("v3", 102)
    assert said.code == 0
    assert "The margin of value was 3 points, and is 20 points from v2 on." in said.out


def test_a_new_anchor_and_a_candidate(door: Door, release: Release) -> None:
    release("v0", 0)
    assert release("rc", 200, "--candidate").code == 1
    assert door("ledger", "--exit-code").code == 0, "a candidate was not released"
    assert release("v1", 0, prompt="q").code == 2
    assert len(lines()) == 2
    assert release("v1", 0, "--new-anchor", prompt="q").code == 0
    said = release("v2", 1, prompt="q")
    assert said.code == 0
    assert "v0: not comparable" in said.out
    assert door("ledger", "--json").json["anchor"] == "v1"


def test_what_cannot_be_added_leaves_nothing(door: Door, release: Release, tmp_path: Path) -> None:
    release("v0", 0)
    before = {path: path.read_bytes() for path in Path("ledger").rglob("*") if path.is_file()}
    wrong = release("v1", 7, prompt="q")
    assert wrong.code == 2
    assert "'v1' cannot be compared with the anchor 'v0'" in wrong.err
    assert "--new-anchor" in wrong.err
    assert release("v0", 3).code == 2
    assert release("v1", 3, "--margin", "valu=0.1").code == 2
    assert release("v1", 3, "--candidate", "--new-anchor").code == 2
    assert release("v1", 3, "--anchor-name", "base").code == 2
    assert door("ledger", "add", "nowhere", "--name", "v1").code == 2
    assert door("ledger", "--json", "add", "v0.csv", "--name", "v1").code == 2, "an option before the verb"
    assert {path: path.read_bytes() for path in Path("ledger").rglob("*") if path.is_file()} == before


def test_no_ledger_yet(door: Door, tmp_path: Path) -> None:
    for words in (("ledger",), ("ledger", "show", "--ledger", tmp_path)):
        said = door(*words)
        assert said.code == 2
        assert "holdfast ledger add RUN --name v1.0" in said.err
    (tmp_path / "file").write_text("mine")
    (tmp_path / "a.csv").write_text("prompt_id,sample,value\np,0,0\n")
    assert door("ledger", "add", "a.csv", "--name", "v0", "--ledger", "file").code == 2
    assert (tmp_path / "file").read_text() == "mine"
    assert door("ledger", "add", "a.csv", "--name", "v0", "--candidate").code == 2


def test_what_was_changed_is_said_and_nothing_is_added_to_it(door: Door, release: Release) -> None:
    for at in range(3):
        release(f"v{at}", at)
    file, whole = Path("ledger/ledger.jsonl"), lines()
    file.write_text("\n".join([whole[0], whole[1].replace('"pass"', '"fail"', 1), whole[2]]) + "\n")
    said = door("ledger")
    assert said.code == 2
    assert "Entry 2 (v1) is not as it was written" in said.err
    assert release("v3", 1).code == 2
    assert door("ledger", "--json").json["faults"]
    file.write_text("\n".join([whole[0], whole[2]]) + "\n")
    assert "v2 was not written after v0" in door("ledger").err
    file.write_text("\r\n".join(whole) + "\r\n")
    assert door("ledger").code == 0, "other line ends change nothing"


@pytest.mark.parametrize("kind", ["measured", "prompts"])
def test_kept_values_that_were_changed_are_said(door: Door, release: Release, kind: str) -> None:
    release("v0", 0)
    release("v1", 1)
    file = next(path for path in Path("ledger", kind).iterdir())
    text = file.read_text()
    file.write_text(text.replace("p1", "p01", 1) if kind == "prompts" else text.replace("0, 0", "0, 1", 1))
    said = door("ledger")
    assert said.code == 2
    assert f"{file}' is not as it was written" in said.err
    assert door("ledger", "--recompute").code == 2
    file.unlink()
    assert f"{file}' is missing" in door("ledger").err


def test_a_kill_at_any_byte_leaves_a_ledger_that_goes_on(release: Release, tmp_path: Path) -> None:
    for at in range(3):
        release(f"v{at}", at)
    file = tmp_path / "ledger" / "ledger.jsonl"
    whole = file.read_bytes()
    start = whole.rstrip(b"\n").rindex(b"\n") + 1
    for end in (*range(start, len(whole), 97), len(whole) - 2, len(whole) - 1, len(whole)):
        file.write_bytes(whole[:end])
        entries, faults = LedgerFolder(tmp_path / "ledger").read()
        assert faults == []
        assert [entry.release for entry in entries] == ["v0", "v1", *["v2"] * (end >= len(whole) - 1)]
    file.write_bytes(whole[: start + 200])
    assert release("v2", 2).code == 0
    entries, faults = LedgerFolder(tmp_path / "ledger").read()
    assert ([entry.release for entry in entries], faults) == (["v0", "v1", "v2"], [])


def test_two_at_once_both_arrive(release: Release, tmp_path: Path) -> None:
    release("v0", 0)
    for name in ("a", "b"):
        shutil.copy(tmp_path / "v0.csv", tmp_path / f"{name}.csv")
    add = [sys.executable, "-m", "holdfast", "ledger", "add"]
    both = [subprocess.Popen([*add, f"{name}.csv", "--name", name], stdout=subprocess.DEVNULL) for name in "ab"]
    assert [each.wait(120) for each in both] == [0, 0]
    entries, faults = LedgerFolder(tmp_path / "ledger").read()
    assert faults == []
    assert {entry.release for entry in entries} == {"v0", "a", "b"}


def test_one_that_does_not_end_is_not_waited_for_without_end(tmp_path: Path) -> None:
    with (
        LedgerFolder(tmp_path).alone(),
        pytest.raises(OutputError, match="Another `ledger add`"),
        LedgerFolder(tmp_path).alone(wait=0.2),
    ):
        pass


# --- measurements of ours --------------------------------------------------------------------------------------------


def measured(folder: Path, name: str, complies: int, reader: Reader | None = None) -> None:
    """A real measurement of Harbor's policy suite: refusals, but for some answers that comply."""
    world = make_world(0)
    (suite,) = [each for each in SUITES if isinstance(each, HarborSuite) and each.name == "harbor-policy"]
    made = suite.make(world)
    made = replace(made, reader=reader) if reader else made
    broken = {prompt.text for prompt in made.prompts[:complies]}
    model = ScriptedModel(name, lambda question, _: f"It is {name}." if question in broken else REFUSALS[0])
    done = measure(model, [made], Asking(), Journal(folder / "answers.jsonl"), lambda *_: None)
    write_json(folder / "measurement.json", done)


def test_measurements_and_check_runs(door: Door, tmp_path: Path) -> None:
    measured(tmp_path / "run" / "before", "base", 0)
    measured(tmp_path / "run" / "after", "tuned", 1)
    measured(tmp_path / "later", "worse", 60)
    first = door("ledger", "add", "run", "--name", "v1.1", "--anchor-name", "v1.0", "--json")
    assert first.code == 0
    assert [(each["release"], each["kind"], each["model"]) for each in first.json["releases"]] == [
        ("v1.0", "anchor", "base"), ("v1.1", "release", "tuned"),
    ]  # fmt: skip
    assert first.json["releases"][1]["margins"] == {"harbor-policy": 0.03}
    later = door("ledger", "add", "later", "--name", "v1.2", "--json")
    assert later.code == 1
    change = later.json["releases"][2]["anchor"]["metrics"]["harbor-policy"]
    straight = door("compare", "run/before", "later", "--json").json["metrics"]["harbor-policy"]
    assert change == {key: straight[key] for key in change}, "the same verdict as compare's own"
    twice = door("ledger", "add", "later", "--name", "v1.3")
    assert "'v1.3' is 'v1.2'" in twice.err


def test_a_calibration_is_kept_and_used_again(door: Door, tmp_path: Path) -> None:
    for name, complies in (("base", 0), ("tuned", 1)):
        measured(tmp_path / name, name, complies, Rules())
    said = [("I cannot help with that.", "refused"), ("It is six.", "complied")] * 60
    rows = [f"p{at},{text},{label},{name}" for at, (text, label) in enumerate(said) for name in ("base", "tuned")]
    (tmp_path / "labels.csv").write_text("\n".join(["prompt,completion,final_label,model", *rows]) + "\n")
    assert door("judge", "calibrate", "labels.csv", "--judge", "rules", "--out", "cal").code == 0
    assert door("ledger", "add", "base", "--name", "v0").code == 0
    door("ledger", "add", "tuned", "--name", "v1", "--candidate")
    without = LedgerFolder(tmp_path / "ledger").read()[0][1].anchor
    assert without is not None
    door("ledger", "add", "tuned", "--name", "v2", "--calibration", "cal")
    folder = LedgerFolder(tmp_path / "ledger")
    entry = folder.read()[0][2]
    assert entry.anchor is not None
    assert "uncalibrated" not in entry.anchor.qualified
    assert entry.anchor.metrics["harbor-policy"].upper != without.metrics["harbor-policy"].upper
    assert list(folder.calibrations(entry)) == [read_calibration(tmp_path / "cal")]
    again = door("ledger", "--recompute", "--json").json
    assert again["releases"][2]["anchor"]["metrics"] == plain(entry.anchor.metrics)
    assert not [text for text in again["says"] if "computed again" in text]
    wrong = door("ledger", "add", "tuned", "--name", "v3", "--calibration", "base")
    assert wrong.code == 2


def test_two_models_that_answer_identically_are_refused(door: Door, tmp_path: Path) -> None:
    for name in ("base", "tuned"):
        measured(tmp_path / name, name, 0)
    door("ledger", "add", "base", "--name", "v0")
    said = door("ledger", "add", "tuned", "--name", "v1")
    assert said.code == 2
    assert "gave only identical answers" in said.err
    assert "--new-anchor" not in said.err


def test_no_text_of_an_answer_is_kept(door: Door, tmp_path: Path) -> None:
    measured(tmp_path / "base", "secretword", 5)
    assert door("ledger", "add", "base", "--name", "v0").code == 0
    kept = [path.read_text() for path in Path("ledger").rglob("*") if path.is_file()]
    assert not [text for text in kept if "It is secretword" in text or "I cannot" in text]
    prompts = json.loads((tmp_path / "base" / "measurement.json").read_text())["suites"]["harbor-policy"]["prompts"]
    assert not [text for text in kept if prompts[0]["text"] in text]
