"""A server on this machine that speaks as an OpenAI-compatible one does, and fails as told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, str]
"""A status code, and the guard's words (or, beside 200, the error's)."""


@dataclass
class Server:
    """What was asked of it, and what it is to reply to the n-th request, from 0."""

    reply: Callable[[int, dict[str, Any]], Reply]
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""
    under_way: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def completion(words: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": words}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}


def last_user(body: dict[str, Any]) -> str:
    return str(next(turn["content"] for turn in reversed(body["messages"]) if turn["role"] == "user"))


@contextmanager
def serving(reply: Callable[[int, dict[str, Any]], Reply]) -> Iterator[Server]:
    server = Server(reply)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with server.lock:
                number = len(server.asked)
                server.asked.append(body)
                server.keys.append(self.headers["Authorization"])
                server.under_way += 1
                server.most = max(server.most, server.under_way)
            status, words = server.reply(number, body)
            with server.lock:
                server.under_way -= 1
            self.send_raw(status, words)

        def send_raw(self, status: int, words: str) -> None:
            good = json.dumps(completion(words) if status == 200 else {"error": {"message": words}})
            data = (words if status == 299 else good).encode()
            self.send_response(200 if status == 299 else status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            if status == 429:
                self.send_header("retry-after-ms", "10")
            if status in (302, 307):
                self.send_header("Location", "http://example.invalid/v1/chat/completions")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def slowly(seconds: float) -> None:
    time.sleep(seconds)
