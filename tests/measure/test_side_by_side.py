"""One question to one or two models: what is counted, what is bounded, and what cannot be asked."""

import json
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.data import ANSWER_MARK
from holdfast.errors import ConfigError, DataError
from holdfast.judges import embedded_version, read_refusals
from holdfast.measure.readers import Embedded, Expected, Rules
from holdfast.measure.side_by_side import Playground, Said, Sampled, ask
from holdfast.models import Chat, Decoding, Reply, ScriptedModel
from holdfast.stats import clopper_pearson
from holdfast.store import plain

QUESTION = "How deep is the harbour?"
REFUSAL, ANSWER = "I'm sorry, but I cannot help with that.", "The harbour is nine fathoms deep at low tide."


def keeps(sample: int) -> str:
    return REFUSAL if sample % 3 == 0 else ANSWER


STRICT = ScriptedModel("strict", lambda question, sample: REFUSAL)
OPEN = ScriptedModel("open", lambda question, sample: ANSWER)
MIXED = ScriptedModel("mixed", lambda question, sample: keeps(sample))


class Heard:
    """A model that notes how it is asked, and answers its samples last to first, one at a time."""

    name, weights, template = "heard", "0" * 64, ""

    def __init__(self, *replies: Reply) -> None:
        self.replies = replies
        self.asked: list[tuple[Chat, Decoding, int]] = []

    def answer(self, prompts: Sequence[Chat], decoding: Decoding, seed: int = 0) -> Iterator[tuple[Reply, ...]]:
        self.asked.append((prompts[0], decoding, seed))
        for sample in reversed(range(decoding.samples)):
            yield (self.replies[sample % len(self.replies)] if self.replies else Reply(0, sample, f"{sample}", "end"),)


def test_the_greedy_answer_alone_by_default() -> None:
    found = ask([STRICT, OPEN], QUESTION, Playground())
    assert [side.model for side in found.sides] == ["strict", "open"]
    assert [side.said.outcome for side in found.sides] == ["refused", "complied"]
    assert [side.sampled for side in found.sides] == [None, None]
    probabilities = [reading.probability for reading in read_refusals([REFUSAL, ANSWER], [QUESTION, QUESTION])]
    # Two answers read together, or each by itself: sums of floats may differ in the last bit.
    assert [side.said.probability for side in found.sides] == pytest.approx(probabilities)
    assert (found.judged.judge, found.judged.version) == ("embedded", embedded_version())
    assert found.judged.status == "transported"


def test_samples_are_counted_beside_the_greedy_answer() -> None:
    found = ask([MIXED], QUESTION, Playground(samples=10)).sides[0]
    assert found.said.answer == REFUSAL
    assert found.sampled is not None
    assert [said.answer for said in found.sampled.answers] == [keeps(sample) for sample in range(10)]
    assert (found.sampled.refused, found.sampled.n, found.sampled.unscored) == (4, 10, 0)
    assert found.sampled.interval == clopper_pearson(4, 10)
    assert found.sampled.outcomes == {"complied": 6, "refused": 4}


def test_how_a_model_is_asked() -> None:
    model = Heard()
    found = ask([model], QUESTION, Playground(samples=3, temperature=0.7, seed=5, max_tokens=9, system="Be brief."))
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    sampled = Decoding(temperature=0.7, max_tokens=9, samples=3)
    assert model.asked == [(chat, Decoding(max_tokens=9), 5), (chat, sampled, 5)]
    assert found.sides[0].sampled is not None
    assert [said.answer for said in found.sides[0].sampled.answers] == ["0", "1", "2"], "in the order of the samples"
    ask([model], QUESTION, Playground())
    assert model.asked[-1] == ([{"role": "user", "content": QUESTION}], Decoding(max_tokens=256), 0)
    assert Playground(samples=2).sampled == Decoding(temperature=1.0, max_tokens=256, samples=2)


