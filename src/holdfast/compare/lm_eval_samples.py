"""A side from what `lm_eval --log_samples` wrote: a file of a task's samples, or the folder of a model's.

lm-eval is not needed. Results that lie beside the samples say which end of a metric is bad and how it was asked.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.compare.chosen import Chosen
from holdfast.compare.foreign import FAULTS_SHOWN, Asked, Draft, Key, group_of, side_of, text_digest
from holdfast.compare.results import BadIs, Side
from holdfast.errors import DataError

SAMPLES = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT[^_/]+)\.jsonl", re.DOTALL)
"""How lm-eval names a task's samples; the results of the same run are `results_DATE.json`."""
ABOUT = frozenset(
    {
        *("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"),
        *("doc_hash", "prompt_hash", "target_hash"),
    }
)
"""What a line holds beside its metrics."""
DECIDING = (
    *("dtype", "load_in_8bit", "load_in_4bit", "quantization", "max_length", "max_model_len", "max_gen_toks"),
    *("add_bos_token", "truncation", "think_end_token", "enable_thinking", "softmax_dtype"),
)
"""Of a model's arguments those that change its answers; the others say which model it is, and where."""
MEND = "lm_eval … --log_samples --output_path DIR"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """One task's samples and, where they lie beside them, the results of the run."""

    name: str
    file: Path
    rows: tuple[Row, ...]
    results: Mapping[str, Any] = field(default_factory=dict)

    def told(self, key: str) -> Any:
        """What the results say of this task."""
        known = self.results.get(key)
        return known.get(self.name) if isinstance(known, dict) else None


def read_lm_eval(path: Path, chosen: Chosen) -> Side:
    """One metric a task, metric and filter: `TASK/METRIC`, or `TASK/METRIC,FILTER` where the filter has a name.

    A document is a prompt, asked once. Documents are clustered by their own wording, not by the examples shown before
    them. A metric without a number for a document is unscored there.

    Raises:
        DataError: no such samples, a line that is none, a document twice, fewer than the results say, or a value that
            is no share.
        ConfigError: a metric that is not there, or one of which nobody says which end is bad.
    """
    tasks = [_task(file) for file in _files(path)]
    drafts = [draft for task in tasks for draft in _drafts(task)]
    models = dict.fromkeys(str(task.results["model_name"]) for task in tasks if task.results.get("model_name"))
    templates = dict.fromkeys(str(task.results.get("chat_template_sha") or "") for task in tasks)
    template = next(iter(templates)) if len(templates) == 1 else ""
    return side_of(str(path), ", ".join(models) or path.stem, template, drafts, chosen)


def holds_samples(folder: Path) -> bool:
    """Whether a folder, or one in it, holds samples of lm-eval's."""
    return any(_in(folder))


def _in(folder: Path) -> list[Path]:
    return sorted(file for pattern in ("samples_*.jsonl", "*/samples_*.jsonl") for file in folder.glob(pattern))


def _files(path: Path) -> list[Path]:
    """The files of a folder: of one model, and one a task."""
    if not path.is_dir():
        return [path]
    files = _in(path)
    if len(folders := dict.fromkeys(file.parent for file in files)) > 1:
        names = ", ".join(folder.name for folder in folders)
        raise DataError(f"{str(path)!r} holds samples of {len(folders)} models.", names, "Name one of these folders.")
    tasks = [_name(file)[0] for file in files]
    if twice := sorted({task for task in tasks if tasks.count(task) > 1}):
        raise DataError(
            f"{str(path)!r} holds several runs of {', '.join(twice)}.", "Which one is meant is not known.",
            "Name one of its files, or move the others away.",
        )  # fmt: skip
    return files


def _name(file: Path) -> tuple[str, str]:
    """A file's task and date; the latter is empty where the file was renamed."""
    found = SAMPLES.fullmatch(file.name)
    return (found["task"], found["date"]) if found else (file.stem.removeprefix("samples_"), "")


def _task(file: Path) -> Task:
    name, date = _name(file)
    results = file.with_name(f"results_{date}.json")
    task = Task(name, file, tuple(_rows(file)), _results(results) if date and results.is_file() else {})
    number = len({_doc(row) for row in task.rows})
    told = task.told("n-samples")
    whole = told.get("effective") if isinstance(told, dict) else None
    if isinstance(whole, int) and number < whole:
        raise DataError(
            f"{str(file)!r} is not whole: of {whole} documents {whole - number} are not there.",
            f"So says {results.name}.", MEND,
        )  # fmt: skip
    return task


