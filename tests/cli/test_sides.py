"""Which reader a side is given to, by what it holds; and what the words after `--bad-is` and `--metric` mean."""

import json
import shutil
from pathlib import Path

import pytest

from holdfast.cli.sides import chosen_of, kind_of, read_side, read_sides
from holdfast.compare.chosen import Chosen
from holdfast.errors import ConfigError, DataError
from tests.cli.conftest import Door
from tests.compare.inspect_scene import LOGS, as_json, log, sample

TABLE = "prompt_id,sample,value\np1,0,1\np2,0,0\n"
MEASURED = {
    "model": "m", "weights": "", "template": "", "versions": {},
    "suites": {"lamps": {"suite": "lamps", "says": "", "wants": "refusal", "settings": {}, "prompts": [
        {"id": "1", "text": "?", "group": "", "cluster": "1"}], "answers": [
        {"prompt_id": "1", "sample": 0, "text": "No.", "outcome": "refused"}]}},
}  # fmt: skip


@pytest.fixture
def sides(tmp_path: Path) -> dict[str, Path]:
    """One of each kind, under names that say nothing."""
    (tmp_path / "measured").mkdir()
    (tmp_path / "measured" / "measurement.json").write_text(json.dumps(MEASURED))
    (tmp_path / "table").write_text("\ufeff" + TABLE)
    (tmp_path / "plain.log").write_text(json.dumps(MEASURED, indent=1))
    as_json(tmp_path / "theirs.txt", log([sample(1), sample(2)]))
    shutil.copy(LOGS / "lamps.eval", tmp_path / "packed")
    shutil.copy(next(LOGS.rglob("samples_lamps_mc_*")), tmp_path / "lines")
    return {path.name: path for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("name", "kind", "metric"),
    [
        ("measured", "a measurement", "lamps"),
        ("plain.log", "a measurement", "lamps"),
        ("table", "a CSV", "value"),
        ("theirs.txt", "an Inspect log", "match"),
        ("packed", "an Inspect log", "includes"),
        ("lines", "samples of lm-eval", "lines/acc"),
    ],
)
def test_a_side_is_recognised_by_what_it_holds(sides: dict[str, Path], name: str, kind: str, metric: str) -> None:
    assert kind_of(sides[name]) == kind
    assert next(iter(read_side(sides[name], Chosen("low")).metrics)) == metric


def test_a_folder_of_lm_eval_is_one_side() -> None:
    assert kind_of(LOGS / "lm") == "samples of lm-eval"
    assert len(read_side(LOGS / "lm", Chosen()).metrics) == 4


