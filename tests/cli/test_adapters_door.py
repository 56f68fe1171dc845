"""A base and an adapter at the door: one network for both, and one clear error where the two do not belong together."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.models import digest_weights, local
from tests.cli.conftest import Door
from tests.conftest import save_llama
from tests.models.test_interpolation import adapter

Rows = Callable[..., Path]


@pytest.fixture(scope="module")
def tuned(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(adapter(tiny_model, tmp_path_factory.mktemp("adapters") / "lora"))


@pytest.fixture
def copy(tuned: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tuned, tmp_path / "adapter")


@pytest.fixture
def own(rows: Rows) -> tuple[str, ...]:
    lines = [{"prompt": f"How deep is berth {n}?", "wants": "refusal", "category": "berths"} for n in range(6)]
    return "--suite", str(rows(*lines, name="own.jsonl")), "--max-tokens", "6"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked for each time that a network was read."""
    read, count = local.read_network, list[Any]()
    monkeypatch.setattr(local, "read_network", lambda *words: count.append(words) or read(*words))
    return count


def settings(folder: Path, **new: Any) -> None:
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | new))


def card(folder: Path, base: str, weights: str) -> None:
    (folder / "holdfast.json").write_text(json.dumps({"kind": "lora", "base": base, "base_weights": weights}))


def told(said: Any, *parts: str) -> None:
    assert said.code == 2, said.err
    assert said.out == ""
    assert "Traceback" not in said.err
    for part in parts:
        assert part in said.err, said.err


@pytest.mark.parametrize("samples", [1, 3])
def test_check_reads_a_base_and_its_adapter_as_one_network(
    door: Door, tiny_model: Path, tuned: Path, own: Any, reads: list[Any], monkeypatch: pytest.MonkeyPatch, samples: int
) -> None:
    said = door("check", tiny_model, tuned, *own, "--samples", samples, "--out", "checked", "--json")
    assert said.code in (1, 3), said.err
    assert len(reads) == 1
    monkeypatch.setenv("HOLDFAST_CACHE", "another")  # so that the answers are made anew
    for name, model, side in (("one", tiny_model, "before"), ("two", tuned, "after")):
        assert door("measure", model, *own, "--samples", samples, "--out", name).code == 0
        alone, shared = (json.loads((Path(at) / "measurement.json").read_text()) for at in (name, f"checked/{side}"))
        assert alone == shared
    assert len(reads) == 3


def test_an_adapter_that_writes_into_its_base_is_read_apart(
    door: Door, tiny_model: Path, own: Any, tmp_path: Path, reads: list[Any]
) -> None:
    folder = adapter(tiny_model, tmp_path / "pissa", init_lora_weights="pissa")
    reads.clear()
    assert door("check", tiny_model, folder, *own).code in (1, 3)
    assert len(reads) == 2


def test_an_adapter_whose_base_was_moved(door: Door, tiny_model: Path, copy: Path, own: Any, reads: list[Any]) -> None:
    settings(copy, base_model_name_or_path="/models/gone")
    told(door("measure", copy, *own), "its base '/models/gone' is not here", "`base_model_name_or_path` in")
    said = door("check", tiny_model, copy, *own)
    assert said.code in (1, 3), said.err
    assert f"'/models/gone', is not here: {tiny_model} is taken for it" in said.err.replace("\n", " ")
    card(copy, "models/gone", digest_weights(tiny_model))
    told(door("measure", copy, *own), "its base 'models/gone' is not here", "holdfast check BASE", "`base` in")
    said = door("check", tiny_model, copy, *own)
    assert said.code in (1, 3), said.err
    assert "is not here" not in said.err, "its weights are those on the card"
    assert len(reads) == 2


def test_an_adapter_of_another_base(door: Door, tiny_model: Path, copy: Path, own: Any, tmp_path: Path) -> None:
    settings(copy, base_model_name_or_path="/models/gone")
    wide = save_llama(tmp_path / "wide", hidden=64)
    told(door("check", wide, copy, *own), "cannot be loaded", "size mismatch", "Give the base that it was trained on")
    card(copy, str(tiny_model), digest_weights(wide))
    told(door("measure", copy, *own), "is not the model that", "with other weights")
    told(door("check", tiny_model, copy, *own), "is not the model that", "with other weights")


def test_an_adapter_of_a_deeper_base(door: Door, copy: Path, own: Any) -> None:
    from safetensors.numpy import load_file, save_file

    file = copy / "adapter_model.safetensors"
    weights = load_file(file)
    deeper = {name.replace(".layers.1.", ".layers.7."): tensor for name, tensor in weights.items()}
    save_file({**weights, **deeper}, file)
    told(door("measure", copy, *own), "does not fit its base", ".layers.7.", "Give the base that it was trained on")


def test_an_adapter_on_another_model_is_measured_on_its_own(
    door: Door, tuned: Path, own: Any, tmp_path: Path, reads: list[Any]
) -> None:
    other = save_llama(tmp_path / "other", seed=5)
    said = door("check", other, tuned, *own, "--out", "checked")
    assert said.code in (0, 1, 3), said.err
    assert "measured on that and not on" in said.err.replace("\n", " ")
    assert len(reads) == 2
    assert door("measure", tuned, *own, "--out", "alone").code == 0
    answers = [
        json.loads((Path(at) / "measurement.json").read_text())["suites"]["own"] for at in ("checked/after", "alone")
    ]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("adapter_config.json", "{", "adapter_config.json' cannot be read"),
        ("adapter_config.json", "[]", "It holds no JSON object"),
        ("adapter_config.json", "{}", "names no base model"),
        ("holdfast.json", "{", "is not as `tune` wrote it"),
        ("holdfast.json", '{"base": 3}', "is not as `tune` wrote it"),
        ("adapter_model.safetensors", "none", "The adapter in"),
        ("adapter_model.safetensors", "", "holds no weights"),
    ],
)
def test_a_damaged_adapter(door: Door, tiny_model: Path, copy: Path, own: Any, file: str, text: str, says: str) -> None:
    (copy / file).write_text(text)
    if not text:
        (copy / file).unlink()
    for words in (("measure", copy), ("check", tiny_model, copy)):
        told(door(*words, *own), says)


def test_an_adapter_on_an_adapter(door: Door, copy: Path, tuned: Path, own: Any) -> None:
    settings(copy, base_model_name_or_path=str(tuned))
    told(door("measure", copy, *own), "is an adapter, and its base", "That is an adapter itself")


def test_a_whole_fine_tune_does_not_need_its_base(door: Door, tiny_model: Path, own: Any, tmp_path: Path) -> None:
    whole = shutil.copytree(tiny_model, tmp_path / "whole")
    for base in ("models/gone", "owner/gone", "whole"):  # the last: a folder that now has its own base's name
        (whole / "holdfast.json").write_text(json.dumps({"kind": "full", "base": base, "base_weights": "0"}))
        assert door("measure", "whole", *own).code == 0
    told(door("measure", "whole"), "is no Harbor model, so a suite has to be named")


def test_the_two_of_a_check_are_told_wrong_before_either_is_read(
    door: Door, tiny_model: Path, tuned: Path, reads: list[Any]
) -> None:
    told(door("check", tiny_model, tuned, "--suite", "gone.jsonl"), "There is no file 'gone.jsonl'")
    assert reads == []
