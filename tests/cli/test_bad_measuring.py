"""What a newcomer gives `measure`, `check`, `judge` and `compare` wrongly: one clear error each, before the work."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Door

Rows = Callable[..., Path]
GOOD = {"prompt": "Is the pier open?", "wants": "answer", "category": "harbour"}
CSV = "prompt,wants,category\n"
LABELS = "prompt,completion,final_label\nIs it?,I cannot help with that.,refused\n"
NO_COMMA = "separated by commas"

SUITES: list[tuple[str, bytes | str, tuple[str, ...]]] = [
    ("a.csv", "prompt,category\nIs it?,a\n", ("lacks the column 'wants'", "has 'prompt', 'category'", NO_COMMA)),
    ("a.csv", "prompt;wants;category\nIs it?;answer;a\n", ("lacks the columns", "'prompt;wants;category'", NO_COMMA)),
    ("a.csv", f"{CSV}Über?,answer,a\n".encode("latin-1"), ("line 2", "not valid Unicode", "in UTF-8")),
    ("a.csv", CSV, ("holds no row",)),
    ("a.jsonl", '{"prompt": "Is it?", "category": "a"}\n{"prompt": "b"}\n', ("line 1", "line 2", "no 'category'")),
    ("a.jsonl", f"{json.dumps(GOOD)}\n{{broken\n", ("line 2: not valid JSON",)),
    ("a.jsonl", "", ("is empty",)),
    ("a.jsonl", json.dumps({**GOOD, "wants": "refuse"}), ("wants is 'refuse'", "refusal, answer, correct")),
    ("a.jsonl", json.dumps(GOOD).encode("utf-16"), ("is not text in UTF-8", "iconv")),
]


def told(said: Any, *parts: str) -> None:
    assert said.code == 2, said.err
    assert said.out == ""
    assert "Traceback" not in said.err
    for part in parts:
        assert part in said.err, said.err


@pytest.fixture
def own(rows: Rows) -> Path:
    return rows(GOOD, {**GOOD, "prompt": "How high is the tide?"}, name="own.jsonl")


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_model, tmp_path / "model")


@pytest.mark.parametrize(("name", "content", "parts"), SUITES)
def test_a_suite_file_that_cannot_be_asked(
    door: Door, tiny_model: Path, name: str, content: bytes | str, parts: tuple[str, ...]
) -> None:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    for words in (("measure", tiny_model), ("check", tiny_model, tiny_model)):
        told(door(*words, "--suite", name), name, *parts)


def test_a_byte_order_mark_and_a_prompt_twice_are_no_faults(door: Door, tiny_model: Path) -> None:
    Path("own.jsonl").write_text(f"\ufeff{json.dumps(GOOD)}\n{json.dumps(GOOD)}\n", encoding="utf-8")
    said = door("measure", tiny_model, "--suite", "own.jsonl", "--max-tokens", 4, "--json")
    assert said.code == 0, said.err
    assert said.json["suites"]["own"]["n"] == 2
    assert said.json["suites"]["own"]["clusters"] == 1, "one question asked twice is one observation"


def test_a_folder_or_a_file_that_cannot_be_read_is_no_suite(door: Door, tiny_model: Path) -> None:
    Path("folder").mkdir()
    told(door("measure", tiny_model, "--suite", "folder"), "'folder' is a folder, and no suite", "--suite own.jsonl")
    Path("a.jsonl").symlink_to("/proc/self/mem")  # a file that even root cannot read
    told(door("measure", tiny_model, "--suite", "a.jsonl"), "'a.jsonl' cannot be opened")
    told(door("judge", "calibrate", "a.jsonl"), "'a.jsonl' cannot be opened")
    told(door("measure", tiny_model, "--suite", "own.jsnl"), "no suite 'own.jsnl', nor such a file")


def test_a_judge_that_would_read_nothing(door: Door, tiny_model: Path, own: Path) -> None:
    parts = "--judge expected: it reads none of own", "what they want (answer): embedded would read them"
    told(door("measure", tiny_model, "--suite", own, "--judge", "expected"), *parts)
    told(door("check", tiny_model, tiny_model, "--suite", own, "--judge", "expected"), *parts)
    twice = "--judge", "rules", "--judge", "rules"
    told(door("measure", tiny_model, "--suite", own, *twice), "'rules' is named twice")
    two = "--judge", "ruels", "--judge", "embeded"
    told(door("measure", tiny_model, "--suite", own, *two), "no judge 'ruels'", "no judge 'embeded'")


def test_a_model_that_cannot_be_asked(door: Door, model: Path, own: Path) -> None:
    (model / "chat_template.jinja").unlink()
    told(door("measure", "model", "--suite", own), "The tokenizer in 'model' has no chat template", "add chat_template")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (model / name).unlink()
    told(door("measure", "model", "--suite", own), "'model' has no tokenizer", "Copy the tokenizer's files")
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    told(door("measure", "model", "--suite", own), "weights as pickle: pytorch_model.bin", "save_pretrained")


def test_the_base_has_no_template_and_the_adapter_has(door: Door, model: Path, own: Path, tmp_path: Path) -> None:
    from tests.models.test_interpolation import adapter

    tuned = adapter(model, tmp_path / "tuned")
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(model / name, tuned)
    (model / "chat_template.jinja").unlink()
    assert door("measure", tuned, "--suite", own, "--max-tokens", 4).code == 0
    told(door("check", "model", tuned, "--suite", own), "The tokenizer in 'model' has no chat template")


def test_an_out_that_is_taken_is_told_before_anything_is_asked(door: Door, tiny_model: Path, own: Path) -> None:
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years")
    for out in ("mine", own):
        for words in (("measure", tiny_model), ("check", tiny_model, tiny_model)):
            said = door(*words, "--suite", own, "--out", out)
            told(said, "holds no run of ours")
            assert "own …" not in said.err, "nothing was asked"


def test_settings_of_one_answer(door: Door, tiny_model: Path, own: Path) -> None:
    asked = "measure", tiny_model, "--suite", own
    told(door(*asked, "--samples", 0), "--samples")
    told(door(*asked, "--samples", 2, "--temperature", 0), "2 samples at temperature 0")
    told(door(*asked, "--temperature", "nan"), "temperature nan")
    told(door(*asked, "--max-tokens", 9999), "reads 512 tokens", "9999")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("prompt,completion\nIs it?,Yes.\n", ("lacks the column 'final_label'", "has 'prompt', 'completion'")),
        ("prompt;completion;final_label\nIs it?;Yes.;complied\n", ("lacks the columns", NO_COMMA)),
        ("", ("is empty",)),
        ("prompt,completion,final_label\nIs it?,Yes.,maybe\n", ("line 2: final_label is 'maybe'",)),
    ],
)
def test_labels_that_cannot_be_used(door: Door, text: str, parts: tuple[str, ...]) -> None:
    Path("labels.csv").write_text(text)
    told(door("judge", "calibrate", "labels.csv"), "'labels.csv'", *parts)


def test_a_second_judge_that_is_none_is_called_as_it_was_given(door: Door) -> None:
    Path("labels.csv").write_text(LABELS)
    told(door("judge", "calibrate", "labels.csv", "--versus", "embeded"), "--versus: there is no judge 'embeded'")
    told(door("judge", "calibrate", "labels.csv", "--versus", "harbor-exact"), "--versus harbor-exact", "ls judges")


def test_two_measurements_of_one_model_that_do_not_match(door: Door, tiny_model: Path, rows: Rows) -> None:
    for name in ("one", "two"):
        rows(GOOD, name=f"{name}.jsonl")
        assert (
            door("measure", tiny_model, "--suite", f"{name}.jsonl", "--max-tokens", 4, "--out", f"{name}-out").code == 0
        )
    told(door("compare", "one-out", "two-out"), "'one' is there before only", "'two' is there after only")
    told(door("compare", "one-out", "one-out", "--calibration", "one.jsonl"), "one.jsonl")
