"""Local models behind an OpenAI-compatible server on this machine, so that the whole path can be tried.

As a program: `python -m tests.models.served NAME=FOLDER …` serves them until it is stopped, and prints its address.
"""

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.models.chat_server import Body, Reply, Say, Server, Status, serving

from holdfast.models import Decoding, LocalModel, load

FINISH = {"end": "stop", "length": "length"}


@contextmanager
def serving_models(models: Mapping[str, LocalModel]) -> Iterator[Server]:
    """Each model under its name; one request at a time, since a network is not made for several."""
    alone = threading.Lock()

    def reply(_: int, body: Body) -> Reply:
        model = models.get(body["model"])
        if model is None:
            return Status(404, f"The model `{body['model']}` does not exist.", kind="model_not_found")
        decoding = Decoding(body["temperature"], body["top_p"], body["max_tokens"])
        with alone:
            (((answer),),) = model.answer([body["messages"]], decoding, body["seed"])
        return Say(answer.text, FINISH[answer.stop], {"reasoning": answer.thought} if answer.thought else {})

    with serving(reply) as server:
        yield server


def main() -> None:
    named = dict(word.split("=", 1) for word in sys.argv[1:])
    with serving_models({name: load(Path(folder), name=name) for name, folder in named.items()}) as server:
        print(server.url, flush=True)  # noqa: T201 - a program's own output
        threading.Event().wait()


if __name__ == "__main__":
    main()
