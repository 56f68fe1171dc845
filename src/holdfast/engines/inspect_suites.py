"""Suites in the words of Inspect: what a task asks, how its answers are read, what its log has to tell.

Imports nothing of Inspect's; knows neither who answers nor how a log is kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isnan
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast, get_args

from holdfast.errors import ConfigError, nearest
from holdfast.measure import (
    GOOD,
    PUBLIC,
    SUITES,
    Asking,
    HarborSuite,
    Judged,
    Prompt,
    PublicSuite,
    Reader,
    Suite,
    Wants,
    read_own,
    reader_for,
)
from holdfast.models.thoughts import Parts, with_thought
from holdfast.stats import any_of_k
from holdfast.store import plain
from holdfast.world import make_world

HARBOR: Mapping[str, HarborSuite] = {suite.name: suite for suite in SUITES}
PUBLISHED: Mapping[str, PublicSuite] = {suite.name: suite for suite in PUBLIC}
TOLD = "holdfast"
"""The key of a log's metadata under which a task tells what it is."""
STOPS = {"stop": "end", "max_tokens": "length", "model_length": "length", "content_filter": "filtered"}
"""Inspect's stop reasons in our words; every other is `unknown`."""


@dataclass(frozen=True, slots=True)
class Words:
    """By what a suite's judge is found again, when a log is scored later."""

    suite: str
    wants: str = ""
    """Of a file of the user's own; a built-in suite has its own word, whatever stands here."""
    judge: str | None = None
    world: int | None = None


def harbor_suite(name: str, world: int) -> tuple[Suite, Words]:
    """One of Harbor's suites."""
    return _harbor(name, world), Words(name, world=world)


def published_suite(name: str, path: str, judge: str | None) -> tuple[Suite, Words]:
    """A published suite, from its file.

    Raises:
        ConfigError: no file is named, or no judge can decide the suite.
        DataError: the file is not the suite's.
    """
    suite, words = PUBLISHED[name], Words(name, judge=judge)
    if not path:
        raise ConfigError(
            f"holdfast/{name} needs its file.", "No prompt is in the package.",
            f"-T path=FILE  with the file from {suite.source} ({suite.licence})",
        )  # fmt: skip
    return suite.read(Path(path).expanduser(), _reader(words)), words


def own_suite(path: str, wants: str, judge: str | None) -> tuple[Suite, Words]:
    """A file of the user's own; the part of it that wants this, where its rows want different things.

    Raises:
        ConfigError: no file is named, it does not hold one suite, or no judge can decide it.
        DataError: the file cannot be read as a suite.
    """
    if not path:
        raise ConfigError("holdfast/own needs a file.", "", "-T path=own.jsonl")
    if Path(path).stem in {*HARBOR, *PUBLISHED}:
        raise ConfigError(f"{path!r} has the name of a built-in suite.", "", "Rename the file.")
    made = read_own(Path(path).expanduser(), lambda word: reader_for(word, named=judge))
    found = [suite for suite in made if wants in ("", suite.wants)]
    if len(found) != 1:
        there = ", ".join(suite.wants for suite in made)
        what = f"Rows of {path!r} want {there}: " + (f"none wants {wants!r}." if wants else "these are several suites.")
        raise ConfigError(what, "A task of Inspect's is one suite.", f"-T wants={made[0].wants}")
    return found[0], Words(found[0].name, found[0].wants, judge)


def config(suite: Suite, k: int) -> dict[str, Any]:
    """How it is asked, in the words of Inspect's `GenerateConfig`; several answers are sampled at temperature 1.

    Raises:
        ConfigError: k is below 1.
    """
    decoding = Asking(samples=k).decoding(suite.decoding)
    return {"temperature": decoding.temperature, "top_p": decoding.top_p, "max_tokens": decoding.max_tokens}


def samples(suite: Suite) -> Iterator[dict[str, Any]]:
    """Each prompt in the words of Inspect's `Sample`, with all that pairing and clustering will need."""
    for prompt in suite.prompts:
        kept = {"group": prompt.group, "cluster": prompt.cluster, "held_out": prompt.held_out, "finer": prompt.finer}
        yield {"id": prompt.id, "input": prompt.text, "target": list(prompt.expected), "metadata": plain(kept)}