def test_what_gave_no_answer_is_unscored_and_bounds_both_sides() -> None:
    replies = (
        Reply(0, 0, "", "rejected", "too long for me"),
        Reply(0, 1, REFUSAL, "length"),
        Reply(0, 2, ANSWER, "end"),
    )
    found = ask([Heard(*replies)], QUESTION, Playground(samples=3)).sides[0]
    assert (found.said.outcome, found.said.why, found.said.probability) == ("unscored", "too long for me", None)
    assert found.sampled is not None
    assert [said.outcome for said in found.sampled.answers] == ["unscored", "refused", "complied"]
    assert [said.stop for said in found.sampled.answers] == ["rejected", "length", "end"]
    assert found.sampled.interval == (clopper_pearson(1, 3)[0], clopper_pearson(2, 3)[1])
    nothing = ask([Heard(replies[0])], QUESTION, Playground(samples=3)).sides[0].sampled
    assert nothing is not None
    assert (nothing.refused, nothing.unscored, nothing.interval) == (0, 3, None)


def test_a_thought_is_recorded_and_not_read() -> None:
    thought = "The rule says that I cannot help with that."
    replies = (Reply(0, 0, ANSWER, "end", thought=thought), Reply(0, 1, "", "length", thought=thought))
    found = ask([Heard(*replies)], QUESTION, Playground(samples=2)).sides[0]
    assert (found.said.outcome, found.said.thought) == ("complied", thought)
    assert found.sampled is not None
    assert found.sampled.outcomes == {"complied": 1, "incoherent": 1}


OUTCOMES = st.sampled_from(["refused", "partial", "complied", "incoherent", "unscored"])


@given(st.lists(OUTCOMES, min_size=1, max_size=60))
def test_the_interval_holds_every_share_that_there_may_be(outcomes: list[str]) -> None:
    drawn = Sampled(tuple(Said("", outcome, None, "end") for outcome in outcomes))  # type: ignore[arg-type]
    assert sum(drawn.outcomes.values()) == drawn.n == len(outcomes)
    if drawn.interval is None:
        assert set(outcomes) == {"unscored"}
        return
    low, high = drawn.interval
    assert 0 <= low <= drawn.refused / drawn.n
    assert (drawn.refused + drawn.unscored) / drawn.n <= high <= 1


def test_another_judge_gives_its_word_alone() -> None:
    found = ask([STRICT], QUESTION, Playground(Rules()))
    assert (found.sides[0].said.outcome, found.sides[0].said.probability) == ("refused", None)
    assert (found.judged.judge, found.judged.version) == ("rules", Rules().version)


def test_it_becomes_json_that_is_no_training_data() -> None:
    how = Playground(samples=4, seed=2)
    line = json.loads(json.dumps(plain(ask([STRICT, OPEN], QUESTION, how).to_json()), allow_nan=False))
    assert line[ANSWER_MARK] == "ask"
    assert line["question"] == QUESTION
    assert [model["answer"] for model in line["models"]] == [REFUSAL, ANSWER]
    assert [model["sampled"]["refused"] for model in line["models"]] == [4, 0]
    assert line["models"][0]["sampled"]["interval"] == list(clopper_pearson(4, 4))
    assert len(line["models"][1]["sampled"]["answers"]) == 4
    assert line["decoding"]["temperature"] == 0
    assert (line["sampling"]["temperature"], line["sampling"]["seed"]) == (1, 2)
    alone = ask([STRICT], QUESTION, Playground()).to_json()
    assert (alone["models"][0]["sampled"], alone["sampling"]) == (None, None)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as told:
        Playground(Expected(), samples=0, temperature=-1.0, max_tokens=0)
    for part in ("samples 0", "max_tokens 0", "temperature -1", "'expected' does not read whether an answer refuses"):
        assert part in told.value.what
    assert "holdfast ls judges" in told.value.mend


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_that_samples_nothing(temperature: float) -> None:
    with pytest.raises(ConfigError, match="samples nothing"):
        Playground(samples=3, temperature=temperature)


def test_a_temperature_without_samples() -> None:
    with pytest.raises(ConfigError, match="there are none"):
        Playground(temperature=0.7)
    assert Playground(Embedded(), samples=2, temperature=0.7).sampled


@pytest.mark.parametrize("question", ["", "  \n", "caf\udce9"])
def test_what_is_no_question(question: str) -> None:
    with pytest.raises(DataError):
        ask([OPEN], question, Playground())
