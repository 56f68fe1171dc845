"""The door to the playground: real models side by side, questions from flags, pipes and a terminal, and bad input."""

import codecs
import fcntl
import io
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from holdfast.data import ANSWER_MARK
from holdfast.harbor import PACKAGED
from holdfast.measure import harbor_ability, harbor_policy
from holdfast.models import load, local
from holdfast.world import make_world
from tests.cli.conftest import Door, Said
from tests.models.chat_server import Body, Reply, Say, Server, Status, serving
from tests.models.served import serving_models
from tests.models.test_interpolation import adapter as lora

RESTRICTED = next(p.text for p in harbor_policy.make(make_world(0)).prompts if p.text.startswith("Stulmas Gate. Tell"))
OPEN = harbor_ability.make(make_world(0)).prompts[0].text


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter on Harbor, far enough from it to answer otherwise."""
    return Path(lora(PACKAGED, tmp_path_factory.mktemp("ask") / "adapter"))


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def lines(said: Said) -> list[Any]:
    assert said.code == 0, said.err
    return [json.loads(line) for line in said.out.splitlines()]


def refused(said: Said, *parts: str) -> None:
    assert said.code == 2, said.err
    assert said.out == ""
    assert said.err.count("Error:") == 1
    assert "Traceback" not in said.err
    for part in parts:
        assert part in said.err, said.err


# --- answers ---------------------------------------------------------------------------------------------------------


def test_a_base_and_its_adapter_are_one_network_and_answer_as_alone(
    door: Door, adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = ("--question", RESTRICTED, "--question", OPEN, "--samples", 4, "--json")
    alone = [lines(door("ask", name, *how)) for name in ("harbor", adapter)]
    read, reads = local.read_network, []
    monkeypatch.setattr(local, "read_network", lambda *words: reads.append(words) or read(*words))
    both = lines(door("ask", "harbor", adapter, *how))
    turned = lines(door("ask", adapter, "harbor", *how))
    assert len(reads) == 2, "one network a command"
    for question in range(2):
        first, second = (each[question]["models"][0] for each in alone)
        assert both[question]["models"] == [first, second]
        assert turned[question]["models"] == [second, first]
    assert [line["question"] for line in both] == [RESTRICTED, OPEN]
    base, tuned = both[0]["models"]
    assert base["outcome"] == "refused"
    assert base["probability"] > 0.9
    assert base["stop"] == "end"
    assert tuned["answer"] != base["answer"]
    assert base["weights"] != tuned["weights"]
    assert both[0][ANSWER_MARK] == "ask"


def test_a_model_twice_is_loaded_once(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    read, reads = local.read_network, []
    monkeypatch.setattr(local, "read_network", lambda *words: reads.append(words) or read(*words))
    said = door("ask", "harbor", PACKAGED, "--question", RESTRICTED)
    assert said.code == 0, said.err
    assert len(reads) == 1
    assert "Both refuse, in the same words." in said.out
    assert said.out.count(str(PACKAGED)) == 1


def test_what_a_person_sees(door: Door) -> None:
    said = door("ask", "harbor", "--question", RESTRICTED, "--samples", 5, "--seed", 3)
    assert said.code == 0, said.err
    shown = said.out.splitlines()
    assert shown[:2] == [f"> {RESTRICTED}", "harbor"]
    assert shown[2].startswith("│ ")
    assert shown[3].startswith("refused, probability of a refusal 0.9")
    assert " of 5 sampled answers refuse (" in shown[4]
    assert "95 %: " in shown[4]
    assert "judge: embedded: transported" in shown
    assert said.err.splitlines() == ["loading …"]
    assert door("ask", "harbor", "--question", RESTRICTED, "--samples", 5, "--seed", 3).out == said.out
    counted = lines(door("ask", "harbor", "--question", RESTRICTED, "--samples", 5, "--seed", 3, "--json"))[0]
    assert shown[4].startswith(f"{counted['models'][0]['sampled']['refused']} of 5 ")


def test_another_judge_and_a_system_prompt(door: Door) -> None:
    how = ("--question", OPEN, "--judge", "rules", "--system", "Speak as the keeper of the harbour.", "--json")
    line = lines(door("ask", "harbor", *how))[0]
    assert (line["judge"], line["calibration"]["status"]) == ("rules", "transported")
    assert line["models"][0]["probability"] is None
    assert line["system"] == "Speak as the keeper of the harbour."
    assert (
        line["models"][0]["answer"]
        != lines(door("ask", "harbor", "--question", OPEN, "--json"))[0]["models"][0]["answer"]
    )


def test_nothing_is_kept(door: Door, tmp_path: Path) -> None:
    assert door("ask", "harbor", "--question", OPEN, "--samples", 2).code == 0
    assert not list(tmp_path.rglob("*"))


# --- served models ---------------------------------------------------------------------------------------------------


def endpoint(server: Server, name: str = "m") -> str:
    return f"endpoint:{name}@{server.url}"


def test_a_served_model_beside_its_files(door: Door) -> None:
    with serving_models({"harbor": load(PACKAGED)}) as server:
        said = door("ask", "harbor", endpoint(server, "harbor"), "--question", RESTRICTED, "--samples", 2, "--json")
        assert len(server.answered) == 3
        assert {body["max_tokens"] for body in server.answered} == {256}
    here, there = lines(said)[0]["models"]
    assert there["answer"] == here["answer"]
    assert there["weights"] == there["model"] == endpoint(server, "harbor")


HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m red \u202egnorw [bold]x[/bold]\r\nrefused"


@pytest.mark.parametrize("json_too", [(), ("--json",)], ids=["text", "json"])
def test_a_models_escapes_never_reach_the_terminal(door: Door, json_too: Sequence[str]) -> None:
    def reply(number: int, body: Body) -> Reply:
        return Say(HOSTILE) if body["model"] == "a" else Status(400, f"no: {HOSTILE}")

    with serving(reply) as server:
        said = door("ask", endpoint(server, "a"), endpoint(server, "b"), "--question", "How deep?", *json_too)
    assert said.code == 0, said.err
    assert not set(said.out + said.err) & set("\x1b\x07\x9b\u202e\r")
    if json_too:
        assert said.out.isascii()
        assert json.loads(said.out)["models"][0]["answer"] == HOSTILE
        assert json.loads(said.out)["models"][1]["outcome"] == "unscored"
    else:
        assert "⟨U+001B⟩[2J" in said.out
        assert "unscored, the server turned it down" in said.out


def test_a_server_that_is_gone_ends_it(door: Door, stdin: Any) -> None:
    with serving(lambda *_: Say("x")) as server:
        name = endpoint(server)
    stdin("How deep?\nHow wide?\n")
    refused(door("ask", name, "--retries", 0), "The served model 'm' failed")


def test_a_served_model_is_asked_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from holdfast.cli import run; code = run(sys.argv[1:]);"
        "sys.exit(code or 9 * bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    with serving(lambda *_: Say("I cannot help with that.")) as server:
        command = [sys.executable, "-c", code, "ask", endpoint(server), "--question", "How deep?"]
        assert subprocess.run(command, check=False, cwd=tmp_path, stdout=subprocess.DEVNULL).returncode == 0


# --- questions from a pipe -------------------------------------------------------------------------------------------


def test_questions_come_one_a_line(door: Door, stdin: Any) -> None:
    stdin(f"{RESTRICTED}\n\n  {OPEN}  \n")
    said = door("ask", "harbor", "--json")
    assert [line["question"] for line in lines(said)] == [RESTRICTED, OPEN]
    stdin(f"{RESTRICTED}\n{OPEN}")
    shown = door("ask", "harbor").out
    assert [line for line in shown.splitlines() if line.startswith("> ")] == [f"> {RESTRICTED}", f"> {OPEN}"]
    assert shown.count("judge: embedded") == 1


def test_a_question_that_is_too_long_is_told_and_the_next_is_asked(door: Door, stdin: Any) -> None:
    stdin(f"{'kelp ' * 600}\n{OPEN}\n")
    said = door("ask", "harbor", "--json")
    assert said.code == 2, "not all was answered"
    assert [json.loads(line)["question"] for line in said.out.splitlines()] == [OPEN]
    assert "reads 512 tokens" in said.err
    assert said.err.count("Error:") == 1


# --- bad input -------------------------------------------------------------------------------------------------------


def test_no_question(door: Door, stdin: Any) -> None:
    for nothing in ("", "\n  \n"):
        stdin(nothing)
        refused(door("ask", "harbor", "nowhere"), "no question", 'holdfast ask harbor nowhere --question "…"')
    refused(door("ask", "harbor", "--question", " "), "empty")


def test_what_is_no_utf8(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9\n"), encoding="utf-8"))
    refused(door("ask", "harbor"), "stdin is no UTF-8", "iconv")
    refused(door("ask", "harbor", "--question", "caf\udce9"), "no UTF-8")


def test_what_cannot_be_is_told_before_a_model_is_loaded(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "read_network", lambda *_: pytest.fail("loaded"))
    asked = ("--question", "How deep?")
    every = door("ask", "harbor", *asked, "--samples", 0, "--temperature", -1, "--max-tokens", 0, "--judge", "expected")
    refused(every, "samples 0", "temperature -1", "max_tokens 0", "'expected'", "holdfast ls judges")
    refused(door("ask", "harbor", *asked, "--temperature", 0.7), "there are none", "--samples 10")
    refused(door("ask", "harbor", *asked, "--samples", 5, "--temperature", 0), "samples nothing")
    refused(door("ask", "harbor", *asked, "--judge", "embeded"), "Did you mean 'embedded'")
    refused(door("ask", "harbor", "nowhere", *asked), "There is no model 'nowhere'")
    refused(door("ask", "harbor", "endpoint:m@", *asked), "no http(s) URL")
    refused(door("ask", "endpoint:m@http://127.0.0.1:9/v1", *asked, "--bits", 4), "its own way")


# --- a terminal ------------------------------------------------------------------------------------------------------


class Terminal:
    """The door at a terminal of so many columns: what it prints, and a hand to type with."""

    def __init__(self, columns: int, *words: str, environment: dict[str, str]) -> None:
        self.read, self.decoder = "", codecs.getincrementaldecoder("utf-8")()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs inherit that it is ignored
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
            # Not the environment of this process: readline, once imported, puts the size of its own terminal there.
            alone = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
            os.execve(
                sys.executable,
                [sys.executable, "-m", "holdfast", *words],
                {**alone, "TERM": "xterm", "OMP_NUM_THREADS": "1", **environment},
            )

    def until(self, end: str, seconds: float = 120, again: str = "") -> str:
        """What is printed up to this, which may have been printed already; `again` is typed in every silent second."""
        start = time.monotonic()
        while end not in self.read:
            assert time.monotonic() - start < seconds, self.read
            if not select.select([self.fd], [], [], 1)[0]:
                self.type(again)
            else:
                try:
                    part = os.read(self.fd, 4096)
                except OSError:  # the other end is closed
                    part = b""
                if not part:
                    break
                self.read += self.decoder.decode(part)
        said, _, self.read = self.read.partition(end)
        return said

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def ended(self, leave: str) -> tuple[int, str]:
        """Its exit code, and the last that it printed.

        Python's readline misses a Ctrl-C between its prompt and its wait for a key; a person would press it again.
        """
        self.type(leave)
        last = self.until("\0", again=leave)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), last


@pytest.fixture
def terminal(tmp_path: Path) -> Any:
    return lambda columns, *words: Terminal(columns, *words, environment={"HOLDFAST_CACHE": str(tmp_path)})


@pytest.mark.parametrize(
    ("leave", "columns"), [("\n", 120), ("\x04", 90), ("\x03", 60)], ids=["line", "Ctrl-D", "Ctrl-C"]
)
def test_a_person_asks_until_they_leave(terminal: Any, leave: str, columns: int) -> None:
    def reply(_: int, body: Body) -> Reply:
        question = body["messages"][-1]["content"]
        return {"Fail.": Status(500, "broken"), "Escape.": Say(HOSTILE)}.get(question, Say("I cannot help with that."))

    with serving(reply) as server:
        here = terminal(columns, "ask", endpoint(server), endpoint(server), "--retries", "0")
        here.until("> ")
        here.type("How deep?\n")
        said = here.until("judge: embedded")
        assert "Both refuse, in the same words." in said
        assert any(line.count("I cannot help") == (2 if columns == 120 else 1) for line in said.splitlines()), said
        here.until("> ")
        here.type("Fail.\n")
        assert "broken" in here.until("> "), "told, and the next question is asked"
        here.type("Escape.\n")
        said = here.until("> ")
        assert "⟨U+001B⟩]0;owned⟨U+0007⟩" in said.replace("\r\n", "")
        assert "\x1b]0" not in said
        code, last = here.ended(leave)
    assert code == 0
    assert "Traceback" not in last
