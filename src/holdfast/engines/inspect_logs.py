"""A log that Inspect wrote of one of our tasks, as a measurement of ours. Does not compare; does not judge again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from holdfast.engines.inspect_suites import TOLD, parts_of, prompt_of, stop_of
from holdfast.errors import DataError
from holdfast.measure import Answer, Measurement, Origin, Prompt, SuiteResult
from holdfast.measure.results import thinking_of
from holdfast.store import digest

SCORER, SOLVER = "outcome", "holdfast/sampled"
CARRYING = {
    *("max_retries", "timeout", "attempt_timeout", "stream_idle_timeout", "max_connections", "adaptive_connections"),
    *("seed", "cache", "batch", "temperature", "top_p", "max_tokens"),
}
"""Of Inspect's settings for generating those that stand elsewhere, or carry an answer and do not change it."""


def read_inspect_log(path: Path) -> Measurement:
    """What `inspect eval holdfast/SUITE` measured, from its log, `.eval` or JSON.

    Every prompt has all its samples: one that failed is `unscored` with the reason. The judge is the one that scored
    the log last. `weights` and `template` are empty, since a log does not say them.

    Raises:
        DataError: it is no log, none of ours, or not whole.
    """
    from inspect_ai.log import read_eval_log

    try:
        log = read_eval_log(str(path))
    except Exception as error:  # a zip, JSON or pydantic's complaint, by what the file is
        raise DataError(f"{str(path)!r} is no log of Inspect's.", f"{type(error).__name__}: {error}", "") from error
    told = (log.eval.metadata or {}).get(TOLD)
    if told is None:
        raise DataError(
            f"{str(path)!r} is a log of {log.eval.task!r}, which is no task of ours.",
            "It does not say what its suite wants, nor by which judge it was read.",
            "inspect eval holdfast/SUITE",
        )
    _check_whole(path, log)
    place = {id: number for number, id in enumerate(log.eval.dataset.sample_ids)}  # a log keeps another order
    samples = sorted(log.samples, key=lambda sample: (place[sample.id], sample.epoch))
    prompts = tuple({sample.id: _prompt(sample) for sample in samples}.values())
    answers = tuple(_answer(path, sample, told["wants"]) for sample in samples)
    settings = _settings(path, log, told, prompts)
    origin = told["origin"] and Origin(**{**told["origin"], "left_out": tuple(told["origin"]["left_out"])})
    result = SuiteResult(told["suite"], told["says"], told["wants"], prompts, answers, settings, origin)
    return Measurement(log.eval.model, "", "", {result.suite: result}, dict(log.eval.packages))


def _check_whole(path: Path, log: Any) -> None:
    epochs = log.eval.config.epochs or 1
    asked = {(id, epoch) for id in log.eval.dataset.sample_ids or () for epoch in range(1, epochs + 1)}
    there = {(sample.id, sample.epoch) for sample in log.samples or ()}
    unread = [sample for sample in log.samples or () if SCORER not in (sample.scores or {}) and not sample.error]
    if missing := len(asked - there) + len(unread) or (not asked):
        raise DataError(
            f"{str(path)!r} is not whole: of {len(asked)} answers {int(missing)} are not there or not scored.",
            f"Its status is {log.status!r}.", f"inspect eval-retry {path}  or  inspect score {path}",
        )  # fmt: skip


def _prompt(sample: Any) -> Prompt:
    expected = [sample.target] if isinstance(sample.target, str) else sample.target
    return prompt_of(str(sample.id), str(sample.input), expected, sample.metadata)


def _answer(path: Path, sample: Any, wants: str) -> Answer:
    said, stop = parts_of(sample.output), stop_of(sample.output)
    thinking = thinking_of(said.thought, said.answer)
    answer = Answer(
        str(sample.id), sample.epoch - 1, said.answer, "unscored", stop=stop, thought=said.thought, thinking=thinking
    )
    score = (sample.scores or {}).get(SCORER)
    if sample.error or score is None:
        return replace(answer, why=sample.error.message.partition("\n")[0])
    found = score.metadata or {}
    if found.get("wants") != wants:
        raise DataError(
            f"{str(path)!r} was asked as a suite that wants {wants!r}, and scored as one that wants "
            f"{found.get('wants')!r}.", "", f"inspect score {path} --scorer holdfast/outcome -S wants={wants}",
        )  # fmt: skip
    return replace(answer, **{name: found[name] for name in ("outcome", "severity", "score", "why")})


def _settings(path: Path, log: Any, told: Mapping[str, Any], prompts: Sequence[Prompt]) -> dict[str, str]:
    """As a measurement of ours records them, and what is Inspect's: another engine, solver or setting is told apart."""
    judges = {_judge(sample.scores[SCORER].metadata or {}) for sample in log.samples if sample.scores}
    if len(judges) > 1:
        raise DataError(f"{str(path)!r} was scored by {len(judges)} judges.", "", f"inspect score {path}")
    asked = [(prompt.id, prompt.text, *prompt.expected) for prompt in prompts]
    made = {**told["settings"], "prompts": digest(asked)[:16], "samples": str(log.eval.config.epochs or 1)}
    made.pop("judge_version", None)
    made.update(judge for judge in next(iter(judges), ()) if judge[1])
    return {**made, **dict(_generating(log)), "engine": f"inspect-ai {log.eval.packages.get('inspect_ai', '')}"}


def _judge(metadata: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(metadata.get(name, ""))) for name in ("judge", "judge_version"))


def _generating(log: Any) -> Iterator[tuple[str, str]]:
    config = log.plan.config.model_dump(exclude_none=True)
    for name in ("temperature", "top_p"):
        yield name, f"{config[name]:g}" if name in config else ""
    yield "max_tokens", str(config.get("max_tokens", ""))
    for name in sorted(config.keys() - CARRYING):
        yield ("system" if name == "system_message" else name), str(config[name])
    steps = [f"{step.solver} {step.params_passed}" for step in log.plan.steps]
    if [step.solver for step in log.plan.steps] != [SOLVER]:
        yield "solver", "; ".join(steps)