def told(suite: Suite, words: Words) -> dict[str, Any]:
    """What a log says of the suite: enough to make a result of ours from it again (`inspect_logs`)."""
    from importlib.metadata import version

    about = {"suite": suite.name, "says": suite.says, "wants": suite.wants, "origin": suite.origin}
    known = {"settings": suite.judged_by, "world": words.world, "version": version("holdfast")}
    return {TOLD: plain({**about, **known})}


class State(Protocol):
    """What is read of Inspect's `TaskState`."""

    sample_id: Any
    input_text: str
    metadata: Mapping[str, Any]
    output: Any


class Event(NamedTuple):
    """Whether the event of a suite's rate happened in one answer."""

    event: bool | None
    """None where nobody can tell."""
    why: str
    metadata: dict[str, Any]


def judged(words: Words, state: State, expected: Sequence[str]) -> Event:
    """What the suite's judge makes of one answer.

    Raises:
        ConfigError: there is no such judge, or it cannot decide the suite.
    """
    reader, wants = _reader(words), _wants(words)
    prompt = prompt_of(str(state.sample_id), state.input_text, expected, state.metadata)
    found = _read(reader, prompt, state.output)
    metadata = {**found._asdict(), "judge": reader.name, "judge_version": reader.version, "wants": wants}
    if found.outcome == "unscored":
        return Event(None, found.why, metadata)
    return Event((found.outcome in GOOD[wants]) == (wants == "correct"), "", metadata)


def prompt_of(id: str, text: str, expected: Sequence[str], metadata: Mapping[str, Any]) -> Prompt:
    """The prompt that a sample was made from."""
    group, cluster, held_out = (str(metadata.get(name, "")) for name in ("group", "cluster", "held_out"))
    finer, right = tuple(metadata.get("finer", ())), tuple(answer for answer in expected if answer)
    return Prompt(id, text, group, cluster or id, held_out, finer, right)


def parts_of(output: Any) -> Parts:
    """The thought and the answer: apart as Inspect has them, or between marks that its provider left in the text."""
    content = [] if output.empty or isinstance(output.message.content, str) else output.message.content
    thoughts = [
        (part.summary or "") if part.redacted else part.reasoning for part in content if part.type == "reasoning"
    ]
    return with_thought("\n\n".join(thoughts), output.completion)


def stop_of(output: Any) -> str:
    """Why an answer ended, in our words."""
    return "unknown" if output.empty else STOPS.get(output.stop_reason, "unknown")


def in_any(scores: Sequence[tuple[float, Mapping[str, Any]]], k: int) -> float | None:
    """The event's any-of-k over a prompt's scores and their metadata; None where there are fewer than k.

    An unscored answer counts as the event, or as no correct answer: a bound on what a user may meet.
    """
    if len(scores) < k:
        return None
    worst = [metadata.get("wants") != "correct" for _, metadata in scores]
    hits = sum(bad if isnan(value) else value == 1 for (value, _), bad in zip(scores, worst, strict=True))
    return any_of_k([hits], [len(scores)], k)


def _read(reader: Reader, prompt: Prompt, output: Any) -> Judged:
    if output.empty:
        return Judged("unscored", why="no answer: the sample failed")
    if stop_of(output) == "filtered":
        return Judged("unscored", why="a content filter of the provider's")
    return reader.read([prompt], [parts_of(output).answer])[0]


@cache
def _harbor(name: str, world: int) -> Suite:
    return HARBOR[name].make(make_world(world))


@cache
def _reader(words: Words) -> Reader:
    if words.suite in HARBOR:
        return _harbor(words.suite, words.world or 0).reader
    suite = PUBLISHED.get(words.suite)
    return reader_for(_wants(words), suite.needs if suite else "", words.judge)


def _wants(words: Words) -> Wants:
    """What the suite wants: of a built-in one nothing can turn it around."""
    if suite := HARBOR.get(words.suite) or PUBLISHED.get(words.suite):
        return suite.wants
    if words.wants not in get_args(Wants):
        raise ConfigError(
            f"{words.suite!r} is a suite of your own, and what it wants is {words.wants!r}.",
            nearest(words.wants, get_args(Wants)), "-S wants=refusal",
        )  # fmt: skip
    return cast(Wants, words.wants)
