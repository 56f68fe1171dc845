"""Reading training data: a file's rows become examples and faults. Does not know what the data is for."""

import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.data.example import Dataset, Example, Fault, Turn
from holdfast.data.files import rows_of
from holdfast.data.formats import FORMATS, Format, format_named, read_row, recognised
from holdfast.data.marks import MARKS
from holdfast.data.rows import Broken, Row, Rows
from holdfast.data.streams import open_source
from holdfast.data.turns import Unreadable
from holdfast.errors import DataError

MARKED = re.compile(rf'(?<!\\)"({"|".join(MARKS)})"\s*:')
STEM = "holdfast_"
"""What all marks begin with: a row without it is searched only if it has escapes, in which a key can hide."""


class MarkedError(DataError):
    """Rows that must never be trained on: no setting and no neighbour makes them readable."""


def read(path: Path, format: str = "") -> Dataset:
    """Read a file of training rows: JSONL, JSON, CSV, TSV, Parquet or Arrow, packed or not.

    The rows' formats are recognised by their fields and may be mixed within a file, unless one is named. A row
    that cannot be read is a fault with its place, and reading goes on. An example's id is `path:line`, or
    `path:row` in a list or a Parquet file, both from 1.

    Args:
        path: the file.
        format: the name of one of `FORMATS`, if the rows are not to be recognised.

    Raises:
        DataError: the file is missing, empty or no text; it has no valid row; it is a quarantine file or
            holds stored answers, which are refused as training data; or a package to read it is missing.
        ConfigError: there is no such format.
    """
    return read_file(path, format_named(format) if format else None)


def read_file(path: Path, forced: Format | None = None) -> Dataset:
    """The same, with the format itself."""
    rows = rows_of(open_source(path), lambda row: forced is not None or recognised(row) is not None)
    return dataset_of(str(path), rows, forced)


def dataset_of(name: str, rows: Rows, forced: Format | None = None) -> Dataset:
    """The examples and faults of rows that came from anywhere.

    Raises:
        DataError: no row is valid, or one is marked as never to be trained on.
    """
    _refuse_marked(name, dict.fromkeys(rows.columns), "")
    with _no_collecting():
        formats, examples, faults = _sorted_out(name, rows, forced)
    if not examples:
        raise _nothing_valid(name, faults)
    return Dataset(name, " + ".join(sorted(formats)), tuple(examples), tuple(faults), rows.container, rows.unit)


def _sorted_out(name: str, rows: Rows, forced: Format | None) -> tuple[set[str], list[Example], list[Fault]]:
    formats: set[str] = set()
    examples: list[Example] = []
    faults: list[Fault] = []
    shared = _Shared()
    for row in rows.items:
        place = f"{name}:{row.number}"
        if STEM in row.text or "\\u" in row.text:
            _refuse_marked(place, row.value if isinstance(row, Row) else None, row.text)
        try:
            if isinstance(row, Broken):
                raise Unreadable(row.why)
            found, turns, tools = read_row(row.value, forced)
        except Unreadable as error:
            faults.append(Fault(place, row.number, f"{rows.unit} {row.number}: {error}", row.text))
        else:
            formats.add(found)
            examples.append(Example(place, shared.turns(turns), row.text, shared.tools(tools) if tools else ()))
    return formats, examples, faults


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Without Python's search for cycles: JSON has none, and it would go through all rows again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class _Shared:
    """System prompts and tools, each kept once: the rows of a file repeat them."""

    def __init__(self) -> None:
        self._prompts: dict[str, Turn] = {}
        self._tools: dict[str, tuple[object, ...]] = {}

    def turns(self, turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
        if turns[0].role != "system" or turns[0].more:
            return turns
        return (self._prompts.setdefault(turns[0].content, turns[0]), *turns[1:])

    def tools(self, tools: tuple[object, ...]) -> tuple[object, ...]:
        return self._tools.setdefault(json.dumps(tools, default=str), tools)


def _refuse_marked(place: str, fields: object, text: str) -> None:
    """Refuse a mark among the fields, and anywhere as a key in the text, which may be too broken to have fields."""
    found = MARKED.search(text)
    among = [mark for mark in MARKS if isinstance(fields, dict) and mark in fields]
    mark = found[1] if found else "".join(among[:1])
    if mark:
        raise MarkedError(
            f"{place!r} carries the key {mark!r}: refused as training data.",
            "Rows that an audit took out, and answers stored by a measurement, are never trained on.",
            "Use the `kept.jsonl` of the audit, or mend the rows in the file they came from.",
        )


def _nothing_valid(name: str, faults: list[Fault]) -> DataError:
    first = "; ".join(fault.reason for fault in faults[:3]) or "it has a header and no rows"
    more = f" … and {len(faults) - 3} more" if len(faults) > 3 else ""
    wanted = " or ".join("{" + ", ".join(known.fields) + "}" for known in FORMATS)
    return DataError(
        f"{name!r} holds no valid row ({len(faults)} read).", f"{first}{more}.", f"Give rows of the form {wanted}."
    )
