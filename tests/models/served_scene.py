"""What tests of served models share: how they are made and asked, and a suite whose judge knows what is right."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.models.chat_server import Body, Reply, Say

from holdfast.endpoint import Server
from holdfast.errors import ModelError
from holdfast.measure import Asking, Judged, Measurement, Prompt, Suite, measure
from holdfast.models import Decoding, ServedModel
from holdfast.store import Journal

KEY = "sk-secret-0123456789"
CHATS = [[{"role": "user", "content": f"question {n}"}] for n in range(30)]
GREEDY = Decoding()
QUIET = lambda *_: None  # noqa: E731


def question(body: Body) -> str:
    return str(body["messages"][-1]["content"])


def echo(_: int, body: Body) -> Reply:
    return Say(f"{question(body)}: {body['seed']}")


def model(url: str, **set_otherwise: Any) -> ServedModel:
    server = Server(url, **{"pause": lambda seconds: None, "timeout": 10.0, **set_otherwise})
    return ServedModel("m", server)


def answers(asked: ServedModel, decoding: Decoding = GREEDY, seed: int = 0, chats: Sequence[Any] = CHATS) -> Any:
    return {(r.prompt, r.sample): r for some in asked.answer(chats, decoding, seed) for r in some}


class Echoes:
    """A judge: right is what the server's `echo` says, with the seed that was sent. It can fail."""

    version = ""

    def __init__(self, name: str = "echoes", fails_after: int = 10**9) -> None:
        self.name, self.left, self.read_in_all = name, fails_after, 0

    def read(self, prompts: Sequence[Prompt], said: Sequence[str]) -> Sequence[Judged]:
        self.left -= len(said)
        if self.left < 0:
            raise ModelError("The judge is gone.")
        self.read_in_all += len(said)
        return [
            Judged("correct" if text.startswith(f"{prompt.text}: ") else "wrong")
            for prompt, text in zip(prompts, said, strict=True)
        ]


def suite(judge: Echoes, count: int = 12) -> Suite:
    prompts = tuple(Prompt(f"p{n}", f"question {n}", "all", f"p{n}") for n in range(count))
    return Suite("echo", "Asks for an echo.", "correct", prompts, judge, Decoding(max_tokens=8))


def run(asked: ServedModel, path: Path, judge: Echoes | None = None, count: int = 12, **asking: Any) -> Measurement:
    return measure(asked, [suite(judge or Echoes(), count)], Asking(**asking), Journal(path), QUIET)


def outcomes(found: Measurement) -> list[tuple[str, int, str, str]]:
    return [(a.prompt_id, a.sample, a.outcome, a.stop) for a in found.suites["echo"].answers]
