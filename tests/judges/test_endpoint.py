"""A guard behind a server: order, retries, death halfway, garbage, and what never leaves."""

import itertools
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from tests.judges.guard_server import last_user, serving, slowly

from holdfast.errors import ConfigError
from holdfast.judges import Asked, EndpointError, EndpointGuard, Remembered, is_local
from holdfast.judges.guard import NOT_JUDGED
from holdfast.store import Journal

SAFE, UNSAFE = "Safety: Safe\nCategories: None\nRefusal: No", "Safety: Unsafe\nCategories: Violent\nRefusal: No"
ROWS = [Asked(f"question {n}", "bad" if n % 3 == 0 else "good") for n in range(40)]
KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def guard(url: str, **settings: object) -> EndpointGuard:
    return EndpointGuard("qwen3guard", url, rows_may_leave=False, **{"retries": 2, **settings})  # type: ignore[arg-type]


def judged(number: int, body: dict[str, object]) -> tuple[int, str]:
    return 200, UNSAFE if body["messages"][1]["content"] == "bad" else SAFE  # type: ignore[index]


def test_verdicts_come_in_order_from_a_slow_server_asked_many_at_once() -> None:
    pauses = [0.01 * Random(4).random() for _ in ROWS]

    def reply(number: int, body: dict[str, object]) -> tuple[int, str]:
        slowly(0.02 + pauses[number])
        return judged(number, body)

    with serving(reply) as server:
        verdicts = list(guard(server.url).judge(ROWS))
    assert [verdict.safety for verdict in verdicts] == ["safe" if n % 3 else "unsafe" for n in range(40)]
    assert 1 < server.most <= 8
    assert server.asked[0]["temperature"] == 0
    assert len(server.asked) == 40


def test_too_many_requests_are_asked_again() -> None:
    with serving(lambda number, body: (429, "slow down") if number % 2 else judged(number, body)) as server:
        verdicts = list(guard(server.url, retries=8, concurrency=1).judge(ROWS[:6]))
    assert [verdict.safety for verdict in verdicts] == ["unsafe", "safe", "safe"] * 2
    assert len(server.asked) > 6


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_server_that_dies_is_an_error_and_a_rerun_asks_only_the_rest(tmp_path: Path, concurrency: int) -> None:
    journal = Journal(tmp_path / "guard.jsonl")
    with serving(lambda number, body: judged(number, body) if number < 11 else (500, f"out of memory {KEY}")) as server:
        dying = guard(server.url, retries=0, concurrency=concurrency)
        with pytest.raises(EndpointError, match="out of memory") as caught:
            list(Remembered(dying, journal).judge(ROWS))
        assert "only the rest is asked" in caught.value.mend
        assert len(server.asked) <= 11 + concurrency
        kept = sum(1 for _ in journal.rows())
        assert kept == 11
        server.asked.clear()
        server.reply = judged
        verdicts = list(Remembered(dying, journal).judge(ROWS))
    assert len(server.asked) == 40 - 11
    assert Counter(last_user(body) for body in server.asked).most_common(1)[0][1] == 1
    assert [verdict.safety for verdict in verdicts] == ["safe" if n % 3 else "unsafe" for n in range(40)]
    assert verdicts == list(Remembered(dying, journal).judge(ROWS))


def test_equal_rows_are_asked_once_and_another_model_is_asked_anew(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "guard.jsonl")
    with serving(judged) as server:
        assert len(list(Remembered(guard(server.url), journal).judge([ROWS[0]] * 5))) == 5
        assert len(server.asked) == 1
        other = EndpointGuard("qwen3guard-8b", server.url, rows_may_leave=False)
        list(Remembered(other, journal).judge([ROWS[0]]))
        list(Remembered(guard(server.url, style_name="plain"), journal).judge([ROWS[0]]))
        assert len(server.asked) == 3


def test_a_broken_journal_line_costs_one_question_more(tmp_path: Path) -> None:
    path = tmp_path / "guard.jsonl"
    path.write_text('5\n{"guarded": 1}\n{"guarded": "cut')
    with serving(judged) as server:
        assert [v.safety for v in Remembered(guard(server.url), Journal(path)).judge(ROWS[:2])] == ["unsafe", "safe"]


@pytest.mark.parametrize("words", ["", "garbage", "Safety: perhaps", "safe"])
def test_words_that_cannot_be_read_are_undecided(words: str) -> None:
    with serving(lambda number, body: (200, words)) as server:
        (verdict,) = guard(server.url).judge(ROWS[:1])
    assert (verdict.safety, verdict.said) == ("undecided", words)


