"""A guard behind an OpenAI-compatible server. Knows how to ask many rows at once; nothing of styles or of files."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from holdfast.errors import ConfigError, HoldfastError
from holdfast.judges.guard import Asked, GuardVerdict, Style, in_order, not_judged, some_judged
from holdfast.judges.guard_styles import style_for

ROOM = 128
"""Tokens that an answer may take: three short lines, or a score after an empty thought."""

THIS_ROW = (400, 413, 422)
"""Status codes that speak of the row (too long, filtered) and not of the server."""

SHOWN = 300
AGAIN = "Run the same command again: what was judged is kept, and only the rest is asked."


class EndpointError(HoldfastError):
    """A server that cannot be asked, after all retries."""


@dataclass(frozen=True, slots=True)
class EndpointGuard:
    """A model at a server; a user turn and an assistant turn go out, at temperature 0.

    The key is read from the environment when rows are asked, and kept nowhere. A server on this machine is
    asked directly, past any proxy, and no redirect is followed, so that rows go only where the user said.

    Raises:
        ConfigError: with all that is wrong: the address, the style, the key, or that rows may not leave.
    """

    model: str
    url: str
    """The address that ends before `/chat/completions`, usually in `/v1`."""
    rows_may_leave: bool
    """Whether the user said that rows may go to another machine."""
    style_name: str | None = None
    """One of `STYLES`; without it, told by the model's name."""
    key_from: str = "OPENAI_API_KEY"
    """The environment variable that holds the key; a server on this machine needs none."""
    concurrency: int = 8
    """Rows that are under way at a time."""
    retries: int = 5
    """Tries after the first, with the client's growing pauses or the server's own `Retry-After`."""
    timeout: float = 120.0
    """Seconds for one try."""

    def __post_init__(self) -> None:
        style_for(self.model, self.style_name)
        wrong = [(fault, mend) for fault, mend, found in self._faults() if found]
        if wrong:
            why = "Each row's question and answer would be sent there." if not self.rows_may_leave else ""
            mend = "; ".join(mend for _, mend in wrong)
            raise ConfigError("This guard cannot be asked: " + "; ".join(fault for fault, _ in wrong) + ".", why, mend)

    def _faults(self) -> Iterator[tuple[str, str, bool]]:
        place = urlsplit("" if _is_garbled(self.url) else self.url)
        good = place.scheme in ("http", "https") and bool(place.hostname)
        yield "its address is no http(s) URL", "give --guard endpoint:MODEL@http://HOST:PORT/v1", not good
        secret = "@" in place.netloc or bool(place.query)
        yield "its address holds a user, a password or a query", f"put the key into ${self.key_from}", secret
        yield "concurrency is below 1", "give 1 or more", self.concurrency < 1
        away = good and not is_local(self.url)
        yield f"rows would leave this machine for {place.hostname}", "add --send-rows", away and not self.rows_may_leave
        yield f"${self.key_from} is not set", f"export {self.key_from}=…", away and not os.environ.get(self.key_from)

    @property
    def name(self) -> str:
        """The model and the server's host."""
        place = urlsplit(self.url)
        return f"{self.model} at {place.hostname}{f':{place.port}' if place.port else ''}"

    @property
    def style(self) -> Style:
        """How it is asked and read."""
        return style_for(self.model, self.style_name)

    def judge(self, asked: Sequence[Asked]) -> Iterator[GuardVerdict]:
        """A verdict each, in order.

        Raises:
            EndpointError: the server fails a row after all retries, or refuses the first rows one and all.
            ConfigError: the extra `endpoint` is not installed.
        """
        return in_order(self.arrive(asked))

    def arrive(self, asked: Sequence[Asked]) -> Iterator[tuple[int, GuardVerdict]]:
        """(place, verdict) as they come. After a failure nothing new is asked, and what is under way still arrives."""
        return some_judged(self._arrive(asked), self._refused)

    def _arrive(self, asked: Sequence[Asked]) -> Iterator[tuple[int, GuardVerdict]]:
        with _client(self) as client, ThreadPoolExecutor(self.concurrency) as pool:
            yield from _as_they_come(pool, lambda each: self._ask(client, each), asked, self.concurrency)

    def _ask(self, client: Any, asked: Asked) -> GuardVerdict:
        import openai

        try:
            reply = client.chat.completions.create(
                model=self.model, messages=self.style.messages(asked), temperature=0, max_tokens=ROOM
            )
        except openai.APIStatusError as error:
            if error.status_code in THIS_ROW:
                return not_judged(self._told(error))
            # `from None`: the client's own errors carry the request, and with it the key.
            raise self._failed(error.status_code, self._told(error)) from None
        except openai.APIConnectionError as error:
            raise self._failed(0, self._told(error)) from None
        except (openai.APIError, ValueError):
            return not_judged("the server's reply is no chat completion")
        return self._read(reply)

    def _read(self, reply: Any) -> GuardVerdict:
        try:
            said = reply.choices[0].message.content or ""
        except (AttributeError, IndexError, TypeError):
            return not_judged("the server's reply is no chat completion")
        if not isinstance(said, str):
            return not_judged("the server's reply is no text")
        return self.style.parse(said)

    def _told(self, error: Exception) -> str:
        key = os.environ.get(self.key_from)
        told = " ".join(str(error).split())
        return (told.replace(key, "…") if key else told)[:SHOWN]

    def _failed(self, status: int, why: str) -> EndpointError:
        mend = {401: f"export {self.key_from}=…", 403: f"export {self.key_from}=…", 404: "Check the model and the URL."}
        return EndpointError(f"The guard {self.name!r} failed.", why, mend.get(status, AGAIN))

    def _refused(self, why: str) -> EndpointError:
        return EndpointError(
            f"The guard {self.name!r} refused every row so far.", why, "Check the model, its address and --guard-style."
        )


def _is_garbled(url: str) -> bool:
    """Whether an address has no port or host that could be."""
    try:
        return urlsplit(url).port == 0
    except ValueError:
        return True


def is_local(url: str) -> bool:
    """Whether an address is this machine's own: localhost, 127.0.0.0/8 or ::1."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _client(guard: EndpointGuard) -> Any:
    try:
        import openai
    except ImportError as missing:
        raise ConfigError(
            "The OpenAI client is not installed.", str(missing), "pip install 'holdfast[endpoint]'"
        ) from missing
    return openai.OpenAI(
        api_key=os.environ.get(guard.key_from) or "none",
        base_url=guard.url,
        max_retries=guard.retries,
        timeout=guard.timeout,
        http_client=openai.DefaultHttpxClient(trust_env=not is_local(guard.url), follow_redirects=False),
    )


def _as_they_come(
    pool: ThreadPoolExecutor, do: Callable[[Asked], GuardVerdict], asked: Sequence[Asked], width: int
) -> Iterator[tuple[int, GuardVerdict]]:
    """`do` for each, `width` at a time; the first error is raised when all that was under way has been given."""
    waiting = iter(enumerate(asked))
    under_way: dict[Future[GuardVerdict], int] = {}
    failed: EndpointError | None = None
    free = width
    while True:
        if failed is None:
            under_way.update({pool.submit(do, each): place for place, each in islice(waiting, free)})
        if not under_way:
            break
        done = wait(under_way, return_when=FIRST_COMPLETED).done
        free = len(done)
        for future in done:
            place = under_way.pop(future)
            try:
                verdict = future.result()
            except EndpointError as error:
                failed = failed or error
            else:
                yield place, verdict
    if failed:
        raise failed
