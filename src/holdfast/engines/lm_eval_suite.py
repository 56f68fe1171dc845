"""lm-evaluation-harness on a model that is already loaded; what it says of each question becomes a result of ours.

Knows nothing of the folder that the tasks came from.
"""

import hashlib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from math import isnan
from typing import Any

from holdfast.engines.lm_eval_tasks import TaskSuite, filter_of, hushed, metric_of, told
from holdfast.errors import ConfigError, DataError
from holdfast.measure import Answer, Asking, Outcome, SuiteResult
from holdfast.measure.asking import Journal, Progress
from holdfast.measure.kept import Mark, find, versions_of
from holdfast.models import LocalModel
from holdfast.models.thoughts import is_close
from holdfast.store import digest

BATCH = 16
"""Questions that are read together: their logits take (questions, tokens, vocabulary) of memory."""


def check_asking(asking: Asking, max_tokens: int | None = None) -> None:
    """Refuse what does not reach a task: it states itself how it is asked.

    Raises:
        ConfigError: with all that does not.
    """
    samples = asking.samples if asking.samples > 1 else None
    told = {"--samples": samples, "--temperature": asking.temperature, "--max-tokens": max_tokens}
    if wrong := [f"{name} {value:g}" for name, value in told.items() if value is not None]:
        raise ConfigError(
            f"{', '.join(wrong)}: that does not reach a task of lm-eval.",
            "A task states itself how it is asked, and is asked once a question.",
            "Leave it out, or measure the tasks in a run of their own.",
        )


def run_tasks(
    model: LocalModel, suites: Sequence[TaskSuite], asking: Asking, journal: Journal, progress: Progress
) -> dict[str, SuiteResult]:
    """Each suite's answers by this model, one a question. A suite that the journal holds whole is not asked again.

    The network is the one that is loaded; the chat template is applied; lm-eval's own cache, which does not tell
    models apart, is never used. A prompt that does not fit the model's context is `unscored`: lm-eval cuts its
    beginning off.

    Raises:
        ConfigError: the asking does not reach a task, or two suites have one name.
        DataError: a task fails, or its metric does not say right or wrong.
    """
    check_asking(asking)
    if len({suite.name for suite in suites}) < len(suites):
        raise ConfigError(f"A task is named twice: {', '.join(suite.name for suite in suites)}.", "", "Name it once.")
    rows = list(journal.rows())
    return {suite.name: _result(model, suite, asking, rows, journal, progress) for suite in suites}


def _result(
    model: LocalModel,
    suite: TaskSuite,
    asking: Asking,
    rows: Sequence[Mapping[str, Any]],
    journal: Journal,
    progress: Progress,
) -> SuiteResult:
    # It draws the questions that are shown first, and what is written where a task samples.
    seed = "" if suite.settings["shots"] == "0" and "chance" in suite.settings else str(asking.seed)
    told = {"system": asking.system, "precision": model.precision, "seed": seed}
    settings = {**suite.settings, **{name: value for name, value in told.items() if value}}
    known_by = [model.weights, model.template, suite.name, settings, asking.keep, versions_of(model)]
    mark = Mark(suite.name, digest(known_by), "")
    found = {prompt_id: answer for (prompt_id, _), answer in find(mark, rows)[0].items()}
    if found.keys() < {prompt.id for prompt in suite.prompts}:
        found = {answer.prompt_id: answer for answer in _asked(model, suite, asking, progress)}
        journal.append([mark.row(answer) for answer in found.values()])
    progress(suite.name, len(suite.prompts), len(suite.prompts))
    answers = tuple(found[prompt.id] for prompt in suite.prompts)
    return SuiteResult(suite.name, suite.says, "correct", suite.prompts, answers, settings, suite.origin)


def _asked(model: LocalModel, suite: TaskSuite, asking: Asking, progress: Progress) -> list[Answer]:
    from lm_eval import evaluate
    from torch import manual_seed

    progress(suite.name, 0, len(suite.prompts))
    with hushed(), told(suite.name):
        engine = _engine(model)
        for task in suite.tasks.values():
            task.set_config("num_fewshot", task.config.num_fewshot or 0)
            task.set_fewshot_seed(asking.seed)
        manual_seed(asking.seed)  # a task may say that its answers are sampled
        # `simple_evaluate` does this too, and asks pip, git and the system for their versions.
        said = evaluate(
            engine,
            {"tasks": suite.tasks, "groups": {}, "group_map": {}},
            apply_chat_template=True,
            fewshot_as_multiturn=True,
            system_instruction=asking.system or None,
            log_samples=True,
            bootstrap_iters=0,
        )["samples"]
    return [
        _answer(prompt.id, row, metric_of(task), _fits(engine, row), asking)
        for leaf, task in suite.tasks.items()
        for row in said[leaf]
        if row["filter"] == filter_of(task) and (prompt := suite.places.get((leaf, row["doc_id"])))
    ]


def _engine(model: LocalModel) -> Any:
    from lm_eval.models.huggingface import HFLM

    # It gives the tokenizer another padding token, and another side to pad on.
    tokenizer = deepcopy(model.tokenizer)
    # A task's rule reads what follows a thought, and lm-eval drops what comes before it.
    closes = [number for token, number in tokenizer.get_added_vocab().items() if is_close(token)]
    return HFLM(
        pretrained=model.network,
        tokenizer=tokenizer,
        batch_size=BATCH,
        think_end_token=closes[0] if closes else None,
    )


def _fits(engine: Any, row: Mapping[str, Any]) -> bool:
    """Whether what was asked fits the model's context, with the answer that is read or written."""
    needed = 0
    for arguments in row["arguments"]:
        context, rest = len(engine.tok_encode(arguments[0])), arguments[1] if len(arguments) > 1 else ""
        more = len(engine.tok_encode(rest)) - 1 if isinstance(rest, str) else _longest(engine, rest)
        needed = max(needed, context + more)
    return needed <= int(engine.max_length)


def _longest(engine: Any, generation: Mapping[str, Any]) -> int:
    return int(generation.get("max_gen_toks", generation.get("max_new_tokens", engine.max_gen_toks)))


def _answer(id: str, row: Mapping[str, Any], metric: str, fits: bool, asking: Asking) -> Answer:
    value = float(row[metric]) if isinstance(row.get(metric), int | float) else float("nan")
    if value not in (0, 1) and not isnan(value):
        raise DataError(
            f"The metric {metric!r} gives {value:g} to a question.", "It does not say whether an answer is right.",
            f"List one that does first in the task's metric_list, {' or '.join(('acc', 'exact_match'))}.",
        )  # fmt: skip
    why = "" if fits else "the question does not fit the model's context"
    why = why or ("lm-eval gives it no value" if isnan(value) else "")
    outcome: Outcome = "unscored" if why else "correct" if value else "wrong"
    return Answer(id, 0, _kept(_text(row), asking.keep), outcome, why=why)


def _text(row: Mapping[str, Any]) -> str:
    """What was written; of choices each with its log-likelihood, the likeliest first.

    The numbers tell two models apart that choose alike.
    """
    said, options = row["filtered_resps"], [arguments[1] for arguments in row["arguments"]]
    if isinstance(said[0], str):
        return str(said[0])
    weighed = sorted(zip((float(each[0]) for each in said), options, strict=True), reverse=True)
    return "\n".join(f"{likelihood:.4f} {option}" for likelihood, option in weighed)


def _kept(text: str, keep: str) -> str:
    if keep == "text":
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" if keep == "hash" else ""
