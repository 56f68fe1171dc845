"""Reading training data: a file becomes examples and faults. Does not know what the data is for."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from holdfast.data.example import Dataset, Example, Fault
from holdfast.data.files import Broken, Row, Rows, read_text, rows_of
from holdfast.data.formats import FORMATS, Unreadable, read_row
from holdfast.data.marks import MARKS
from holdfast.errors import DataError

SHOWN = 200
"""Characters of a broken row that its fault carries."""

MARKED = re.compile(rf'(?<!\\)"({"|".join(MARKS)})"\s*:')
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
MAY_BE_LONE = re.compile("[\ud800-\udfff]|\\\\u[dD][89a-fA-F]")


def read(path: Path) -> Dataset:
    """Read a data file of Alpaca, prompt/completion or messages rows, in JSONL, JSON (a list) or CSV.

    Formats may be mixed within a file. A row that cannot be read is a fault with its place, and reading
    goes on. An example's id is `path:line`, or `path:index` in a JSON list, both from 1.

    Raises:
        DataError: the file is missing, empty or no text; it has no valid row; or it is a quarantine file
            or holds stored answers, which are refused as training data.
    """
    text = read_text(path)
    _refuse_marked(path, text)
    rows = rows_of(text, path.suffix.lower())
    examples: list[Example] = []
    faults: list[Fault] = []
    names: set[str] = set()
    check_text = MAY_BE_LONE.search(text) is not None
    for row in rows.items:
        place = f"{path}:{row.number}"
        try:
            name, example = _example(place, row, check_text)
        except Unreadable as error:
            reason = f"{rows.unit} {row.number}: {error}"
            faults.append(Fault(place, row.number, reason, _shown(row)))
        else:
            names.add(name)
            examples.append(example)
    if not examples:
        raise _nothing_valid(path, rows, faults)
    return Dataset(str(path), " + ".join(sorted(names)), tuple(examples), tuple(faults))


def _example(place: str, row: Row | Broken, check_text: bool) -> tuple[str, Example]:
    if isinstance(row, Broken):
        raise Unreadable(row.why)
    _refuse_marked_row(place, row.value)
    if check_text and _any_lone(row.value):
        raise Unreadable("it holds bytes or escapes that are not valid Unicode text")
    name, turns = read_row(row.value)
    return name, Example(place, turns, row.value)


def _any_lone(value: Any) -> bool:
    if isinstance(value, str):
        return LONE_SURROGATE.search(value) is not None
    if isinstance(value, Mapping):
        return _any_lone(list(value)) or _any_lone(list(value.values()))
    return isinstance(value, Iterable) and any(_any_lone(item) for item in value)


def _refuse_marked(path: Path, text: str) -> None:
    if found := MARKED.search(text):
        raise _marked(f"{str(path)!r}, line {text.count(chr(10), 0, found.start()) + 1}", found[1])


def _refuse_marked_row(place: str, row: object) -> None:
    for mark in MARKS:
        if isinstance(row, dict) and mark in row:
            raise _marked(repr(place), mark)


def _marked(where: str, mark: str) -> DataError:
    return DataError(
        f"{where} carries the key {mark!r}: refused as training data.",
        "Rows that an audit took out, and answers stored by a measurement, are never trained on.",
        "Use the `kept.jsonl` of the audit, or mend the rows in the file they came from.",
    )


def _shown(row: Row | Broken) -> str:
    text = row.text if isinstance(row, Broken) else str(row.value)
    return text.strip()[:SHOWN].encode("utf-8", errors="replace").decode()


def _nothing_valid(path: Path, rows: Rows, faults: list[Fault]) -> DataError:
    first = "; ".join(fault.reason for fault in faults[:3]) or "it has a header and no rows"
    more = f" … and {len(faults) - 3} more" if len(faults) > 3 else ""
    wanted = " or ".join("{" + ", ".join(known.fields) + "}" for known in FORMATS)
    return DataError(
        f"{str(path)!r} holds no valid row ({len(rows.items)} read).",
        f"{first}{more}.",
        f"Give rows of the form {wanted}.",
    )
