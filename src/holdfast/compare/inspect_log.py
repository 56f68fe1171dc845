"""A side from a log of Inspect's, of any task. inspect-ai is not needed."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from holdfast.compare.chosen import Chosen, choose
from holdfast.compare.foreign import Asked, Draft, Key, group_of, side_of, text_digest
from holdfast.compare.inspect_file import LONE_SCORE, InspectLog, read_log
from holdfast.compare.inspect_ours import is_ours, measurement, parts_of
from holdfast.compare.inspect_shapes import Sample
from holdfast.compare.measured import side
from holdfast.compare.results import Side
from holdfast.errors import DataError

CUT = {"max_tokens", "model_length"}
"""Inspect's stop reasons of an answer that is not finished."""
CARRYING = {
    *("max_retries", "timeout", "attempt_timeout", "stream_idle_timeout", "max_connections", "adaptive_connections"),
    *("seed", "cache", "batch"),
}
"""Of Inspect's settings for generating those that carry an answer and do not change it."""
LIMITS = ("message_limit", "token_limit", "turn_limit", "time_limit", "working_limit", "cost_limit")
GRADED = "model_graded"
"""How the names of those of Inspect's scorers begin that ask a model."""
GRADER = "grader"
"""The role that they ask, where no model is named."""


def read_inspect(path: Path, chosen: Chosen) -> Side:
    """One metric a scorer, and one a key where a score has several; `chosen` says which end of each is bad.

    A log of a task of ours gives the same rows as our own measurement, and says itself what is bad. Samples that
    failed, that were invalidated or that a scorer left out are unscored. An epoch is a sample of its prompt. Prompts
    are clustered by their wording. Digests of the weights and the chat template are not in a log.

    Raises:
        DataError: it is no whole log, holds no scores or none that are shares, or the tested model graded itself.
        ConfigError: a metric that is not there, or one of which nobody says which end is bad.
    """
    log = read_log(path)
    if is_ours(log):
        return choose(side(measurement(log)), chosen, fixed=True)
    values = _values(log)
    if not values:
        raise DataError(
            f"{str(path)!r} holds no scores.", f"{len(log.samples)} samples were asked, and none was scored.",
            f"inspect score {path} --scorer NAME",
        )  # fmt: skip
    asked, shared = _asked(log), dict(_settings(log))
    task = log.header.eval.task
    drafts = [
        Draft(name, f"Mean of {name} in the task {task} of Inspect", asked, found, {**shared, **_scorer(log, name)})
        for name, found in values.items()
    ]
    return side_of(str(path), log.header.eval.model, "", drafts, chosen)


def _asked(log: InspectLog) -> Asked:
    return Asked(
        texts={str(sample.id): _text(sample) for sample in log.samples},
        answers={_key(sample): text_digest("".join(parts_of(sample.output))) for sample in log.samples},
        cut=frozenset(_key(sample) for sample in log.samples if _is_cut(sample)),
        groups={str(sample.id): group_of(sample.metadata) for sample in log.samples},
    )


def _key(sample: Sample) -> Key:
    return str(sample.id), sample.epoch - 1


def _is_cut(sample: Sample) -> bool:
    return sample.limit is not None or any(choice.stop_reason in CUT for choice in sample.output.choices)


def _turns(sample: Sample) -> list[tuple[str, Any]]:
    """What a sample asks: a log gives every message an id by chance, which is left out."""
    if isinstance(sample.input, str):
        return [("user", sample.input)]
    return [(str(turn.get("role")), turn.get("content")) for turn in sample.input]


def _text(sample: Sample) -> str:
    said = [text for _, content in _turns(sample) for text in _texts(content)]
    return "\n".join([*said, *(sample.choices or ())])


def _texts(content: Any) -> Iterator[str]:
    parts = content if isinstance(content, list) else [{"text": content}]
    yield from (str(part["text"]) for part in parts if isinstance(part, dict) and part.get("text"))


