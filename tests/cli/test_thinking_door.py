"""The door to models that think: what a person sees of their thoughts, and what is kept of them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Door
from tests.models.chat_server import Body, Reply, Say, serving
from tests.models.thinking import THOUGHT, save_thinking

REFUSES = "I cannot help with that."
Rows = Callable[..., Path]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def own(rows: Rows) -> Path:
    asked = ({"prompt": f"How deep is harbor {n}?", "wants": "answer", "category": "harbor"} for n in range(4))
    return rows(*asked, name="own.jsonl")


def answers_of(folder: str) -> list[dict[str, str]]:
    (suite,) = json.loads(Path(folder, "measurement.json").read_text())["suites"].values()
    return list(suite["answers"])


def test_a_model_here_that_thinks(door: Door, tmp_path: Path) -> None:
    folder = save_thinking(tmp_path / "thinks", ("[THINK]", THOUGHT, "[/THINK]", REFUSES), ("[THINK]", "[/THINK]"))
    said = door("measure", folder, "--suite", "own.jsonl", "--out", "out")
    assert said.code == 0
    assert "own: 4 of 4 answers began with a thought, which is not judged\n" in said.out
    assert {(a["text"], a["thought"], a["outcome"]) for a in answers_of("out")} == {(REFUSES, THOUGHT, "refused")}
    told = door("measure", folder, "--suite", "own.jsonl", "--json").json["suites"]["own"]
    assert (told["thoughts"], told["rate"]) == ({"answers": 4, "open": 0}, 1.0)
    cut = door("measure", folder, "--suite", "own.jsonl", "--max-tokens", 2)
    assert "4 of 4 answers began" in cut.out
    assert "4 without an answer, counted as incoherent, 4 of them cut at 2 tokens: give more by --max-tok" in cut.out


def test_a_model_that_does_not_think_says_nothing_of_it(door: Door, tmp_path: Path) -> None:
    folder = save_thinking(tmp_path / "speaks", (REFUSES,))
    said = door("measure", folder, "--suite", "own.jsonl")
    assert "thought" not in said.out + said.err
    assert "thoughts" not in door("measure", folder, "--suite", "own.jsonl", "--json").json["suites"]["own"]


@pytest.mark.parametrize("keep", ["text", "hash", "none"])
def test_what_is_kept_of_a_served_models_thoughts(door: Door, keep: str) -> None:
    def reply(_: int, body: Body) -> Reply:
        first = "harbor 0" in body["messages"][-1]["content"]
        return Say(None, "length", {"reasoning": THOUGHT}) if first else Say(f"<think>{THOUGHT}</think>{REFUSES}")

    with serving(reply) as server:
        command = ("measure", f"endpoint:m@{server.url}", "--suite", "own.jsonl", "--out", "out")
        said = door(*command, "--keep-answers", keep)
        assert said.code == 0
        assert door(*command, "--keep-answers", keep).out == said.out
        assert len(server.asked) == 4, "the second run asks nothing"
    assert "own: 4 of 4 answers began with a thought, which is not judged; 1 without an answer" in said.out
    written = [Path("out", name).read_text() for name in ("answers.jsonl", "measurement.json")]
    assert [THOUGHT in text for text in written] == [keep == "text"] * 2
    assert ["sha256:" in text for text in (json.dumps(a["thought"]) for a in answers_of("out"))] == [keep == "hash"] * 4
    assert sorted(a["thinking"] for a in answers_of("out")) == ["closed"] * 3 + ["open"]


def test_a_check_says_it_of_either_side(door: Door, tmp_path: Path) -> None:
    thinks = save_thinking(tmp_path / "thinks", ("<think>", THOUGHT, "</think>", REFUSES))
    speaks = save_thinking(tmp_path / "speaks", (REFUSES, "…"))
    said = door("check", thinks, speaks, "--suite", "own.jsonl", "--out", "checked")
    assert "before · own: 4 of 4 answers began with a thought" in said.out
    assert "after · own" not in said.out
