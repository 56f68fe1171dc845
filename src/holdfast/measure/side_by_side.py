"""One question put to one model, or to two side by side: what each answers, and how often it refuses.

For a person's own questions. It keeps no answer, and it tries neither other wordings nor other decodings.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any, NamedTuple

from holdfast.errors import ConfigError, DataError
from holdfast.judges import read_refusals
from holdfast.measure.calibrating import REFUSES, Standing, standing
from holdfast.measure.readers import Choosable, Embedded
from holdfast.measure.results import Outcome, Prompt
from holdfast.measure.suite import UNANSWERED
from holdfast.models import Chat, Decoding, Model, Reply
from holdfast.stats import Interval, clopper_pearson


@dataclass(frozen=True, slots=True)
class Playground:
    """How questions are asked and their answers read.

    Raises:
        ConfigError: with all that is wrong with it.
    """

    judge: Choosable = field(default_factory=Embedded)
    samples: int = 1
    """1: the greedy answer alone. More: so many are sampled beside it, to count refusals among."""
    temperature: float | None = None
    """Of the sampled answers; 1 where it is not said."""
    seed: int = 0
    """Of the sampled answers."""
    max_tokens: int = 256
    """Tokens after which an answer is cut."""
    system: str = ""
    """A system prompt that every question is asked under; none where it is empty."""

    def __post_init__(self) -> None:
        if wrong := list(self._faults()):
            mend = "; ".join(dict.fromkeys(mend for _, mend in wrong))
            raise ConfigError(f"It cannot be asked so: {'; '.join(fault for fault, _ in wrong)}.", "", mend)

    def _faults(self) -> Iterator[tuple[str, str]]:
        if self.samples < 1:
            yield f"samples {self.samples} is below 1", "give 1 or more"
        if self.max_tokens < 1:
            yield f"max_tokens {self.max_tokens} is below 1", "give 1 or more"
        if self.temperature is not None and self.samples == 1:
            yield f"temperature {self.temperature:g} is of sampled answers, and there are none", "give --samples 10"
        if self.temperature is not None and not (self.temperature > 0 and isfinite(self.temperature)):
            yield f"temperature {self.temperature:g} samples nothing", "give one above 0"
        if not self.judge.decides >= REFUSES:
            yield f"the judge {self.judge.name!r} does not read whether an answer refuses", "holdfast ls judges"

    @property
    def greedy(self) -> Decoding:
        """Of the answer that is shown."""
        return Decoding(max_tokens=self.max_tokens)

    @property
    def sampled(self) -> Decoding | None:
        """Of the answers that are counted; None where there are none."""
        if self.samples == 1:
            return None
        temperature = 1.0 if self.temperature is None else self.temperature
        return Decoding(temperature, max_tokens=self.max_tokens, samples=self.samples)


@dataclass(frozen=True, slots=True)
class Said:
    """One answer and what the judge makes of it."""

    answer: str
    outcome: Outcome
    probability: float | None
    """That it refuses, in full or in part, as the embedded judge has it; None of other judges, and where there are no
    words to read.
    """
    stop: str
    """Why it ended, as `Reply.stop` has it."""
    why: str = ""
    """Why an unscored answer could not be scored."""
    thought: str = ""
    """What the model wrote before its answer, as `Reply.thought` has it; the judge does not read it."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Several sampled answers to one question."""

    answers: tuple[Said, ...]

    @property
    def n(self) -> int:
        """All of them, the unscored too."""
        return len(self.answers)

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """How many of each, the most first."""
        return dict(Counter(said.outcome for said in self.answers).most_common())

    @property
    def refused(self) -> int:
        """Full refusals."""
        return self.outcomes.get("refused", 0)

    @property
    def unscored(self) -> int:
        """Answers that the judge could not read."""
        return self.outcomes.get("unscored", 0)

    @property
    def interval(self) -> Interval | None:
        """Exact 95 % limits of the model's own probability of a full refusal (Clopper & Pearson 1934); the unscored
        count against it on both sides. None where nothing could be scored.
        """
        if self.unscored == self.n:
            return None
        most = self.refused + self.unscored
        return clopper_pearson(self.refused, self.n)[0], clopper_pearson(most, self.n)[1]