def _values(log: InspectLog) -> dict[str, dict[Key, Any]]:
    """Metric -> what was given to each sample, in the order of the dataset."""
    found: dict[str, dict[Key, Any]] = {}
    for sample in log.samples:
        lost = sample.error is not None or sample.invalidation is not None
        for scorer, score in (sample.scores or {}).items():
            name = _first_score(log) if scorer == LONE_SCORE else scorer
            parts = {f"{name}/{key}": value for key, value in score.value.items()} if _is_map(score.value) else None
            for metric, value in (parts or {name: score.value}).items():
                found.setdefault(metric, {})[_key(sample)] = None if lost else value
    return dict(sorted(found.items()))


def _is_map(value: Any) -> bool:
    return isinstance(value, dict) and bool(value)


def _first_score(log: InspectLog) -> str:
    told = log.header.results.scores if log.header.results else []
    return told[0].name if told and told[0].name else "score"


def _settings(log: InspectLog) -> Iterator[tuple[str, str]]:
    """What must be equal for every metric of a log: not what carries an answer, nor what names the tested model."""
    spec, plan = log.header.eval, log.header.plan
    yield "task", spec.task_registry_name or spec.task
    yield "task_version", str(spec.task_version)
    yield from ((f"task argument {name}", _plain(value)) for name, value in spec.task_args.items())
    yield "dataset", spec.dataset.name or ""
    prompts = {str(sample.id): [_turns(sample), sample.choices, sample.target] for sample in log.samples}
    yield "prompts", text_digest(json.dumps(sorted(prompts.items()), sort_keys=True))
    yield "samples", str(spec.epochs)
    config = {**spec.model_generate_config, **plan.config}
    for name in ("temperature", "top_p", "max_tokens"):
        value = config.pop(name, None)
        yield name, f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)
    given = {name: value for name, value in config.items() if value is not None and name not in CARRYING}
    yield from (("system" if name == "system_message" else name, _plain(value)) for name, value in given.items())
    yield from ((name, str(spec.config[name])) for name in LIMITS if spec.config.get(name) is not None)
    steps = [*plan.steps, *([plan.finish] if plan.finish else [])]
    yield "solver", "; ".join(f"{step.solver} {_plain(step.params or step.params_passed)}" for step in steps)
    yield from ((f"role {role}", _plain(_named(model))) for role, model in (spec.model_roles or {}).items())
    yield "engine", f"inspect-ai {spec.packages.get('inspect_ai', '')}"
    yield from ((f"package {name}", version) for name, version in spec.packages.items() if name != "inspect_ai")


def _named(model: Any) -> Any:
    """A role's model and how it is asked; its other arguments say where it is."""
    if isinstance(model, list):
        return [_named(each) for each in model]
    return {name: model[name] for name in ("model", "config") if name in model} if _is_map(model) else model


def _scorer(log: InspectLog, metric: str) -> dict[str, str]:
    """The scorer behind a metric, its options and, where it asks one, the model that it asks.

    Raises:
        DataError: it asked the model that is tested.
    """
    name = metric.partition("/")[0]
    options = _options(log, name)
    judge = f"inspect:{_bare(name)}"
    if _bare(name).startswith(GRADED):
        judge += f" by {_grader(log, name, options)}"
    return {"judge": judge, "scorer": f"{name} {'' if options is None else _plain(options)}"}


def _options(log: InspectLog, scorer: str) -> Mapping[str, Any] | None:
    """None where the log does not say them."""
    task, results = log.header.eval.scorers or [], log.header.results.scores if log.header.results else []
    told = {_bare(each.scorer or each.name): each.params for each in results}
    told |= {_bare(each.name): each.options or {} for each in task}
    return told.get(_bare(scorer))


def _bare(name: str) -> str:
    """Without the package that a scorer comes from."""
    return name.rpartition("/")[2]


def _grader(log: InspectLog, name: str, options: Mapping[str, Any] | None) -> str:
    roles = log.header.eval.model_roles or {}
    known = options or {}
    grader = known.get("model") or roles.get(str(known.get("model_role") or GRADER))
    if grader is not None:
        return _plain(_named(grader))
    if options is None:
        return "a model that is not stated"
    raise DataError(
        f"{str(log.path)!r} was graded by the model that it tests: {name!r} had no other.",
        f"Two models that each grade themselves are not read by one judge ({log.header.eval.model!r} here).",
        f"inspect score {log.path} --scorer {name} --model-role {GRADER}=MODEL",
    )


def _plain(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
