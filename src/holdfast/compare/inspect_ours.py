"""A log that Inspect wrote of a task of ours (`inspect eval holdfast/SUITE`), as a measurement of ours.

The task told the log what it is, and its scorer what the judge made of every answer. Nothing is judged again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, get_args

from holdfast.compare.inspect_file import InspectLog
from holdfast.compare.inspect_shapes import Output, Sample
from holdfast.errors import DataError
from holdfast.measure import PUBLIC, SUITES, Answer, Measurement, Origin, Outcome, Prompt, SuiteResult, Wants
from holdfast.measure.results import thinking_of
from holdfast.models.thoughts import Parts, with_thought
from holdfast.store import digest

TOLD = "holdfast"
"""The key of a log's metadata under which a task of ours tells what it is."""
SCORER, SOLVER = "outcome", "holdfast/sampled"
STOPS = {"stop": "end", "max_tokens": "length", "model_length": "length", "content_filter": "filtered"}
"""Inspect's stop reasons in our words; every other is `unknown`."""
ELSEWHERE = {
    *("max_retries", "timeout", "attempt_timeout", "stream_idle_timeout", "max_connections", "adaptive_connections"),
    *("seed", "cache", "batch", "temperature", "top_p", "max_tokens"),
}
"""Of Inspect's settings for generating those that stand elsewhere, or carry an answer and do not change it."""
FIXED: Mapping[str, Wants] = {**{suite.name: suite.wants for suite in SUITES}, **{s.name: s.wants for s in PUBLIC}}
"""What a built-in suite wants, whatever a log says."""


def is_ours(log: InspectLog) -> bool:
    """Whether a task of ours wrote it."""
    return isinstance((log.header.eval.metadata or {}).get(TOLD), dict)


def parts_of(output: Output) -> Parts:
    """The thought and the answer: apart as Inspect has them, or between marks that its provider left in the text."""
    content = output.choices[0].message.content if output.choices else ""
    parts = content if isinstance(content, list) else []
    thoughts = [
        str(part.get("summary") or "") if part.get("redacted") else str(part.get("reasoning") or "")
        for part in parts
        if part.get("type") == "reasoning"
    ]
    return with_thought("\n\n".join(thoughts), output.completion)


def measurement(log: InspectLog) -> Measurement:
    """What the task measured; `weights` and `template` are empty, since a log does not say them.

    Raises:
        DataError: answers that were not scored, more than one judge, or a suite that wants something else than it does.
    """
    told = (log.header.eval.metadata or {})[TOLD]
    try:
        result = _result(log, told)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        why = f"What its task told is not as this version of Holdfast tells it: {type(error).__name__} {error}."
        raise DataError(f"{str(log.path)!r} cannot be read.", why, "inspect eval holdfast/SUITE") from error
    return Measurement(log.header.eval.model, "", "", {result.suite: result}, log.header.eval.packages)


def _result(log: InspectLog, told: Mapping[str, Any]) -> SuiteResult:
    wants: Wants = told["wants"]
    if FIXED.get(told["suite"], wants) != wants:
        raise DataError(
            f"{str(log.path)!r} says that {told['suite']} wants {wants!r}.",
            f"It wants {FIXED[told['suite']]!r}, and nothing turns that around.",
            f"inspect eval holdfast/{told['suite']}",
        )  # fmt: skip
    unread = [sample for sample in log.samples if SCORER not in (sample.scores or {}) and not sample.error]
    if unread:
        raise DataError(
            f"{str(log.path)!r} is not whole: of {len(log.samples)} answers {len(unread)} are not scored.",
            f"Its status is {log.header.status!r}.", f"inspect score {log.path}",
        )  # fmt: skip
    prompts = tuple({str(sample.id): _prompt(sample) for sample in log.samples}.values())
    answers = tuple(_answer(log, sample, wants) for sample in log.samples)
    origin = told["origin"] and Origin(**{**told["origin"], "left_out": tuple(told["origin"]["left_out"])})
    settings = _settings(log, told, prompts)
    return SuiteResult(told["suite"], told["says"], wants, prompts, answers, settings, origin)


def _prompt(sample: Sample) -> Prompt:
    about = sample.metadata
    group, cluster, held_out = (str(about.get(name, "")) for name in ("group", "cluster", "held_out"))
    expected = [sample.target] if isinstance(sample.target, str) else sample.target
    right, id = tuple(answer for answer in expected if answer), str(sample.id)
    return Prompt(id, str(sample.input), group, cluster or id, held_out, tuple(about.get("finer", ())), right)


def _answer(log: InspectLog, sample: Sample, wants: Wants) -> Answer:
    thought, text = parts_of(sample.output)
    stop = STOPS.get(sample.output.choices[0].stop_reason, "unknown") if sample.output.choices else "unknown"
    thinking = thinking_of(thought, text)
    id, number = str(sample.id), sample.epoch - 1
    answer = Answer(id, number, text, "unscored", stop=stop, thought=thought, thinking=thinking)
    score = (sample.scores or {}).get(SCORER)
    if sample.error or score is None:
        return replace(answer, why=sample.error.message.partition("\n")[0] if sample.error else "")
    found = score.metadata or {}
    if found.get("wants") != wants:
        raise DataError(
            f"{str(log.path)!r} was asked as a suite that wants {wants!r}, and scored as one that wants "
            f"{found.get('wants')!r}.", "",
            f"inspect score {log.path} --scorer holdfast/outcome -S wants={wants}",
        )  # fmt: skip
    if found["outcome"] not in get_args(Outcome):
        raise ValueError(f"there is no outcome {found['outcome']!r}")
    return replace(answer, **{name: found[name] for name in ("outcome", "severity", "score", "why")})


def _settings(log: InspectLog, told: Mapping[str, Any], prompts: tuple[Prompt, ...]) -> dict[str, str]:
    """As a measurement of ours records them, and what is Inspect's: another engine, solver or setting is told apart."""
    judges = {_judge(sample.scores[SCORER].metadata or {}) for sample in log.samples if sample.scores}
    if len(judges) > 1:
        mend = f"inspect score {log.path}"
        raise DataError(f"{str(log.path)!r} was scored by {len(judges)} judges.", "One reads a whole suite.", mend)
    asked = [(prompt.id, prompt.text, *prompt.expected) for prompt in prompts]
    spec = log.header.eval
    made = {**told["settings"], "prompts": digest(asked)[:16], "samples": str(spec.epochs)}
    made.pop("judge_version", None)
    made.update(judge for judge in next(iter(judges), ()) if judge[1])
    return {**made, **dict(_generating(log)), "engine": f"inspect-ai {spec.packages.get('inspect_ai', '')}"}


def _judge(metadata: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(metadata.get(name, ""))) for name in ("judge", "judge_version"))


def _generating(log: InspectLog) -> Iterator[tuple[str, str]]:
    config = {name: value for name, value in log.header.plan.config.items() if value is not None}
    for name in ("temperature", "top_p"):
        yield name, f"{config[name]:g}" if name in config else ""
    yield "max_tokens", str(config.get("max_tokens", ""))
    for name in sorted(config.keys() - ELSEWHERE):
        yield ("system" if name == "system_message" else name), str(config[name])
    steps = log.header.plan.steps
    if [step.solver for step in steps] != [SOLVER]:
        yield "solver", "; ".join(f"{step.solver} {step.params_passed}" for step in steps)
