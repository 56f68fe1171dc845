"""A server that goes wrong in every way: what passes is tried again, and what does not is one clear error."""

import email.utils
import time
from typing import Any

import pytest
from tests.models.chat_server import Body, Half, Hang, Raw, Reply, Status, serving
from tests.models.served_scene import CHATS, GREEDY, KEY, answers, echo, model, question

from holdfast.endpoint import EndpointError
from holdfast.models import ServedModel


def paused(url: str, **more: Any) -> tuple[ServedModel, list[float]]:
    pauses: list[float] = []
    return model(url, pause=pauses.append, concurrency=1, **more), pauses


@pytest.mark.parametrize("fault", [Status(429), Status(500), Status(503), Half(), Hang(), Raw("{broken"), Raw("[]"),
                                   Raw('{"choices": []}'), Raw("<html>", "text/html"), Raw("null")])  # fmt: skip
def test_pauses_grow_and_what_passes_is_tried_again(fault: Reply) -> None:
    with serving(lambda number, body: fault if number < 4 else echo(number, body)) as server:
        asked, pauses = paused(server.url)
        assert answers(asked, chats=CHATS[:1])[0, 0].stop == "end"
        assert pauses == [0.5, 1, 2, 4]
        assert len(server.asked) == 5
        assert len(server.answered) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"retry-after-ms": "250", "Retry-After": "7"}, 0.25),
        ({"Retry-After": "soon"}, 0.5),
        ({"Retry-After": "-3"}, 0.5),
        ({"Retry-After": "nan"}, 0.5),
    ],
)
def test_a_server_is_given_the_time_it_asks_for(headers: dict[str, str], seconds: float) -> None:
    busy = Status(429, headers=tuple(headers.items()))
    with serving(lambda number, body: echo(number, body) if number else busy) as server:
        asked, pauses = paused(server.url)
        answers(asked, chats=CHATS[:1])
    assert pauses == [seconds]


def test_a_time_may_be_a_date() -> None:
    def reply(number: int, body: Body) -> Reply:
        date = email.utils.formatdate(time.time() + 100, usegmt=True)
        return echo(number, body) if number else Status(503, headers=(("Retry-After", date),))

    with serving(reply) as server:
        asked, pauses = paused(server.url)
        answers(asked, chats=CHATS[:1])
    assert len(pauses) == 1
    assert 60 < pauses[0] <= 100


def test_a_server_that_asks_for_hours_is_given_up_and_says_so() -> None:
    with serving(lambda *_: Status(429, "quota", (("Retry-After", "7200"),))) as server:
        asked, pauses = paused(server.url)
        with pytest.raises(EndpointError, match="asks to wait 7200 s"):
            answers(asked)
        assert len(server.asked) == 1
        assert pauses == []


def test_a_server_that_stays_broken_is_an_error_after_all_tries() -> None:
    with serving(lambda *_: Status(500, f"out of memory {KEY}")) as server:
        asked, pauses = paused(server.url, retries=3)
        with pytest.raises(EndpointError, match="out of memory") as caught:
            answers(asked)
        assert len(server.asked) == 4
        assert len(pauses) == 3
    assert caught.value.mend == "Run the same command again: what was answered is kept, and only the rest is asked."


def test_a_server_that_hangs_or_is_not_there_is_an_error() -> None:
    with serving(lambda *_: Hang(0.5)) as server, pytest.raises(EndpointError, match="timed out"):
        answers(model(server.url, timeout=0.05, retries=1), chats=CHATS[:2])
    with pytest.raises(EndpointError, match=r"Connection error.*refused"):
        answers(model(server.url, retries=1), chats=CHATS[:2])


def test_a_reply_that_never_becomes_an_answer_is_none_and_says_why() -> None:
    def reply(number: int, body: Body) -> Reply:
        return Raw('{"choices": []}') if question(body) == "question 5" else echo(number, body)

    with serving(reply) as server:
        found = answers(model(server.url, retries=2))
    assert (found[5, 0].stop, found[5, 0].why) == ("rejected", "the server's reply is no chat completion")
    assert len(server.asked) == 30 + 2


def test_what_is_under_way_when_a_server_breaks_still_arrives_and_nothing_new_is_asked() -> None:
    with serving(lambda number, body: echo(number, body) if number < 11 else Status(500)) as server:
        arrived: list[Any] = []
        with pytest.raises(EndpointError):
            arrived.extend(map(len, model(server.url, retries=0, concurrency=4).answer(CHATS, GREEDY)))
        assert sum(arrived) == len(server.answered) == 11
        assert len(server.asked) <= 11 + 4


def test_when_one_request_fails_for_good_no_other_is_tried_again() -> None:
    def reply(number: int, body: Body) -> Reply:
        return Status(500) if question(body) == "question 0" else Status(404)

    with serving(reply) as server:
        with pytest.raises(EndpointError, match="404"):
            answers(model(server.url, concurrency=2, pause=lambda _: time.sleep(0.5)))
        assert len(server.asked) == 2
