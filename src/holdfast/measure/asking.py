"""Ask every prompt of some suites, judge each answer, keep each as it arrives.

Does not know how the model was made, nor what will be made of the counts.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal, Protocol, cast

from holdfast.errors import ConfigError, HoldfastError
from holdfast.measure.beside import read_beside
from holdfast.measure.kept import Mark, Pair, find, mark_of, versions_of
from holdfast.measure.results import Answer, Measurement, Prompt, SuiteResult, thinking_of
from holdfast.measure.suite import UNANSWERED, Judged, Suite, takes_time
from holdfast.models import Chat, Decoding, Model, OneByOne, Reply, Stop

Progress = Callable[[str, int, int], None]
"""Called with the suite, the answers so far and the answers in all."""


Keep = Literal["text", "hash", "none"]

Batch = list[tuple[Prompt, Reply]]

TOGETHER = 256
"""Answers that a judge is given at a time where they are there already."""


class Journal(Protocol):
    """Where answers are kept as they arrive, and found again after a kill."""

    def rows(self) -> Iterable[dict[str, Any]]:
        """The rows kept so far."""

    def append(self, rows: list[Any]) -> None:
        """Keep some more."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How a measurement asks, where it departs from what the suites state."""

    samples: int = 1
    """Answers per prompt. More than one are sampled from the model itself: temperature 1 unless stated."""
    temperature: float | None = None
    seed: int = 0
    keep: Keep = "text"
    """What is kept of an answer, in the journal too: its text, a sha256 of it, or its outcome alone."""
    system: str = ""
    """A system prompt that every question is asked under; none where it is empty."""

    def decoding(self, stated: Decoding) -> Decoding:
        """The suite's decoding with these departures.

        Raises:
            ConfigError: several samples at temperature 0, or no sample at all.
        """
        if self.temperature is not None:
            temperature = self.temperature
        else:
            temperature = 1.0 if self.samples > 1 else stated.temperature
        return replace(stated, samples=self.samples, temperature=temperature)


def measure(model: Model, suites: Sequence[Suite], asking: Asking, journal: Journal, progress: Progress) -> Measurement:
    """All answers of one model to some suites; answers that the journal already holds are not asked again.

    Raises:
        ConfigError: the same suite is named twice, or the decoding cannot be.
    """
    names = [suite.name for suite in suites]
    if len(set(names)) < len(names):
        raise ConfigError(f"A suite is named twice: {', '.join(names)}.", "", "Name each suite once.")
    rows = list(journal.rows())
    results = {suite.name: _run(model, suite, asking, rows, journal, progress) for suite in suites}
    return Measurement(model.name, model.weights, model.template, results, versions_of(model))


def _run(
    model: Model,
    suite: Suite,
    asking: Asking,
    rows: Sequence[Mapping[str, Any]],
    journal: Journal,
    progress: Progress,
) -> SuiteResult:
    decoding = asking.decoding(suite.decoding)
    settings = {
        **decoding.settings,
        **suite.judged_by,
        **_unusual(model, asking),
    }
    mark = mark_of(model, suite, settings, asking.seed, asking.keep)
    answers, unread = find(mark, rows)
    total = len(suite.prompts) * decoding.samples
    progress(suite.name, len(answers), total)
    known = {*answers, *unread}
    asked = _kept_first(_asked(model, suite, asking, decoding, known), suite, mark, journal)
    for batch in chain(_unread(suite, unread), asked):
        judged = _judged(suite, batch, asking.keep, mark, journal)
        # What was turned down cost nothing and may be mended: another run asks it again.
        if paid := [mark.row(answer, _is_read(answer, mark)) for answer in judged if answer.stop != "rejected"]:
            journal.append(paid)
        answers |= {(answer.prompt_id, answer.sample): answer for answer in judged}
        progress(suite.name, len(answers), total)
    place = {prompt.id: number for number, prompt in enumerate(suite.prompts)}
    ordered = sorted(answers.values(), key=lambda answer: (place[answer.prompt_id], answer.sample))
    result = SuiteResult(suite.name, suite.says, suite.wants, suite.prompts, tuple(ordered), settings, suite.origin)
    return read_beside(result, suite.beside)


def _kept_first(batches: Iterator[Batch], suite: Suite, mark: Mark, journal: Journal) -> Iterator[Batch]:
    """The batches; before a judge that takes its time reads one, it is kept, so that a kill meanwhile loses nothing."""
    for batch in batches:
        paid = [each for each in batch if each[1].stop != "rejected"]
        if paid and mark.given and takes_time(suite.reader):
            journal.append([mark.row(_unjudged(*each), read=False) for each in paid])
        yield batch


