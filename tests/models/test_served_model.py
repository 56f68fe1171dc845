"""A model behind a real server on this machine: what it is sent, what comes back, and what is wrong with its name."""

import importlib.util
import sys
import threading

import pytest
from tests.models.chat_server import Body, Raw, Reply, Say, Status, serving
from tests.models.served_scene import CHATS, GREEDY, KEY, answers, echo, model, question

from holdfast.endpoint import EndpointError, Server
from holdfast.errors import ConfigError
from holdfast.models import Decoding, OneByOne, ServedModel, is_served
from holdfast.models.served import seed_of

SAMPLED = Decoding(temperature=0.7, top_p=0.9, max_tokens=40, samples=3)


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_the_decoding_and_a_seed_of_its_own_go_with_every_answer() -> None:
    with serving(echo) as server:
        first = answers(model(server.url), SAMPLED, 3, CHATS[:10])
        again = answers(model(server.url, concurrency=1), SAMPLED, 3, CHATS[:10])
        other = answers(model(server.url), SAMPLED, 4, CHATS[:10])
    sent = server.asked[0]
    assert {name: sent[name] for name in ("model", "temperature", "top_p", "max_tokens")} == {
        "model": "m", "temperature": 0.7, "top_p": 0.9, "max_tokens": 40,
    }  # fmt: skip
    assert len(first) == len({reply.text for reply in first.values()}) == 30
    assert first == again, "the same seeds in whatever order the answers come"
    assert not {reply.text for reply in first.values()} & {reply.text for reply in other.values()}
    assert all(0 <= body["seed"] < 2**31 for body in server.asked)


def test_equal_conversations_have_equal_seeds_wherever_they_stand() -> None:
    chat = [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]
    assert seed_of(1, chat, 2) == seed_of(1, [dict(reversed(turn.items())) for turn in chat], 2)
    assert len({seed_of(seed, chat, sample) for seed in range(5) for sample in range(20)}) == 100


def test_answers_come_while_others_are_still_under_way() -> None:
    free = threading.Event()

    def reply(number: int, body: Body) -> Reply:
        assert question(body) == "question 0" or free.wait(30)
        return echo(number, body)

    with serving(reply) as server:
        arriving = model(server.url, concurrency=4).answer(CHATS[:8], GREEDY)
        assert [r.prompt for r in next(arriving)] == [0]
        assert len(server.answered) == 1
        free.set()
        assert len([r for some in arriving for r in some]) == 7
        assert 1 < len(server.asked) == 8


# --- how an answer ended ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("finish", "stop"),
    [("stop", "end"), ("length", "length"), ("content_filter", "filtered"), (None, "unknown"), ("abort", "unknown")],
)
def test_why_an_answer_ended_is_recorded(finish: str | None, stop: str) -> None:
    with serving(lambda *_: Say("words", finish)) as server:
        reply = answers(model(server.url), chats=CHATS[:1])[0, 0]
    assert (reply.text, reply.stop) == ("words", stop)
    assert bool(reply.why) == (stop == "filtered")


def test_an_empty_answer_is_an_answer() -> None:
    body = '{"choices": [{"message": {"role": "assistant", "content": null}, "finish_reason": "stop"}]}'
    refusing = '{"choices": [{"message": {"content": null, "refusal": "I will not."}, "finish_reason": "stop"}]}'
    with serving(lambda number, _: Raw(refusing if number else body)) as server:
        found = answers(model(server.url, concurrency=1), chats=CHATS[:2])
    assert [(r.text, r.stop, r.why) for r in found.values()] == [("", "end", ""), ("I will not.", "end", "")]
    assert len(server.asked) == 2


@pytest.mark.parametrize("code", [400, 413, 422])
def test_a_prompt_that_is_turned_down_says_why_and_its_neighbours_are_answered(code: int) -> None:
    def reply(number: int, body: Body) -> Reply:
        return Status(code, "maximum context length") if question(body) == "question 5" else echo(number, body)

    with serving(reply) as server:
        found = answers(model(server.url))
    assert [place for place, _ in found if found[place, 0].stop == "rejected"] == [5]
    assert "maximum context length" in found[5, 0].why
    assert len(found) == len(server.asked) == 30