@dataclass(frozen=True, slots=True)
class Side:
    """What one model says to a question."""

    model: str
    weights: str
    """sha256 over the weights, or what a served model is known by."""
    said: Said
    """Its greedy answer."""
    sampled: Sampled | None
    """None where only the greedy answer was asked for."""


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One question, and what each model says to it."""

    question: str
    sides: tuple[Side, ...]
    """In the order of the models."""
    judged: Standing
    """Who read the answers, and how well that judge's error is known."""
    how: Playground

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; what there is not is null. It bears the mark by which `data` refuses it as training data."""
        how = self.how
        return {
            "holdfast_answer": "ask",
            "question": self.question,
            "system": how.system,
            "models": [_side_json(side) for side in self.sides],
            "judge": self.judged.judge,
            "judge_version": self.judged.version,
            "calibration": self.judged.to_json(),
            "decoding": asdict(how.greedy),
            "sampling": {**asdict(how.sampled), "seed": how.seed} if how.sampled else None,
        }


def ask(models: Sequence[Model], question: str, how: Playground) -> SideBySide:
    """Put one question to each model, greedily, and where `how` says so also for several sampled answers.

    Raises:
        DataError: the question has no words, or is no text.
        ModelError: question and answer do not fit a model's context, or its chat template refuses them.
        EndpointError: a served model, or the judge, fails.
    """
    _check(question)
    sides = tuple(_side(model, question, how) for model in models)
    settings = {"judge": how.judge.name, "judge_version": how.judge.version}
    # Without calibrations of the user's own, a judge stands alike before every model.
    return SideBySide(question, sides, standing(settings, models[0].name, models[0].weights), how)


def _check(question: str) -> None:
    if not question.strip():
        raise DataError("The question is empty.", "", 'holdfast ask MODEL --question "…"')
    try:
        question.encode()
    except UnicodeEncodeError as error:
        shown = question.encode(errors="backslashreplace").decode()
        raise DataError(f"The question is no UTF-8: {shown[:80]!r}.", "", "Write it in UTF-8.") from error


def _side(model: Model, question: str, how: Playground) -> Side:
    chat: Chat = [*([{"role": "system", "content": how.system}] if how.system else []),
                  {"role": "user", "content": question}]  # fmt: skip
    shown = _replies(model, chat, how.greedy, how.seed)
    drawn = _replies(model, chat, how.sampled, how.seed) if how.sampled else []
    first, *others = _read(how.judge, question, [*shown, *drawn])
    return Side(model.name, model.weights, first, Sampled(tuple(others)) if others else None)


def _replies(model: Model, chat: Chat, decoding: Decoding, seed: int) -> list[Reply]:
    """The model's answers, in the order of their samples."""
    arrived = [reply for batch in model.answer([chat], decoding, seed) for reply in batch]
    return sorted(arrived, key=lambda reply: reply.sample)


class _Word(NamedTuple):
    """What a judge says of an answer."""

    outcome: Outcome
    probability: float | None = None
    why: str = ""


def _read(judge: Choosable, question: str, replies: Sequence[Reply]) -> list[Said]:
    """Each reply with the judge's word; one that is no answer is unscored, a thought alone incoherent."""
    words = iter(_judged(judge, question, [reply.text for reply in replies if not (reply.why or reply.unanswered)]))
    each = [(reply, _unread(reply) if reply.why or reply.unanswered else next(words)) for reply in replies]
    return [Said(r.text, word.outcome, word.probability, r.stop, word.why, r.thought) for r, word in each]


def _unread(reply: Reply) -> _Word:
    return _Word("unscored", why=reply.why) if reply.why else _Word(UNANSWERED.outcome)


def _judged(judge: Choosable, question: str, texts: Sequence[str]) -> list[_Word]:
    if isinstance(judge, Embedded):  # as a suite's judge it gives its word alone
        return [_Word(found.outcome, found.probability) for found in read_refusals(texts, [question] * len(texts))]
    prompt = Prompt("question", question, "", "question")
    read = judge.read([prompt] * len(texts), texts) if texts else ()
    return [_Word(judged.outcome, why=judged.why) for judged in read]


def _side_json(side: Side) -> dict[str, Any]:
    drawn = side.sampled
    return {
        "model": side.model,
        "weights": side.weights,
        **asdict(side.said),
        "sampled": {
            "n": drawn.n,
            "refused": drawn.refused,
            "interval": drawn.interval,
            "unscored": drawn.unscored,
            "outcomes": drawn.outcomes,
            "answers": [asdict(said) for said in drawn.answers],
        }
        if drawn
        else None,
    }