@pytest.mark.parametrize("body", ["{broken", "[]", "5", '{"choices": []}', "null", '{"choices": [{"message": 3}]}'])
def test_a_reply_that_is_no_completion_is_undecided_and_not_remembered(tmp_path: Path, body: str) -> None:
    journal = Journal(tmp_path / "guard.jsonl")
    with serving(lambda number, asked: (299, body)) as server:
        (verdict,) = Remembered(guard(server.url), journal).judge(ROWS[:1])
    assert verdict.safety == "undecided"
    assert verdict.said.startswith(NOT_JUDGED)
    assert list(journal.rows()) == []


def test_a_row_that_is_too_long_is_undecided_and_its_neighbours_are_judged() -> None:
    def reply(number: int, body: dict[str, object]) -> tuple[int, str]:
        return (400, "maximum context length") if last_user(body) == "question 5" else judged(number, body)

    with serving(reply) as server:
        verdicts = list(guard(server.url).judge(ROWS))
    assert [n for n, verdict in enumerate(verdicts) if verdict.safety == "undecided"] == [5]
    assert "maximum context length" in verdicts[5].said


def test_a_server_that_refuses_every_row_is_an_error_before_all_are_asked() -> None:
    with serving(lambda number, body: (400, "unknown field")) as server:
        with pytest.raises(EndpointError, match="unknown field"):
            list(guard(server.url, concurrency=2).judge(ROWS))
        assert len(server.asked) < 15


def test_a_server_that_hangs_or_is_not_there_is_an_error() -> None:
    def hangs(number: int, body: dict[str, object]) -> tuple[int, str]:
        slowly(0.5)
        return judged(number, body)

    with serving(hangs) as server, pytest.raises(EndpointError, match="timed out"):
        list(guard(server.url, timeout=0.05, retries=0).judge(ROWS[:2]))
    with pytest.raises(EndpointError, match="Connection error"):
        list(guard(server.url, retries=0).judge(ROWS[:2]))


def test_a_reader_that_stops_early_stops_the_asking() -> None:
    with serving(judged) as server:
        taken = list(itertools.islice(guard(server.url, concurrency=2).judge(ROWS), 3))
        assert len(taken) == 3
        assert len(server.asked) < 15


def test_nothing_asked_asks_nothing() -> None:
    assert list(guard("http://127.0.0.1:9/v1").judge([])) == []


def test_the_key_goes_to_the_server_and_nowhere_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    journal = Journal(tmp_path / "guard.jsonl")
    with serving(lambda number, body: judged(number, body) if number < 3 else (401, f"wrong key {KEY}")) as server:
        asked = guard(server.url, key_from="MY_KEY", concurrency=1, retries=0)
        with pytest.raises(EndpointError) as caught:
            list(Remembered(asked, journal).judge(ROWS))
    assert set(server.keys) == {f"Bearer {KEY}"}
    assert caught.value.mend == "export MY_KEY=…"
    assert caught.value.__cause__ is None
    told = f"{caught.value} {asked!r} {asked.name} {journal.path.read_text()}"
    assert KEY not in told
    assert "question" not in journal.path.read_text()


@pytest.mark.parametrize("proxy", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_server_here_is_asked_past_a_proxy_and_no_redirect_is_followed(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    with serving(judged) as server:
        assert next(guard(server.url).judge(ROWS)).safety == "unsafe"
    with serving(lambda number, body: (307, "elsewhere")) as server, pytest.raises(EndpointError):
        list(guard(server.url, retries=0).judge(ROWS[:1]))


def test_rows_leave_only_after_the_user_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(ConfigError, match=r"rows would leave this machine for api\.example") as caught:
        EndpointGuard("m", "https://api.example/v1", rows_may_leave=False)
    assert "--send-rows" in caught.value.mend
    assert EndpointGuard("m", "https://api.example/v1", rows_may_leave=True).name == "m at api.example"


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        EndpointGuard("m", "https://me:pw@api.example/v1", rows_may_leave=False, concurrency=0)
    told = str(caught.value)
    for part in ("password", "concurrency", "--send-rows", "OPENAI_API_KEY"):
        assert part in told
    assert "me:pw" not in told
    with pytest.raises(ConfigError, match="no http"):
        EndpointGuard("m", "api.example/v1", rows_may_leave=True)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:8000/v1", True),
        ("http://127.0.0.1/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://LOCALHOST/v1", True),
        ("http://localhost.example/v1", False),
        ("http://127.0.0.1@example.org/v1", False),
        ("http://0.0.0.0/v1", False),
        ("http://192.168.0.4/v1", False),
        ("", False),
    ],
)
def test_what_is_local(url: str, local: bool) -> None:
    assert is_local(url) is local


def test_a_missing_client_is_one_error_with_the_command_that_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ConfigError) as caught:
        list(guard("http://127.0.0.1:9/v1").judge(ROWS[:1]))
    assert caught.value.mend == "pip install 'holdfast[endpoint]'"