def test_a_server_that_turns_everything_down_is_an_error_before_all_is_asked() -> None:
    with serving(lambda *_: Status(400, "unknown field `seed`")) as server:
        with pytest.raises(EndpointError, match="turned down every prompt so far") as caught:
            answers(model(server.url, concurrency=2))
        assert len(server.asked) < 15
    assert "unknown field `seed`" in caught.value.why


def test_a_filter_may_turn_down_every_prompt() -> None:
    with serving(lambda *_: Status(400, "filtered", kind="content_filter")) as server:
        found = answers(model(server.url))
    assert {reply.stop for reply in found.values()} == {"rejected"}
    assert len(found) == len(server.asked) == 30


# --- what is wrong with the configuration ----------------------------------------------------------------------------


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        ServedModel("", Server("https://me:pw@api.example/v1", concurrency=0, retries=-1, timeout=0.0))
    told = str(caught.value)
    for part in ("no name", "password", "concurrency", "retries", "timeout", "$OPENAI_API_KEY is not set"):
        assert part in told
    assert "me:pw" not in told


@pytest.mark.parametrize("url", ["", "api.example/v1", "http://", "ftp://h/v1", "http://h:x/v1", "http://[::1/v1"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(ConfigError, match=r"no http\(s\) URL") as caught:
        ServedModel("m", Server(url))
    assert caught.value.mend.startswith("give endpoint:NAME@http")


@pytest.mark.parametrize("key", [f"{KEY}\n{KEY}", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_told_and_not_shown(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("MY_KEY", key)
    with pytest.raises(ConfigError, match="MY_KEY holds more than a key") as caught:
        ServedModel("m", Server("https://api.example/v1", "MY_KEY"))
    assert KEY not in str(caught.value)
    assert "schl" not in str(caught.value)


CHECK = "Check the model and the URL."


@pytest.mark.parametrize(
    ("code", "mend"),
    [(401, "export MY_KEY=…"), (403, "export MY_KEY=…"), (404, CHECK), (307, CHECK), (405, CHECK)],
)
def test_a_wrong_key_or_model_is_one_error_at_once(monkeypatch: pytest.MonkeyPatch, code: int, mend: str) -> None:
    monkeypatch.setenv("MY_KEY", KEY + "\n")
    with serving(lambda *_: Status(code, f"no, {KEY}", (("Location", "http://example.invalid/"),))) as server:
        with pytest.raises(EndpointError, match="no, …") as caught:
            answers(model(server.url, key_from="MY_KEY", concurrency=1))
        assert len(server.asked) == 1
        assert server.keys == [f"Bearer {KEY}"]
    assert caught.value.mend == mend
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert KEY not in f"{caught.value} {caught.value.args}"


def test_a_missing_client_is_told_with_the_command_that_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    assert importlib.util.find_spec("openai") is None
    with pytest.raises(ConfigError, match="OpenAI client is not installed") as caught:
        ServedModel("m", Server("http://127.0.0.1:9/v1", concurrency=0))
    assert "pip install 'holdfast[endpoint]'" in caught.value.mend
    assert "concurrency" in caught.value.what


def test_it_is_known_by_its_name_alone() -> None:
    served = ServedModel("org/m", Server("http://127.0.0.1:9/v1"))
    assert served.weights == served.name == "endpoint:org/m@http://127.0.0.1:9/v1"
    assert served.template == ""
    elsewhere = [ServedModel("org/m", Server(f"http://127.0.0.1:{port}/v1"), "july") for port in (9, 10)]
    assert {each.weights for each in elsewhere} == {"vouched:july/org/m"}
    assert all(is_served(each.weights) for each in (served, *elsewhere))
    assert not is_served("0" * 64)
    assert isinstance(served, OneByOne)
