"""Measuring between a model and its fine-tune: one load, nothing written but answers, and nothing asked twice."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.measure import places
from holdfast.errors import ConfigError
from holdfast.harbor import PACKAGED
from holdfast.models import digest_weights, load, local, quiet
from holdfast.store import Journal
from tests.cli.conftest import Door

TASK = ("--suite", "harbor-task")


def stir(network: Any, by: float) -> None:
    import torch

    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.requires_grad:
                weight.add_(torch.randn(weight.shape, generator=generator) * by)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Harbor with every weight moved a little, as a whole model."""
    folder = tmp_path_factory.mktemp("toward") / "tuned"
    shutil.copytree(PACKAGED, folder)
    network = load(PACKAGED).network
    stir(network, 0.01)
    with quiet():
        network.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=[{}, {"use_dora": True}], ids=["lora", "dora"])
def adapter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from peft import LoraConfig, get_peft_model

    folder = tmp_path_factory.mktemp("toward") / "adapter"
    asked = LoraConfig(r=2, target_modules=["q_proj", "up_proj"], task_type="CAUSAL_LM", **request.param)
    with quiet():
        network = get_peft_model(load(PACKAGED).network, asked)
        stir(network, 0.05)
        network.create_or_update_model_card = lambda *_: None
        network.peft_config["default"].base_model_name_or_path = str(PACKAGED)
        network.save_pretrained(folder, save_embedding_layers=False)
    return folder


def test_a_sweep_from_a_model_to_its_fine_tune(door: Door, tuned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[Any] = []
    real = local.read_network
    monkeypatch.setattr(local, "read_network", lambda *asked: loads.append(asked) or real(*asked))
    swept = door("measure", "harbor", "--toward", tuned, "--alphas", 3, *TASK, "--out", "line", "--json")
    assert swept.code == 0, swept.err
    assert len(loads) == 1
    assert not list(Path().rglob("*.safetensors"))
    assert {path.name for path in Path("line").iterdir()} == {"asked.json", "result.json"}

    assert [point["alpha"] for point in swept.json["alphas"]] == [0, 0.5, 1]
    first, middle, last = swept.json["alphas"]
    for point, own in (
        (first, door("measure", "harbor", *TASK, "--json")),
        (last, door("measure", tuned, *TASK, "--json")),
    ):
        assert point["suites"] == own.json["suites"]
        assert point["weights"] == own.json["weights"]
    assert first["suites"]["harbor-task"]["rate"] != last["suites"]["harbor-task"]["rate"]
    assert middle["weights"] not in (first["weights"], last["weights"])
    assert swept.json["toward"] == {"model": str(tuned), "weights": last["weights"]}
    assert door("measure", "harbor", "--toward", tuned, "--alphas", "0,0.5", *TASK, "--out", "line").code == 2


def test_an_adapter_of_either_kind(door: Door, adapter: Path) -> None:
    swept = door("measure", "harbor", "--toward", adapter, "--alphas", "1,0", *TASK, "--json")
    assert swept.code == 0, swept.err
    assert [point["alpha"] for point in swept.json["alphas"]] == [0, 1]
    assert swept.json["alphas"][0]["suites"] == door("measure", "harbor", *TASK, "--json").json["suites"]
    assert len(list(Path("cache/answers").iterdir())) == 2


def test_a_killed_sweep_goes_on_and_asks_nothing_twice(
    door: Door, tuned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("measure", "harbor", "--toward", tuned, "--alphas", "0.2,0.8", *TASK, "--samples", 5, "--json")
    batches = 3
    real = Journal.append

    def killed(self: Journal, rows: list[Any]) -> None:
        nonlocal batches
        if not batches:
            raise KeyboardInterrupt
        batches -= 1
        real(self, rows)

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", killed)
        assert door(*asked).code == 130
    done = len(rows())
    assert 0 < done < 2 * 96 * 5
    swept = door(*asked)
    assert swept.code == 0, swept.err
    assert len(rows()) == 2 * 96 * 5
    assert set(Counter(rows()).values()) == {1}
    before = swept.json
    monkeypatch.setenv("HOLDFAST_CACHE", "elsewhere")
    assert door(*asked).json == before


def rows() -> list[tuple[str, str, int]]:
    """What was asked: setting, prompt and sample of every answer in the cache."""
    journals = Path("cache/answers").glob("*.jsonl")
    return [(row["key"], row["prompt_id"], row["sample"]) for path in journals for row in Journal(path).rows()]


def test_the_table_has_a_line_an_alpha(door: Door, tuned: Path) -> None:
    said = door("measure", "harbor", "--toward", tuned, "--alphas", "0,1", *TASK)
    assert said.code == 0, said.err
    lines = [line.split() for line in said.out.splitlines()]
    assert ["alpha", "correct", "answers"] in lines
    assert [line[0] for line in lines if "to" in line] == ["0", "1"]
    assert "Next:" in said.out


def test_places() -> None:
    assert places("11") == (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
    assert places("2") == (0, 1)
    assert places("1,0,0.50,.5") == (0, 0.5, 1)
    assert places("0.3") == (0.3,)
    for wrong in ("", "0", "1", "-3", "x", ",", "0,,1", "0,2", "-0.1,1", "nan,1", "0,1e400"):
        with pytest.raises(ConfigError):
            places(wrong)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("measure", "harbor", "--alphas", "11"), "--toward"),
        (("measure", "harbor", "--toward", "harbor", "--alphas", "1"), "'1' is neither"),
        (("measure", "harbor", "--toward", "harbor", "--alphas", "0,1.5"), "alpha 1.5 is not in [0, 1]"),
        (("measure", "harbor", "--toward", "nowhere"), "There is no model 'nowhere'"),
    ],
)
def test_what_cannot_be_is_said(door: Door, words: tuple[str, ...], said: str) -> None:
    found = door(*words)
    assert found.code == 2
    assert said in found.err
    assert "Traceback" not in found.err


def test_two_worlds_have_no_line(door: Door, tuned: Path, tmp_path: Path) -> None:
    other = shutil.copytree(tuned, tmp_path / "other")
    card = other / "harbor.json"
    card.write_text(card.read_text().replace('"world": 0', '"world": 7'))
    found = door("measure", "harbor", "--toward", other)
    assert found.code == 2
    assert "different worlds: 0 and 7" in found.err


def test_a_line_begins_at_a_whole_model(door: Door, adapter: Path) -> None:
    """It is known as Harbor's by its base, which PEFT names, as does the card that `tune` writes."""
    bare = door("measure", adapter, "--toward", "harbor")
    card = adapter / "holdfast.json"
    card.write_text(json.dumps({"kind": "lora", "base": "harbor", "base_weights": digest_weights(PACKAGED)}))
    found = door("measure", adapter, "--toward", "harbor")
    card.unlink()
    assert found.code == bare.code == 2
    assert "first is an adapter" in found.err
    assert found.err == bare.err


def test_an_adapter_of_another_base(door: Door, adapter: Path, tuned: Path) -> None:
    card = adapter / "holdfast.json"
    card.write_text(json.dumps({"kind": "lora", "base": "harbor", "base_weights": digest_weights(PACKAGED)}))
    found = door("measure", tuned, "--toward", adapter)
    card.unlink()
    assert found.code == 2
    assert "is not the model that" in found.err
