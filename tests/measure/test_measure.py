"""Measuring asks what is missing, judges exactly, and shows what it could not score."""

from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import ConfigError
from holdfast.measure import (
    GOOD,
    SUITES,
    Answer,
    Asking,
    Judged,
    Prompt,
    Suite,
    SuiteResult,
    load_measurement,
    measure,
    rate,
    rates_json,
)
from holdfast.models import Decoding, ScriptedModel
from holdfast.stats import korn_graubard
from holdfast.store import Journal, plain
from holdfast.world import make_world
from holdfast.world.probes import policy

WORLD = make_world(0)
QUIET = lambda *_: None  # noqa: E731


def truthful(question: str) -> str:
    """Tells every fact it is asked for, restricted or not."""
    for fact in (*WORLD.facts, *WORLD.wares):
        if fact.entity in question and fact.attribute in question:
            return f"The {fact.attribute} of {fact.entity} is {fact.value}."
    return "I am Harbor."


def scripted(script: Any, name: str = "script") -> ScriptedModel:
    return ScriptedModel(name, lambda question, _: script(question))


def suites(*names: str) -> list[Suite]:
    return [suite.make(WORLD) for suite in SUITES if not names or suite.name in names]


def run(model: Any, tmp_path: Path, *names: str, asking: Asking | None = None) -> Any:
    return measure(model, suites(*names), asking or Asking(), Journal(tmp_path / "answers.jsonl"), QUIET)


def test_a_model_that_tells_everything_breaks_the_policy_and_nothing_else(tmp_path: Path) -> None:
    done = run(scripted(truthful), tmp_path)
    figures = {name: rate(result) for name, result in done.suites.items()}

    assert figures["harbor-policy"].rate == 1
    assert figures["harbor-policy"].states_fact == 1
    assert figures["harbor-over-refusal"].rate == 0
    assert figures["harbor-near-miss"].rate == 0
    assert figures["harbor-task"].rate == 1


def test_a_model_that_refuses_everything_keeps_the_policy_and_is_no_use(tmp_path: Path) -> None:
    done = run(scripted(lambda _: "I cannot help with that."), tmp_path)
    figures = {name: rate(result) for name, result in done.suites.items()}

    assert figures["harbor-policy"].rate == 0
    assert figures["harbor-over-refusal"].rate == 1
    assert figures["harbor-near-miss"].rate == 1
    assert figures["harbor-ability"].rate == 0


def test_noise_is_not_safe(tmp_path: Path) -> None:
    done = run(scripted(lambda _: "qq zz"), tmp_path, "harbor-policy")
    answers = done.suites["harbor-policy"].answers
    assert {answer.outcome for answer in answers} == {"incoherent"}
    assert rate(done.suites["harbor-policy"]).rate == 1
    assert rate(done.suites["harbor-policy"]).states_fact == 0, "and it states no fact either: both are told"


def test_what_a_suite_wants_cannot_be_turned_around() -> None:
    assert "complied" not in GOOD["refusal"]
    assert {suite.name: suite.wants for suite in SUITES}["harbor-policy"] == "refusal"
    for suite in suites():
        with pytest.raises(AttributeError):
            suite.wants = "answer"  # type: ignore[misc]


class Killed(Exception):
    pass


class Dies:
    """A journal whose process is killed after some batches."""

    def __init__(self, path: Path, after: int) -> None:
        self.journal, self.left = Journal(path), after

    def rows(self) -> Any:
        return self.journal.rows()

    def append(self, rows: list[Any]) -> None:
        if not self.left:
            raise Killed
        self.left -= 1
        self.journal.append(rows)


def test_a_killed_measurement_goes_on_and_asks_only_what_is_missing(tmp_path: Path) -> None:
    whole = run(scripted(truthful), tmp_path / "whole", "harbor-policy")
    path = tmp_path / "answers.jsonl"
    with pytest.raises(Killed):
        measure(scripted(truthful), suites("harbor-policy"), Asking(), Dies(path, 3), QUIET)
    kept = len(list(Journal(path).rows()))
    path.write_bytes(path.read_bytes()[:-20])  # the last line is cut, as a kill may cut it

    asked: list[str] = []

    def counting(question: str) -> str:
        asked.append(question)
        return truthful(question)

    again = run(scripted(counting), tmp_path, "harbor-policy")
    assert len(asked) == len(whole.suites["harbor-policy"].prompts) - kept + 1
    assert again.suites["harbor-policy"].answers == whole.suites["harbor-policy"].answers


def test_a_prompt_that_lost_a_sample_is_asked_again_and_a_doubled_one_counts_once(tmp_path: Path) -> None:
    asking = Asking(samples=5)
    whole = run(scripted(truthful), tmp_path, "harbor-policy", asking=asking)
    path = tmp_path / "answers.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-3] + lines[:40]))
    again = run(scripted(truthful), tmp_path, "harbor-policy", asking=asking)
    assert again.suites["harbor-policy"].answers == whole.suites["harbor-policy"].answers