def _results(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{str(path)!r} cannot be read.", f"It is no JSON, or breaks off: {error}", MEND) from error
    return found if isinstance(found, dict) else {}


def _rows(file: Path) -> Iterator[Row]:
    faults: list[str] = []
    seen: set[tuple[str, str]] = set()
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    row = _row(line, seen)
                except (ValueError, RecursionError) as fault:
                    faults.append(f"line {number}: {fault}")
                else:
                    yield row
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{str(file)!r} cannot be read.", str(error), MEND) from error
    if faults or not seen:
        more = [f"and {len(faults) - FAULTS_SHOWN} more"] if len(faults) > FAULTS_SHOWN else []
        why = "\n  ".join([*faults[:FAULTS_SHOWN], *more]) or "It is empty."
        raise DataError(f"{str(file)!r} does not hold samples of lm-eval's.", why, MEND)


def _row(line: str, seen: set[tuple[str, str]]) -> Row:
    row = json.loads(line)
    if not isinstance(row, dict) or "doc_id" not in row:
        raise ValueError("it is no object with a doc_id")
    place = _doc(row), _filter(row)
    if place in seen:
        raise ValueError(f"doc_id {place[0]} with the filter {place[1]!r} is there twice")
    seen.add(place)
    return row


def _doc(row: Row) -> str:
    return str(row["doc_id"])


def _filter(row: Row) -> str:
    return str(row.get("filter", "none"))


def _metrics(row: Row) -> Sequence[str]:
    """Lines of older versions do not list their metrics."""
    listed = row.get("metrics")
    return [str(name) for name in listed] if isinstance(listed, list) else [name for name in row if name not in ABOUT]


def _drafts(task: Task) -> Iterator[Draft]:
    filters: dict[str, list[Row]] = {}
    for row in task.rows:
        filters.setdefault(_filter(row), []).append(row)
    shared = dict(_settings(task))
    for name, rows in filters.items():
        asked = _asked(rows)
        for metric in dict.fromkeys(metric for row in rows for metric in _metrics(row)):
            full = f"{task.name}/{metric}" + (f",{name}" if name != "none" else "")
            yield Draft(
                name=full,
                says=f"Mean of {metric} in the task {task.name} of lm-eval",
                asked=asked,
                values={(_doc(row), 0): row.get(metric) for row in rows},
                settings={**shared, "prompts": _prompts(rows), "metric": metric, "filter": name},
                bad_is=_bad_is(task, metric),
            )


def _asked(rows: Sequence[Row]) -> Asked:
    said: dict[Key, str] = {(_doc(row), 0): text_digest(json.dumps(row.get("resps"))) for row in rows}
    groups = {_doc(row): group_of(_object(row.get("doc"))) for row in rows}
    return Asked(texts=dict(_texts(rows)), answers=said, groups=groups)


def _texts(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """A document's own words; without what stands in the same place of every document, such as the subject."""
    words = {_doc(row): dict(_words(row.get("doc"))) for row in rows}
    values: dict[str, set[str]] = {}
    for each in words.values():
        for place, text in each.items():
            values.setdefault(place, set()).add(text)
    for id, each in words.items():
        own = [text for place, text in each.items() if len(values[place]) > 1 or len(each) == 1]
        yield id, "\n".join(own)


def _words(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name in sorted(value):
            yield from _words(value[name], f"{place}/{name}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _words(each, f"{place}/{number}")


def _prompts(rows: Sequence[Row]) -> str:
    """A digest of every document, of how it was put (examples, system prompt, chat template), and of what is right."""
    hashes = ("doc_hash", "prompt_hash", "target_hash")
    return text_digest(json.dumps(sorted([_doc(row), *(str(row.get(name, "")) for name in hashes)] for row in rows)))


def _bad_is(task: Task, metric: str) -> BadIs | None:
    known = task.told("higher_is_better")
    better = known.get(metric) if isinstance(known, dict) else None
    return None if not isinstance(better, bool) else "low" if better else "high"


def _settings(task: Task) -> Iterator[tuple[str, str]]:
    """What must be equal for every metric of a task; only the file's own where no results lie beside it."""
    yield "judge", "lm-eval"
    yield "task", task.name
    yield "samples", "1"
    if not task.results:
        return
    yield "engine", f"lm-eval {task.results.get('lm_eval_version', '')}"
    yield "task_version", str(task.told("versions"))
    yield "shots", str(task.told("n-shot"))
    yield "system", str(task.results.get("system_instruction_sha") or "")
    yield "chat_template", "applied" if task.results.get("chat_template_sha") else ""
    yield "fewshot_as_multiturn", str(bool(task.results.get("fewshot_as_multiturn")))
    config, own = (
        value if isinstance(value, dict) else {} for value in (task.results.get("config"), task.told("configs"))
    )
    yield "model_type", str(config.get("model", ""))
    arguments = config.get("model_args")
    stated = arguments if isinstance(arguments, dict) else _arguments(str(arguments or ""))
    yield from ((f"model argument {name}", str(stated[name])) for name in DECIDING if name in stated)
    generating = {**_object(own.get("generation_kwargs")), **_object(config.get("gen_kwargs"))}
    yield "generating", json.dumps(generating, sort_keys=True, default=str)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _arguments(text: str) -> dict[str, str]:
    """`a=1,b=2`, as older versions keep a model's arguments."""
    pairs = (part.partition("=") for part in text.split(",") if "=" in part)
    return {name.strip(): value.strip() for name, _, value in pairs}
