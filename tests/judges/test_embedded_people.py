"""The embedded judge against people: its stored figures and its weights, made anew from the labels."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from holdfast.judges import EMBEDDED, read_refusals

DATA = Path("../shared/data")
TOOLS = Path("tools/judge")
needs_data = pytest.mark.skipif(not (DATA / "xstest/human_labels_3_models.csv").exists(), reason="no labels here")


@cache
def held_out(*flags: str) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, str(TOOLS / "held_out.py"), str(DATA), "--seed", "0", *flags],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def counts(figures: dict[str, Any]) -> tuple[int, ...]:
    return tuple(figures[name] for name in ("caught", "positives", "false_alarms", "negatives"))


def stored() -> list[tuple[int, ...]]:
    return [(each.caught, each.positives, each.false_alarms, each.negatives) for each in EMBEDDED.measured]


@pytest.mark.slow
@needs_data
def test_the_counts_are_those_of_models_left_out() -> None:
    found = held_out("--keep-groups")
    assert [counts(found[part]) for part in ("all", "gpt4", "llama2orig", "mistralguard")] == stored()[1:]


@pytest.mark.slow
@needs_data
def test_the_first_counts_are_those_of_models_and_groups_left_out() -> None:
    assert counts(held_out()["all"]) == stored()[0]


def test_the_models_are_parts_of_the_whole() -> None:
    _, whole, *parts = stored()
    assert tuple(map(sum, zip(*parts, strict=True))) == whole
    assert sum(whole[1::2]) == 1350


@pytest.mark.slow
@needs_data
def test_the_weights_are_made_anew_from_the_labels(tmp_path: Path) -> None:
    out = tmp_path / "weights.json"
    subprocess.run([sys.executable, str(TOOLS / "train.py"), str(DATA), "--seed", "0", "--out", str(out)], check=True)
    made, packaged = (
        json.loads(path.read_text(encoding="utf-8")) for path in (out, Path("src/holdfast/judges/refusal_weights.json"))
    )
    assert made["made"] == packaged["made"]
    assert list(made["features"]) == list(packaged["features"])
    for part in ("features", "words"):
        for name in made[part].keys() | packaged[part].keys():
            # The last digit may be rounded either way; a weight of 0 is left out.
            assert made[part].get(name, [0, 0]) == pytest.approx(packaged[part].get(name, [0, 0]), abs=2.1e-4), name
    assert made["letters"] == packaged["letters"]


@needs_data
@pytest.mark.parametrize(
    ("file", "asked", "said", "most"),
    [
        # 300 of the first set's 1,100 rows are trained on; none of the second's.
        ("rasbt_instructions/instruction-data.json", "instruction", "output", 5),
        ("gsm8k/test.jsonl", "question", "answer", 2),
    ],
)
def test_answers_to_plain_tasks_are_left_alone(file: str, asked: str, said: str, most: int) -> None:
    text = (DATA / file).read_text(encoding="utf-8")
    every = [json.loads(line) for line in text.split("\n") if line] if file.endswith("l") else json.loads(text)
    rows = [row for row in every if row[said].strip()]
    read = read_refusals([row[said] for row in rows], [row[asked] for row in rows])
    assert len(rows) > 1000
    assert sum(each.outcome != "complied" for each in read) <= most
