"""Judges read answers in batches; which one reads a suite follows from what the suite wants."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import ConfigError
from holdfast.measure import (
    JUDGES,
    PUBLIC,
    SUITES,
    Asking,
    Judged,
    Prompt,
    Suite,
    load_measurement,
    measure,
    rates_json,
    reader_for,
)
from holdfast.measure.readers import Expected, Rules
from holdfast.models import Decoding, ScriptedModel
from holdfast.store import Journal, plain
from holdfast.world import make_world

QUIET = lambda *_: None  # noqa: E731


class Recording:
    """Cannot read what is empty, and remembers how much it was given at a time."""

    name = "recording"
    version = "1"

    def __init__(self) -> None:
        self.batches: list[list[tuple[str, str]]] = []

    def read(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Sequence[Judged]:
        self.batches.append([(prompt.id, answer) for prompt, answer in zip(prompts, answers, strict=True)])
        return [
            Judged("complied", score=0.25) if answer else Judged("unscored", why="nothing was said")
            for answer in answers
        ]


def suite(reader: Any, n: int = 20) -> Suite:
    prompts = tuple(Prompt(f"p{at}", f"Question {at}?", "g", f"p{at}") for at in range(n))
    return Suite("s", "says", "answer", prompts, reader, Decoding())


def test_a_reader_is_given_whole_batches_each_answer_with_its_prompt(tmp_path: Path) -> None:
    reader = Recording()
    model = ScriptedModel("m", lambda question, sample: f"To {question} {sample}", batch=8)
    measure(model, [suite(reader)], Asking(samples=2), Journal(tmp_path / "a"), QUIET)
    assert [len(batch) for batch in reader.batches] == [16, 16, 8]
    given = [pair for batch in reader.batches for pair in batch]
    assert given == [(f"p{at}", f"To Question {at}? {sample}") for at in range(20) for sample in range(2)]


def test_what_it_says_beside_its_word_is_kept(tmp_path: Path) -> None:
    model = ScriptedModel("m", lambda question, _: "" if question == "Question 3?" else "Yes.")
    journal = Journal(tmp_path / "a")
    done = measure(model, [suite(Recording())], Asking(), journal, QUIET)
    answers = {answer.prompt_id: answer for answer in done.suites["s"].answers}
    assert (answers["p3"].outcome, answers["p3"].why, answers["p3"].score) == ("unscored", "nothing was said", None)
    assert (answers["p4"].outcome, answers["p4"].why, answers["p4"].score) == ("complied", "", 0.25)
    assert rates_json(done)["suites"]["s"]["unscored"] == 1
    assert load_measurement(plain(done)) == done
    again = measure(ScriptedModel("m", {}), [suite(Recording())], Asking(), journal, QUIET)
    assert again == done, "and read back from the journal, without asking"


def test_a_reader_that_loses_an_answer_is_no_reader(tmp_path: Path) -> None:
    class Losing(Recording):
        def read(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Sequence[Judged]:
            return [Judged("complied")] * (len(answers) - 1)

    with pytest.raises(ValueError, match="zip"):
        measure(ScriptedModel("m", lambda *_: "x"), [suite(Losing())], Asking(), Journal(tmp_path / "a"), QUIET)


def test_name_and_version_are_part_of_the_settings(tmp_path: Path) -> None:
    model = ScriptedModel("m", lambda *_: "Yes.")
    done = measure(model, [suite(Rules())], Asking(), Journal(tmp_path / "a"), QUIET).suites["s"]
    assert done.settings["judge"] == "rules"
    assert done.settings["judge_version"] == Rules().version
    assert len(Rules().version) == 12
    harbor = SUITES[0].make(make_world(0))
    assert harbor.judged_by.keys() == {"judge", "prompts"}, "Holdfast's own version says all"


def test_rules_read_refusals() -> None:
    prompts = [Prompt(f"p{at}", "?", "g", "c") for at in range(3)]
    read = Rules().read(prompts, ["I cannot help with that.", "It is six metres.", "ab " * 60])
    assert [judged.outcome for judged in read] == ["refused", "complied", "incoherent"]


@pytest.mark.parametrize(
    ("expected", "answer", "outcome"),
    [
        (("six metres",), "It is Six Metres deep.", "correct"),
        (("6",), "It is 6.", "correct"),
        (("6",), "It is 16, or 6.5, or 60.", "wrong"),
        (("1,200",), "1200 boats", "correct"),
        (("-5",), "It is −5 °C.", "correct"),
        (("5",), "It is -5 °C.", "wrong"),
        (("3",), "Berths 2-3.", "correct"),
        (("art",), "The party starts.", "wrong"),
        (("Zoë Ängström",), "zoë ängström", "correct"),
        (("Ada", "Grace"), "Grace does.", "correct"),
        (("Ada",), "I cannot help with that, Ada.", "refused"),
        (("Ada",), "", "incoherent"),
        (("Ada",), "Ada " * 60, "incoherent"),
        (("?!",), "Anything.", "wrong"),
    ],
)
def test_expected_answers_are_found_by_their_words(expected: tuple[str, ...], answer: str, outcome: str) -> None:
    prompt = Prompt("p", "?", "g", "c", expected=expected)
    assert Expected().read([prompt], [answer])[0].outcome == outcome


def test_the_judge_follows_from_what_is_wanted_unless_it_is_named() -> None:
    assert reader_for("refusal").name == reader_for("answer", named="expected").name == "embedded"
    assert reader_for("correct").name == reader_for("correct", named="rules").name == "expected"
    with pytest.raises(ConfigError, match="no judge 'rulse'") as told:
        reader_for("refusal", named="rulse")
    assert "Did you mean 'rules'?" in told.value.why


def test_a_suite_that_needs_a_judge_waits_for_it() -> None:
    needs = {suite.name: suite.needs for suite in PUBLIC if suite.needs}
    assert needs == {"truthfulqa": "truth"}
    assert "truth" not in {judge.name for judge in JUDGES}
    with pytest.raises(ConfigError, match="needs the judge 'truth'"):
        reader_for("correct", "truth")


def test_judges_say_what_they_are() -> None:
    for judge in JUDGES:
        assert judge.says
        assert judge.decides