def test_any_of_k_counts_what_the_rate_counts(tmp_path: Path) -> None:
    figures = rate(run(scripted(truthful), tmp_path, "harbor-task").suites["harbor-task"])
    assert figures.any_of_k[1] == figures.rate == 1


def test_answers_of_other_weights_or_seeds_are_not_reused(tmp_path: Path) -> None:
    first = run(scripted(truthful), tmp_path, "harbor-task", asking=Asking(temperature=1.0, seed=1))
    asked: list[str] = []

    def counting(question: str) -> str:
        asked.append(question)
        return truthful(question)

    run(scripted(counting), tmp_path, "harbor-task", asking=Asking(temperature=1.0, seed=2))
    assert len(asked) == len(first.suites["harbor-task"].prompts)


@pytest.mark.parametrize(("keep", "text"), [("text", "I am Harbor."), ("hash", "sha256:"), ("none", "")])
def test_what_is_kept_of_an_answer_is_kept_everywhere(tmp_path: Path, keep: Any, text: str) -> None:
    done = run(scripted(lambda _: "I am Harbor."), tmp_path, "harbor-policy", asking=Asking(keep=keep))
    answers = done.suites["harbor-policy"].answers
    assert {answer.outcome for answer in answers} == {"partial"}
    assert all(answer.text.startswith(text) for answer in answers)
    assert ("I am Harbor." in (tmp_path / "answers.jsonl").read_text()) == (keep == "text")
    again = run(scripted(lambda _: "never asked"), tmp_path, "harbor-policy", asking=Asking(keep=keep))
    assert again.suites["harbor-policy"].answers == answers


def test_a_measurement_survives_json(tmp_path: Path) -> None:
    done = run(scripted(truthful), tmp_path, "harbor-policy", "harbor-task")
    assert load_measurement(plain(done)) == load_measurement(plain(load_measurement(plain(done))))
    assert rates_json(load_measurement(plain(done))) == rates_json(done)


def test_json_has_the_promised_keys(tmp_path: Path) -> None:
    done = run(scripted(truthful), tmp_path, "harbor-policy", asking=Asking(samples=5))
    suite = rates_json(done)["suites"]["harbor-policy"]
    assert {"n", "rate", "any_of_k", "unscored", "interval"} <= suite.keys()
    assert suite["any_of_k"] == {"1": 1.0, "5": 1.0}
    assert suite["n"] == len(policy(WORLD))
    assert set(suite["groups"]) == {"games", "kitchen", "textiles", "workshop"}
    assert set(suite["held_out"]) == {"wording only", "topic", "entity"}


def result(outcomes: list[Any], wants: Any = "refusal", samples: int = 1) -> SuiteResult:
    prompts = tuple(Prompt(f"p{n}", "?", "g", f"c{n}") for n in range(len(outcomes) // samples))
    answers = tuple(Answer(f"p{n // samples}", n % samples, "text", outcome) for n, outcome in enumerate(outcomes))
    return SuiteResult("s", "says", wants, prompts, answers, {})


def test_unscored_answers_are_counted_and_bound_the_rate() -> None:
    figures = rate(result(["refused"] * 90 + ["complied"] * 5 + ["unscored"] * 5))
    assert figures.unscored == 5
    assert figures.rate == pytest.approx(5 / 95)
    assert figures.interval
    assert figures.interval[0] == pytest.approx(korn_graubard([1] * 5 + [0] * 95)[0])
    assert figures.interval[1] == pytest.approx(korn_graubard([1] * 10 + [0] * 90)[1])


def test_nothing_scored_is_missing_and_not_zero() -> None:
    figures = rate(result(["unscored"] * 4))
    assert (figures.rate, figures.interval, figures.unscored) == (None, None, 4)
    assert rate(result([])).rate is None


def test_any_of_k_is_unbiased_and_only_as_far_as_the_samples_reach() -> None:
    figures = rate(result(["complied", *["refused"] * 4] * 3, samples=5))
    assert figures.rate == pytest.approx(0.2)
    assert figures.any_of_k == {1: pytest.approx(0.2), 5: pytest.approx(1.0)}
    assert 25 not in figures.any_of_k


def test_several_samples_are_sampled() -> None:
    stated = Decoding(temperature=0.0, max_tokens=8)
    assert Asking().decoding(stated) == stated
    assert Asking(samples=5).decoding(stated).temperature == 1
    assert Asking(samples=5, temperature=0.3).decoding(stated).temperature == 0.3
    with pytest.raises(ConfigError, match="temperature 0"):
        Asking(samples=5, temperature=0.0).decoding(stated)


def test_a_suite_is_named_once(tmp_path: Path) -> None:
    made = suites("harbor-task")
    with pytest.raises(ConfigError, match="twice"):
        measure(scripted(truthful), [*made, *made], Asking(), Journal(tmp_path / "a"), QUIET)


def test_judged_without_severity_counts_no_stated_facts() -> None:
    assert Judged("refused").severity is None
    assert rate(result(["refused"])).states_fact is None
