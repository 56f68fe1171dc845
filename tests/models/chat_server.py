"""A server on this machine that speaks OpenAI's chat completions, goes wrong as told, and counts what it answered."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Say:
    """An answer."""

    text: str | None
    finish: str | None = "stop"
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the message."""

    def json(self, model: str) -> Body:
        message = {"role": "assistant", "content": self.text, **self.more}
        choice = {"index": 0, "message": message, "finish_reason": self.finish}
        return {"id": "x", "object": "chat.completion", "created": 0, "model": model, "choices": [choice]}


@dataclass(frozen=True)
class Status:
    """An error, with what the server says and the headers it sends."""

    code: int
    message: str = "an error"
    headers: tuple[tuple[str, str], ...] = ()
    kind: str | None = None


@dataclass(frozen=True)
class Raw:
    """Anything at all, with status 200."""

    text: str
    type: str = "application/json"


@dataclass(frozen=True)
class Half:
    """An answer whose connection closes in its middle."""

    text: str = "half of an answer"


@dataclass(frozen=True)
class Hang:
    """Silence, and no answer after it."""

    seconds: float = 0.0


Reply = Say | Status | Raw | Half | Hang


@dataclass
class Server:
    """What it is to reply to the n-th request, from 0; what it was asked; and what it answered, by model."""

    reply: Callable[[int, Body], Reply]
    asked: list[Body] = field(default_factory=list)
    answered: list[Body] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def twice(self) -> dict[str, int]:
        """What was answered more than once."""
        counts = Counter(json.dumps(body, sort_keys=True) for body in self.answered)
        return {body: count for body, count in counts.items() if count > 1}

    def wait_for(self, answers: int, seconds: float = 60.0) -> None:
        """Until so many answers have been given."""
        end = time.monotonic() + seconds
        while len(self.answered) < answers:
            assert time.monotonic() < end, f"{len(self.answered)} answers of {answers}"
            time.sleep(0.005)


@contextmanager
def serving(reply: Callable[[int, Body], Reply]) -> Iterator[Server]:
    server = Server(reply)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with server.lock:
                number = len(server.asked)
                server.asked.append(body)
                server.keys.append(self.headers["Authorization"])
            said = server.reply(number, body)
            if isinstance(said, Say):
                with server.lock:
                    server.answered.append(body)
                self.send(200, json.dumps(said.json(body["model"])))
            elif isinstance(said, Status):
                error = {"message": said.message, "code": said.kind}
                self.send(said.code, json.dumps({"error": error}), headers=said.headers)
            elif isinstance(said, Raw):
                self.send(200, said.text, said.type)
            elif isinstance(said, Half):
                self.send(200, json.dumps(Say(said.text).json(body["model"])), cut=True)
            else:
                time.sleep(said.seconds)
                self.close_connection = True

        def send(
            self,
            status: int,
            text: str,
            type: str = "application/json",
            headers: tuple[tuple[str, str], ...] = (),
            cut: bool = False,
        ) -> None:
            data = text.encode()
            self.send_response(status)
            for name, value in (("Content-Type", type), ("Content-Length", str(len(data))), *headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if cut else data)
            self.close_connection = self.close_connection or cut

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Http(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that was killed or gave up is no error of the server's."""

    http = Http(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
