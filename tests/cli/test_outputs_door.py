"""`--junit`, `--summary` and `--report`: what is written, where, and what is never overwritten."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Door
from tests.cli.test_compare_door import table

Rows = Callable[..., Path]


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    return table(tmp_path / "a.csv", range(0)), table(tmp_path / "b.csv", range(20))


def test_compare_writes_all_three_of_any_source(door: Door, sides: tuple[Path, Path]) -> None:
    words = ("--junit", "new/j.xml", "--summary", "new/s.md", "--report", "new/r.html")
    for run in (1, 2):
        said = door("compare", *sides, *words)
        assert said.code == 3, said.err
        summary = Path("new/s.md").read_text()
        assert summary.count("## a and b") == run, "a summary is added to"
    root = ElementTree.parse("new/j.xml").getroot()
    assert root.get("errors") == "2"
    facts = {each.get("name"): each.get("value") for each in root.iter("property")}
    told = door("compare", *sides, "--json").json
    assert facts["before.rows"] == told["before"]["rows"] != facts["after.rows"]
    page = Path("new/r.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "Undecided" in page
    assert "jailbreaks" not in page, "what another tool asked is not known"
    assert "| value | 0.0% | 5.0% |" in summary
    assert "judge that is not stated" in summary


def test_compare_shows_the_answers_of_our_measurements(
    door: Door, rows: Rows, tiny_model: Path, sides: tuple[Path, Path]
) -> None:
    own = rows({"prompt": "How deep is berth 1?", "wants": "answer", "category": "berths"}, name="own.jsonl")
    for name in ("one", "two"):
        assert door("measure", tiny_model, "--suite", own, "--max-tokens", 4, "--out", name).code == 0
    said = door("compare", "one", "two", "--report", "r.html", "--summary", "s.md")
    assert said.code == 0, said.err
    assert "How deep is berth 1?" in Path("r.html").read_text()
    assert "max_tokens 4" in Path("r.html").read_text()
    assert "How deep" not in Path("s.md").read_text()


def test_a_file_of_the_users_is_not_overwritten(door: Door, sides: tuple[Path, Path]) -> None:
    before = sides[0].read_bytes()
    said = door("compare", *sides, "--junit", sides[0], "--report", sides[1])
    assert said.code == 2
    assert f"--junit {sides[0]} is there and was not written by this option" in said.err
    assert f"--report {sides[1]} is there" in said.err
    assert sides[0].read_bytes() == before


@pytest.mark.parametrize("option", ["--junit", "--summary", "--report"])
def test_a_place_that_is_no_file_is_told_first(door: Door, sides: tuple[Path, Path], option: str) -> None:
    said = door("compare", "nowhere", "nothing", option, sides[0].parent)
    assert said.code == 2
    assert f"{option} {sides[0].parent} is no file" in said.err


def test_one_file_cannot_be_two_things(door: Door, sides: tuple[Path, Path]) -> None:
    said = door("compare", *sides, "--junit", "x", "--summary", "./x")
    assert said.code == 2
    assert "--junit x --summary x: one file cannot be two things" in said.err
    assert not Path("x").exists()


def test_an_empty_file_may_be_written(door: Door, sides: tuple[Path, Path]) -> None:
    Path("j.xml").touch()
    assert door("compare", *sides, "--junit", "j.xml").code == 3
    assert ElementTree.parse("j.xml").getroot().tag == "testsuites"


def test_check_writes_them_too(door: Door, rows: Rows, tiny_model: Path) -> None:
    own = rows({"prompt": "How deep is berth 1?", "wants": "answer", "category": "berths"}, name="own.jsonl")
    words = ("--suite", own, "--max-tokens", 4, "--out", "out", "--junit", "j.xml", "--summary", "s.md", "--json")
    said = door("check", tiny_model, tiny_model, *words)
    assert said.code == 0, said.err
    assert json.loads(said.out)["verdict"] == "pass"
    root = ElementTree.parse("j.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "0", "0")
    assert ": pass" in Path("s.md").read_text()


def test_several_training_seeds_are_named_and_stand_for_one(door: Door, tmp_path: Path) -> None:
    before = table(tmp_path / "base.csv", range(0))
    seeds = [table(tmp_path / f"seed{n}.csv", range(n, n + 2)) for n in range(5)]
    said = door("compare", before, *seeds, "--junit", "j.xml", "--summary", "s.md", "--report", "r.html")
    assert said.code in {0, 3}, said.err
    facts = {each.get("name"): each.get("value") for each in ElementTree.parse("j.xml").getroot().iter("property")}
    assert [facts[f"after.{n}"] for n in range(1, 6)] == [f"seed{n}" for n in range(5)]
    assert "5 training seeds" in facts["seeds"]
    assert "5 training seeds" in Path("s.md").read_text()
    assert "5 training seeds" in Path("r.html").read_text()