def test_sides_of_two_kinds_are_told_by_their_kinds(sides: dict[str, Path]) -> None:
    with pytest.raises(ConfigError) as caught:
        read_sides([sides["table"], sides["packed"]], Chosen("low"))
    assert "table' is a CSV" in str(caught.value)
    assert "packed' is an Inspect log" in str(caught.value)
    assert len(read_sides([sides["packed"], sides["theirs.txt"]], Chosen("low"))) == 2, "two ways to pack one kind"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.txt", "Who keeps the lamp?", "It begins like none of them"),
        ("a.txt", "", "It begins like none of them"),
        ("a.json", "{", "It begins like JSON, and is none or breaks off"),
        ("a.json", '{"prompt": 1}', "It is JSON with the keys 'prompt'"),
        ("a.json", '{"a": ' + "[" * 100_000, "It begins like JSON, and is none or breaks off"),
        ("a.eval", "not a log", "is no log of Inspect's"),
        ("a.jsonl", '{"prompt": "Who?"}', "it is no object with a doc_id"),
        ("a.csv", "", "column 'prompt_id' is missing"),
        ("a.json", '{"suites": {"a": 1}}', "is no measurement of ours"),
    ],
)
def test_what_is_no_side_is_told_in_one_error(tmp_path: Path, name: str, text: str, says: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_side(path, Chosen("low"))
    assert says in str(caught.value)


def test_a_folder_without_a_side_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no measurement in"):
        kind_of(tmp_path)
    with pytest.raises(DataError, match="There is no measurement in"):
        kind_of(tmp_path / "gone")
    shutil.copy(LOGS / "lamps.eval", tmp_path / "a.eval")
    with pytest.raises(DataError, match=r"It holds logs of Inspect's: a.eval.\s+Name one of them"):
        kind_of(tmp_path)


# --- words ------------------------------------------------------------------------------------------------------------


def test_a_word_is_for_all_metrics_and_a_name_for_one() -> None:
    assert chosen_of() == Chosen()
    assert chosen_of(["low"]) == Chosen("low")
    assert chosen_of(["a=b/c=high", "low"], ["x"]) == Chosen("low", {"a=b/c": "high"}, ("x",))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["big"], "--bad-is big: "),
        (["x=big", "y=low", ""], "--bad-is x=big, : "),
        (["=low"], "--bad-is =low: "),
        (["low", "high"], "all metrics twice"),
        (["x=low", "x=low"], "x twice"),
    ],
)
def test_words_that_say_nothing_are_told_at_once(words: list[str], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        chosen_of(words)
    assert says in str(caught.value)


def test_of_a_table_high_is_bad_unless_it_is_said_otherwise(sides: dict[str, Path]) -> None:
    found = {word: read_side(sides["table"], chosen_of(said)).metrics["value"].bad_is
             for word, said in {"": [], "low": ["low"], "name": ["high", "value=low"]}.items()}  # fmt: skip
    assert found == {"": "high", "low": "low", "name": "low"}


def test_nothing_turns_a_measurement_of_ours_around(sides: dict[str, Path]) -> None:
    assert read_side(sides["measured"], Chosen("low")).metrics["lamps"].bad_is == "high"
    with pytest.raises(ConfigError, match="lamps: high values are bad by what its suite wants"):
        read_side(sides["measured"], Chosen(named={"lamps": "low"}))
    with pytest.raises(ConfigError, match=r"there is no metric 'lamp'\. Did you mean 'lamps'"):
        read_side(sides["measured"], Chosen(only=("lamp",)))


# --- the door ---------------------------------------------------------------------------------------------------------


def lamps(path: Path, wrong: int, n: int = 400, **spec: object) -> Path:
    """A log in which the first `wrong` of n answers are wrong; wordings that have nothing in common."""
    samples = [sample(f"s{id}", "I" if id < wrong else "C", input=f"{id * 7919:x}") for id in range(n)]
    return as_json(path, log(samples, **spec))


@pytest.mark.parametrize(("wrong", "code"), [(0, 0), (100, 1), (15, 3)])
def test_two_logs_are_compared_and_the_exit_code_is_the_verdict(
    door: Door, tmp_path: Path, wrong: int, code: int
) -> None:
    before, after = lamps(tmp_path / "a.json", 0), lamps(tmp_path / "b.json", wrong, model="tuned")
    said = door("compare", before, after, "--bad-is", "low", "--json")
    assert said.code == code, said.err
    metric = said.json["metrics"]["match"]
    assert (metric["bad_is"], metric["n"], metric["newly_worse"]) == ("low", 400, wrong)
    assert said.json["after"]["name"] == "tuned"


def test_without_a_word_on_what_is_bad_logs_are_not_compared(door: Door, tmp_path: Path) -> None:
    before, after = lamps(tmp_path / "a.json", 0), lamps(tmp_path / "b.json", 100)
    said = door("compare", before, after)
    assert (said.code, said.out) == (2, "")
    assert "--bad-is match=low" in said.err
    assert door("compare", before, after, "--bad-is", "match=high").code == 0, "wrong answers are what is wanted"


def test_samples_of_lm_eval_say_themselves_what_is_bad(door: Door) -> None:
    said = door("compare", LOGS / "lm", LOGS / "lm", "--metric", "lamps_mc/acc", "--json")
    assert said.code == 3, "seven questions decide nothing"
    assert said.json["metrics"]["lamps_mc/acc"]["clusters"] == 6
    assert list(said.json["metrics"]) == ["lamps_mc/acc"]


def test_sides_that_do_not_fit_are_the_users_error(door: Door, tmp_path: Path) -> None:
    one, other = lamps(tmp_path / "a.json", 0), lamps(tmp_path / "b.json", 0, task_version=2)
    said = door("compare", one, other, "--bad-is", "low")
    assert (said.code, "task_version = '1' before, '2' after" in said.err) == (2, True)
    said = door("compare", one, LOGS / "lm", "--bad-is", "low")
    assert (said.code, "Sides of different kinds" in said.err) == (2, True)
