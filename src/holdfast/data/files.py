"""A file's rows, one by one, with their places: JSONL, a JSON list, or CSV, told apart by content.

Knows nothing of what a row means. A row that cannot be parsed is yielded as `Broken`; the rest goes on.
"""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

from holdfast.errors import DataError

NEXT_ITEM = re.compile(r"\}\s*,?\s*(?=\{)")


@dataclass(frozen=True, slots=True)
class Row:
    """A parsed value and where it stood."""

    number: int
    """1-based: the line, or the item's index in a JSON list."""
    value: Any


@dataclass(frozen=True, slots=True)
class Broken:
    """A stretch of the file that does not parse."""

    number: int
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of a file, and what their numbers count."""

    unit: str
    """`line`, or `row` for a JSON list."""
    items: tuple[Row | Broken, ...]


def read_text(path: Path) -> str:
    """The file's text. Bytes that are not UTF-8 become lone surrogates, which no row may keep.

    Raises:
        DataError: no such file, a folder, an empty file, or one that is not text.
    """
    if not path.is_file():
        raise _missing(path)
    data = path.read_bytes()
    if b"\0" in data[:4096]:
        raise DataError(
            f"{str(path)!r} is not text in UTF-8.",
            "It holds NUL bytes, as Parquet, gzip and UTF-16 files do.",
            "Convert it to JSONL, JSON or CSV in UTF-8.",
        )
    text = data.decode("utf-8-sig", errors="surrogateescape")
    if not text.strip():
        raise DataError(f"{str(path)!r} is empty.", "There is no row to read.", "Check the path.")
    return text


def _missing(path: Path) -> DataError:
    if path.is_dir():
        return DataError(f"{str(path)!r} is a folder.", "A data file was expected.", "Name a file in it.")
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, names)
    why = f"Near it: {', '.join(near)}." if near else ""
    return DataError(f"There is no file {str(path)!r}.", why, "Check the path.")


def rows_of(text: str, suffix: str) -> Rows:
    """The rows of a file's text; `suffix` decides only where the content leaves it open."""
    start = text.lstrip()[:1]
    if suffix == ".csv" or (suffix not in (".jsonl", ".json") and start not in "[{"):
        return Rows("line", tuple(_csv(text)))
    whole = _parse(text)
    if isinstance(whole, list):
        return Rows("row", tuple(Row(number, item) for number, item in enumerate(whole, 1)))
    if isinstance(whole, dict) and suffix != ".jsonl":
        return Rows("row", (Row(1, whole),))
    if start == "[" and not isinstance(_parse(text.lstrip().split("\n")[0]), list):
        return Rows("row", tuple(_salvage(text)))
    return Rows("line", tuple(_lines(text)))


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _lines(text: str) -> Iterator[Row | Broken]:
    # str.splitlines would also cut at U+2028 and its like, which JSON strings may hold.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _line(number, line)


def _line(number: int, line: str) -> Row | Broken:
    try:
        return Row(number, json.loads(line))
    except json.JSONDecodeError as error:
        return Broken(number, f"not valid JSON: {error.msg} at column {error.colno}", line)
    except (ValueError, RecursionError) as error:
        return Broken(number, f"not valid JSON: {error}", line)


def _salvage(text: str) -> Iterator[Row | Broken]:
    """The items of a JSON list that as a whole does not parse; after a broken item it looks for the next."""
    decode, at, number = json.JSONDecoder().raw_decode, text.index("[") + 1, 0
    while True:
        at = _skip(text, at)
        if at >= len(text) or text[at] == "]":
            return
        number += 1
        try:
            value, at = decode(text, at)
            yield Row(number, value)
        except (ValueError, RecursionError) as error:
            found = NEXT_ITEM.search(text, getattr(error, "pos", at))
            end = found.end() if found else len(text)
            yield Broken(number, f"not valid JSON: {getattr(error, 'msg', error)}", text[at:end])
            at = end


def _skip(text: str, at: int) -> int:
    while at < len(text) and (text[at].isspace() or text[at] == ","):
        at += 1
    return at


def _csv(text: str) -> Iterator[Row | Broken]:
    records = csv_records(text)
    header = next(records, None)
    if not isinstance(header, Row):
        why = header.why if header else ""
        raise DataError("The CSV file has no header.", why, "Name the columns in the first line.")
    names = header.value
    for record in records:
        if isinstance(record, Broken):
            yield record
        elif len(record.value) == len(names):
            yield Row(record.number, dict(zip(names, record.value, strict=True)))
        else:
            why = f"{len(record.value)} fields where the header has {len(names)}"
            yield Broken(record.number, why, ",".join(record.value))


def csv_records(text: str) -> Iterator[Row | Broken]:
    """A CSV text's records as lists of strings, with the line each begins on; empty lines are passed over.

    A quote that is never closed would swallow the rest: that record is broken, and reading goes on with
    the next line.
    """
    lines, start = list(StringIO(text, newline="")), 0
    while start < len(lines):
        reader = csv.reader(islice(lines, start, None), strict=True)
        before = 0
        try:
            for record in reader:
                if record:
                    yield Row(start + before + 1, record)
                before = reader.line_num
            return
        except csv.Error as error:
            start += before + 1
            yield Broken(start, f"not valid CSV: {error}", lines[start - 1])
