"""A served model that is measured: whatever goes wrong, nothing is lost and nothing is paid twice."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models.chat_server import Body, Half, Hang, Raw, Reply, Say, Status, serving
from tests.models.served_scene import KEY, QUIET, Echoes, echo, model, outcomes, question, run, suite

from holdfast.endpoint import EndpointError
from holdfast.errors import ModelError
from holdfast.measure import Asking, Measurement, measure
from holdfast.models import Chat, Decoding, ScriptedModel, ServedModel
from holdfast.models import Reply as Answered
from holdfast.store import Journal


def test_a_prompt_with_some_of_its_samples_is_asked_for_the_others(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    with serving(echo) as server:
        whole = run(model(server.url, concurrency=1), path, samples=5)
        assert len(server.answered) == 60
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[:33] + lines[3:9]) + lines[33][:-20])
        again = run(model(server.url), path, samples=5)
        assert len(server.answered) == 60 + 27
    assert again == whole
    assert not set(server.twice) - {body for body in server.twice if server.twice[body] == 2}


def test_a_measurement_says_what_it_is_of(tmp_path: Path) -> None:
    with serving(lambda number, body: Say("cut", "length") if number == 3 else echo(number, body)) as server:
        found = run(model(server.url, concurrency=1), tmp_path / "a.jsonl")
    assert found.weights == f"endpoint:m@{server.url}"
    assert found.template == ""
    assert found.versions.keys() == {"holdfast", "openai"}
    assert [answer.stop for answer in found.suites["echo"].answers].count("length") == 1


def test_what_was_turned_down_or_filtered_is_unscored_with_its_reason(tmp_path: Path) -> None:
    mended = False

    def reply(number: int, body: Body) -> Reply:
        turned = {"question 2": Status(400, "too long"), "question 4": Say("I was about to", "content_filter")}
        return echo(number, body) if mended else turned.get(question(body), echo(number, body))

    with serving(reply) as server:
        path = tmp_path / "a.jsonl"
        found = {a.prompt_id: a for a in run(model(server.url), path).suites["echo"].answers}
        assert len(found) == 12
        assert (found["p2"].outcome, found["p2"].stop, found["p4"].outcome) == ("unscored", "rejected", "unscored")
        assert "too long" in found["p2"].why
        assert "filter" in found["p4"].why
        assert found["p4"].text == "I was about to"
        mended = True
        again = {a.prompt_id: a for a in run(model(server.url), path).suites["echo"].answers}
        assert len(server.asked) == 13, "what was turned down is asked again; what was filtered is an answer"
        assert again["p2"].outcome == "correct"
        assert again["p4"] == found["p4"]


def test_many_that_are_turned_down_are_no_error_where_others_were_answered_before(tmp_path: Path) -> None:
    def reply(number: int, body: Body) -> Reply:
        return Status(400, "too long") if int(question(body).split()[1]) > 3 else echo(number, body)

    with serving(reply) as server:
        first = run(model(server.url, concurrency=1), tmp_path / "a.jsonl", count=20)
        assert run(model(server.url), tmp_path / "a.jsonl", count=20) == first
    assert [answer.outcome for answer in first.suites["echo"].answers].count("unscored") == 16


def test_another_judge_reads_what_was_answered_and_pays_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with serving(lambda n, body: Say("", "content_filter") if n == 7 else echo(n, body)) as server:
        first = run(model(server.url), path, Echoes("one"))
        judge = Echoes("two")
        second = run(model(server.url), path, judge)
        assert run(model(server.url), path, judge) == second
        assert len(server.asked) == 12
        assert judge.read_in_all == 11
        assert outcomes(first) == outcomes(second)
        assert second.suites["echo"].settings["judge"] == "two"
        run(model(server.url), path, Echoes("three"), keep="none")
        assert len(server.asked) == 24, "what is not kept cannot be read again"


def test_answers_outlive_a_judge_that_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with serving(echo) as server:
        with pytest.raises(ModelError, match="judge is gone"):
            run(model(server.url, concurrency=3), path, Echoes(fails_after=5))
        paid = len(server.answered)
        kept = sum(1 for _ in Journal(path).rows())
        assert 6 <= kept <= paid <= kept + 3
        whole = run(model(server.url), path)
        assert len(server.answered) - paid == 12 - kept
    assert {outcome for _, _, outcome, _ in outcomes(whole)} == {"correct"}


class Filtering:
    """A model whose answers come two at a time, the second of each kept back by a filter."""

    name, weights, template = "filtering", "0" * 64, ""

    def __init__(self) -> None:
        self.asked = 0

    def answer(self, prompts: Sequence[Chat], decoding: Decoding, seed: int = 0) -> Iterator[tuple[Answered, ...]]:
        for place in range(0, len(prompts), 2):
            self.asked += 2
            words = str(prompts[place][-1]["content"])
            yield Answered(place, 0, f"{words}: 0", "end"), Answered(place + 1, 0, "I was", "filtered", "a filter")


def test_a_judge_that_fails_loses_no_filtered_answer_either(tmp_path: Path) -> None:
    asked, path = Filtering(), tmp_path / "a.jsonl"
    with pytest.raises(ModelError):
        measure(asked, [suite(Echoes(fails_after=3))], Asking(), Journal(path), QUIET)
    found = measure(asked, [suite(Echoes())], Asking(), Journal(path), QUIET)
    assert asked.asked == 12
    assert [a.outcome for a in found.suites["echo"].answers] == ["correct", "unscored"] * 6
    assert {a.why for a in found.suites["echo"].answers} == {"", "a filter"}


def test_what_a_model_gives_again_is_not_kept_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    scripted = ScriptedModel("s", lambda words, sample: f"{words}: {sample}")
    measure(scripted, [suite(Echoes())], Asking(samples=3), Journal(path), QUIET)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-5]))
    measure(scripted, [suite(Echoes())], Asking(samples=3), Journal(path), QUIET)
    kept = [(row["prompt_id"], row["sample"]) for row in Journal(path).rows()]
    assert sorted(kept) == sorted((f"p{n}", sample) for n in range(12) for sample in range(3))


def test_another_client_asks_nothing_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(echo) as server:
        run(model(server.url), tmp_path / "a.jsonl")
        monkeypatch.setattr("holdfast.measure.kept.version", lambda name: "99" if name == "openai" else version(name))
        assert run(model(server.url), tmp_path / "a.jsonl").versions["openai"] == "99"
        assert len(server.asked) == 12


def test_no_key_is_in_what_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with serving(lambda n, body: echo(n, body) if n % 2 else Status(400, f"what is {KEY}")) as server:
        found = run(model(server.url, key_from="MY_KEY", concurrency=1), tmp_path / "a.jsonl")
    assert KEY not in (tmp_path / "a.jsonl").read_text()
    assert KEY not in repr(found)
    assert set(server.keys) == {f"Bearer {KEY}"}


FAULTS: tuple[Reply, ...] = (
    Status(429), Status(429, "slow down", (("Retry-After", "3"),)), Status(500), Status(502, "bad gateway"),
    Half(), Hang(), Raw("{broken"), Raw('{"choices": []}'), Raw("", "text/plain"), Raw('{"error": {"message": "no"}}'),
)  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(
    faults=st.lists(st.sampled_from([None, *FAULTS]), max_size=30),
    retries=st.integers(0, 3),
    concurrency=st.integers(1, 6),
    samples=st.integers(1, 3),
)
def test_whatever_goes_wrong_nothing_is_lost_and_nothing_is_answered_twice(
    tmp_path_factory: pytest.TempPathFactory,
    faults: list[Reply | None],
    retries: int,
    concurrency: int,
    samples: int,
) -> None:
    path = tmp_path_factory.mktemp("faults") / "answers.jsonl"

    def reply(number: int, body: Body) -> Reply:
        return (faults[number] if number < len(faults) else None) or echo(number, body)

    with serving(reply) as server:
        asked = model(server.url, retries=retries, concurrency=concurrency)
        whole = list(_until_whole(asked, path, samples))[-1]
        assert len(server.answered) == 6 * samples
        assert server.twice == {}
    assert sorted(outcomes(whole)) == sorted((f"p{p}", s, "correct", "end") for p in range(6) for s in range(samples))
    assert len(list(Journal(path).rows())) == 6 * samples


def _until_whole(asked: ServedModel, path: Path, samples: int) -> Iterator[Measurement]:
    """The same command again until it ends, and until nothing was turned down: each run meets fewer faults."""
    for _ in range(40):
        try:
            found = run(asked, path, count=6, samples=samples)
        except EndpointError:
            continue
        yield found
        if all(stop == "end" for _, _, _, stop in outcomes(found)):
            return