def _is_read(answer: Answer, mark: Mark) -> bool:
    """Whether the judge is done with an answer. One that it could not score is put to it again by another run, where
    the text is there for that.
    """
    return answer.outcome != "unscored" or answer.stop == "filtered" or not mark.given


def _unread(suite: Suite, unread: Mapping[Pair, Answer]) -> Iterator[Batch]:
    """The answers that are there and have yet to be read, some at a time."""
    prompts = {prompt.id: prompt for prompt in suite.prompts}
    replies = [(prompts[each.prompt_id], _reply(each)) for each in unread.values()]
    for start in range(0, len(replies), TOGETHER):
        yield replies[start : start + TOGETHER]


def _reply(answer: Answer) -> Reply:
    """An answer as it was given; why another judge could not score it is not its own."""
    stop = cast(Stop, answer.stop)
    return Reply(0, answer.sample, answer.text, stop, answer.why if stop == "filtered" else "", answer.thought)


def _asked(model: Model, suite: Suite, asking: Asking, decoding: Decoding, known: set[Pair]) -> Iterator[Batch]:
    """What is not known, some at a time. A kill or a second process can have left a prompt with some of its samples;
    what a model then gives again is dropped.
    """
    missing = [prompt for prompt in suite.prompts if not known >= {(prompt.id, n) for n in range(decoding.samples)}]
    if not missing:
        return
    if isinstance(model, OneByOne):
        missing = list(suite.prompts)
        places = {prompt.id: place for place, prompt in enumerate(missing)}
        there = {(places[id], sample) for id, sample in known}
        arriving = model.answer_rest(_chats(missing, asking), decoding, asking.seed, there)
    else:
        arriving = model.answer(_chats(missing, asking), decoding, asking.seed)
    for replies in arriving:
        batch = [(missing[reply.prompt], reply) for reply in replies]
        yield [(prompt, reply) for prompt, reply in batch if (prompt.id, reply.sample) not in known]


def _chats(prompts: Iterable[Prompt], asking: Asking) -> list[Chat]:
    opening = [{"role": "system", "content": asking.system}] if asking.system else []
    return [[*opening, {"role": "user", "content": prompt.text}] for prompt in prompts]


def _unusual(model: Model, asking: Asking) -> dict[str, str]:
    """What the answers depend on beside the suite's own settings, where it is not as usual."""
    told = {"system": asking.system, "precision": getattr(model, "precision", "")}
    return {name: value for name, value in told.items() if value}


def _judged(suite: Suite, batch: Batch, keep: Keep, mark: Mark, journal: Journal) -> list[Answer]:
    """What the suite's judge makes of some replies; where it fails, they are kept for a judge that does not."""
    there = [(prompt, reply) for prompt, reply in batch if _is_readable(suite, reply)]
    try:
        read = suite.reader.read([prompt for prompt, _ in there], [reply.text for _, reply in there]) if there else ()
    except HoldfastError:
        paid = [(prompt, reply) for prompt, reply in batch if reply.stop != "rejected"]
        if mark.given:
            journal.append([mark.row(_unjudged(*each), read=False) for each in paid])
        raise
    words = {(prompt.id, reply.sample): judged for (prompt, reply), judged in zip(there, read, strict=True)}
    return [
        _answer(prompt, reply, words.get((prompt.id, reply.sample)) or _unread_word(reply), keep)
        for prompt, reply in batch
    ]


def _is_readable(suite: Suite, reply: Reply) -> bool:
    return not reply.why and not (reply.unanswered and takes_time(suite.reader))


def _unread_word(reply: Reply) -> Judged:
    return Judged("unscored", why=reply.why) if reply.why else UNANSWERED


def _unjudged(prompt: Prompt, reply: Reply) -> Answer:
    return _answer(prompt, reply, Judged("unscored", why=reply.why), "text")


def _answer(prompt: Prompt, reply: Reply, judged: Judged, keep: Keep) -> Answer:
    return Answer(
        prompt_id=prompt.id,
        sample=reply.sample,
        text=_kept(reply.text, keep),
        outcome=judged.outcome,
        severity=judged.severity,
        stop=reply.stop,
        score=judged.score,
        why=judged.why,
        thought=_kept(reply.thought, keep) if reply.thought else "",
        thinking=thinking_of(reply.thought, reply.text),
    )


def _kept(text: str, keep: Keep) -> str:
    if keep == "text":
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" if keep == "hash" else ""
