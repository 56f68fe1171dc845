"""Reading evaluation sets: only their questions, to look for them in training data.

Knows nothing of answers: what a right answer is belongs to a suite.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.data.files import is_csv, rows_of
from holdfast.data.rows import Row
from holdfast.data.streams import Source, open_source, refuse_binary
from holdfast.data.tables import ARROW, csv_records, delimiter
from holdfast.data.turns import SPEAKERS
from holdfast.errors import DataError

COLUMNS = ("prompt", "question", "goal", "query", "prompts_final", "instruction", "text", "problem")
"""Fields that hold the question, the first that is there; upper and lower case alike."""


@dataclass(frozen=True, slots=True)
class EvalSet:
    """An evaluation set's questions."""

    name: str
    items: tuple[tuple[str, str], ...]
    """(id, text); the id is `path:line`."""


def read_eval_set(path: Path) -> EvalSet:
    """The questions of a file with the file's name; see `read_questions`."""
    return EvalSet(str(path), read_questions(path))


def read_questions(path: Path) -> tuple[tuple[str, str], ...]:
    """(id, text) of each question in any file that `read` takes; rows without one are passed over.

    A CSV may have a header with one of `COLUMNS`, or be one headerless column of questions. An Alpaca row's
    question is instruction and input; of messages and ShareGPT rows it is what the user says; a JSON object of
    equally long lists is read by column; a list or a line may be the bare question.

    Raises:
        DataError: the file is missing, empty or cannot be read, or no question is found in it.
    """
    source = open_source(path)
    table = source.head.startswith(tuple(ARROW))
    # A line that begins with a quote is a bare question in JSON.
    bare = source.suffix not in (".csv", ".tsv") and source.head.lstrip()[:1] == b'"'
    as_csv = not table and not bare and is_csv(source, b'[{"')
    pairs = _from_csv(source) if as_csv else _from_rows(source)
    found = tuple((f"{path}:{number}", question) for number, question in pairs if question.strip())
    if not found:
        raise DataError(
            f"No question was found in {str(path)!r}.",
            f"Looked for a field called {', '.join(COLUMNS)}, or `messages`, or one headerless column.",
            "Rename the field that holds the questions.",
        )
    return found


def _from_csv(source: Source) -> Iterator[tuple[int, str]]:
    refuse_binary(source)
    records = [record for record in csv_records(source, delimiter(source)) if isinstance(record, Row)]
    if not records:
        return
    header = [str(name).strip().lower() for name in records[0].value]
    named = [header.index(name) for name in COLUMNS if name in header]
    if not named and any(len(record.value) != 1 for record in records):
        return
    column, body = (named[0], records[1:]) if named else (0, records)
    for record in body:
        if column < len(record.value):
            yield record.number, record.value[column]


def _from_rows(source: Source) -> Iterator[tuple[int, str]]:
    for row in rows_of(source, lambda value: bool(_question(value))).items:
        if isinstance(row, Row):
            columns = _column(row.value)
            if columns is not None:
                yield from enumerate(columns, 1)
            elif question := _question(row.value):
                yield row.number, question


def _column(value: object) -> list[str] | None:
    fields = _lowered(value) if isinstance(value, dict) else {}
    for name in COLUMNS:
        if isinstance(fields.get(name), list) and all(isinstance(item, str) for item in fields[name]):
            return list(fields[name])
    return None


def _question(value: object) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return ""
    for field in ("messages", "conversations", "prompt"):
        if isinstance(value.get(field), list):
            return "\n".join(filter(None, map(_asked, value[field])))
    fields = _lowered(value)
    text = next((fields[name] for name in COLUMNS if isinstance(fields.get(name), str)), "")
    extra = fields.get("input") if "instruction" in fields else ""
    return f"{text}\n{extra}" if extra and isinstance(extra, str) else str(text)


def _asked(message: object) -> str:
    """What the user says in a message, or nothing."""
    if not isinstance(message, dict):
        return ""
    said = message.get("content", message.get("value"))
    from_user = SPEAKERS.get(str(message.get("role") or message.get("from"))) == "user"
    return said if from_user and isinstance(said, str) else ""


def _lowered(value: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key).strip().lower(): item for key, item in value.items()}
