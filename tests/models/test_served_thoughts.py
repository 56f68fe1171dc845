"""A served model that thinks: whatever its server calls a thought comes apart, is kept, and is found again."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.models.chat_server import Body, Raw, Reply, Say, serving
from tests.models.served_scene import CHATS, Echoes, answers, echo, model, question, run

from holdfast.endpoint import Server
from holdfast.store import Journal


def parts(said: Reply) -> tuple[str, str, str, bool]:
    with serving(lambda *_: said) as server:
        reply = answers(model(server.url), chats=CHATS[:1])[0, 0]
    return reply.thought, reply.text, reply.stop, reply.unanswered


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_a_thought_in_a_field_of_its_own(name: str) -> None:
    assert parts(Say("Deep.", more={name: "\nHm.\n"})) == ("Hm.", "Deep.", "end", False)
    assert parts(Say("\n\nDeep.", more={name: "Hm."}))[:2] == ("Hm.", "Deep.")
    assert parts(Say("<think>\nHm.\n</think>\n\nDeep.", more={name: "Hm."}))[:2] == ("Hm.", "Deep.")
    assert parts(Say(None, "length", {name: "Hm."})) == ("Hm.", "", "length", True)
    assert parts(Say("Deep.", more={name: None}))[:2] == ("", "Deep.")
    assert parts(Say("Deep.", more={name: ["no", "text"]}))[:2] == ("", "Deep.")


def test_of_two_fields_one_is_read() -> None:
    both = {"reasoning": "Hm.", "reasoning_content": "Hm."}
    assert parts(Say("Deep.", more=both))[0] == "Hm."
    assert parts(Say("Deep.", more={**both, "reasoning": None}))[0] == "Hm."


def test_a_thought_between_marks_in_the_text() -> None:
    assert parts(Say("Hm.</think>\n\nDeep.")) == ("Hm.", "Deep.", "end", False)
    assert parts(Say("<think>Hm.", "length")) == ("Hm.", "", "length", True)
    assert parts(Say("\nDeep."))[:2] == ("", "\nDeep.")


def test_a_thought_is_no_answer_where_a_filter_kept_that_back() -> None:
    with serving(lambda *_: Say(None, "content_filter", {"reasoning": "Hm."})) as server:
        reply = answers(model(server.url), chats=CHATS[:1])[0, 0]
    assert (reply.thought, reply.text, reply.stop, bool(reply.why)) == ("Hm.", "", "filtered", True)


def test_a_thought_alone_is_an_answer_and_not_garbled() -> None:
    body = {"choices": [{"message": {"role": "assistant", "reasoning": "Hm."}, "finish_reason": "length"}]}
    with serving(lambda *_: Raw(json.dumps(body))) as server:
        reply = answers(model(server.url), chats=CHATS[:1])[0, 0]
        assert len(server.asked) == 1
    assert (reply.thought, reply.text, reply.stop) == ("Hm.", "", "length")


def test_another_that_asks_the_same_server_is_told_the_thought_too() -> None:
    with serving(lambda *_: Say("Deep.", more={"reasoning": "Hm."})) as server:
        request: Any = {"model": "m", "messages": CHATS[0]}
        ((_, said),) = next(Server(server.url).ask([request], "The judge", "judged"))
    assert (said.text, said.thought) == ("Deep.", "Hm.")


def test_thoughts_are_kept_as_they_arrive_and_nothing_is_paid_twice(tmp_path: Path) -> None:
    def reply(number: int, body: Body) -> Reply:
        said = echo(number, body)
        assert isinstance(said, Say)
        return Say(said.text, more={"reasoning": f"Of {question(body)}."})

    path = tmp_path / "answers.jsonl"
    with serving(reply) as server:
        first = run(model(server.url), path, samples=2)
        assert {row["thought"] for row in Journal(path).rows()} == {f"Of question {n}." for n in range(12)}
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[:-5]))
        assert run(model(server.url), path, samples=2) == first
        assert len(server.asked) == 24 + 5
        judge = Echoes("another")
        again = run(model(server.url), path, judge, samples=2).suites["echo"].answers
        assert len(server.asked) == 24 + 5
    assert {(answer.outcome, answer.thinking) for answer in again} == {("correct", "closed")}
    assert [answer.thought for answer in again] == [answer.thought for answer in first.suites["echo"].answers]
