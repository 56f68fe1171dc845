"""A file's rows, one by one, with their places and exact texts. The content decides what kind of file it is.

Knows nothing of what a row means. A row that cannot be parsed is yielded as `Broken`; the rest goes on.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from holdfast.data.rows import NOT_UNICODE, Broken, Row, Rows, checked, json_row, one_value, read_value, table_row
from holdfast.data.streams import Source, Torn, is_empty, refuse_binary
from holdfast.data.tables import arrow_rows, csv_rows

NEXT_ITEM = re.compile(r"\}\s*,?\s*(?=\{)")
SPACE = re.compile(r"[\s,]*")
LINED = (".jsonl", ".json", ".ndjson")
TABLED = (".csv", ".tsv")

IsRow = Callable[[Mapping[str, Any]], bool]


def rows_of(source: Source, is_row: IsRow) -> Rows:
    """The rows of a file: JSONL, a JSON list, a JSON object that holds one, CSV, TSV, Parquet or Arrow.

    Args:
        source: the file.
        is_row: whether an object that stands alone in its file is a row itself, and no wrapping of rows.

    Raises:
        DataError: no text in UTF-8, a file without a row, or a table that cannot be opened.
    """
    if table := arrow_rows(source):
        return table
    refuse_binary(source)
    opening = _opening(source)
    if not opening:
        raise is_empty(source.path)
    found = _text_rows(source, opening, is_row)
    packed = f", {source.packing}" if source.packing else ""
    return Rows(found.unit, found.container + packed, found.items, found.columns)


def is_csv(source: Source, starts: bytes = b"[{") -> bool:
    """Whether the name says CSV, or says nothing and the file does not begin as JSON does."""
    begins = source.head.lstrip()[:1] or b"["
    return source.suffix in TABLED or (source.suffix not in LINED and begins not in starts)


def _text_rows(source: Source, opening: list[bytes], is_row: IsRow) -> Rows:
    if is_csv(source):
        return csv_rows(source)
    first, *second = (line.decode(errors="surrogateescape") for line in opening)
    start, goes_on = first.lstrip()[:1], not second or _goes_on(first)
    # A list that is broken in its first line goes on with lines that are no JSON by themselves.
    if start == "[" and (goes_on or (one_value(first) is None and one_value(*second) is None)):
        text, torn = source.text()
        return Rows("row", "JSON list", _items(text, text.index("[") + 1, torn, alone=True))
    if start == "{" and goes_on:
        return _wrapped(source.text()[0], is_row) or Rows("line", "JSONL", _lines(source))
    return Rows("line", "JSONL", _lines(source))


def _opening(source: Source) -> list[bytes]:
    """The first two lines that hold anything, as far as there are."""
    found: list[bytes] = []
    try:
        found += islice(filter(bytes.strip, source.lines()), 2)
    except Torn as torn:
        return [*found, torn.held] if torn.held.strip() else found
    return found


def _goes_on(line: str) -> bool:
    """Whether a line is the beginning of a JSON value that is spread over several."""
    try:
        read_value(line.strip())
    except (ValueError, RecursionError) as error:
        return getattr(error, "pos", 0) >= len(line.strip())
    return False


def _lines(source: Source) -> Iterator[Row | Broken]:
    number = 0
    try:
        for number, line in enumerate(source.lines(), 1):
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                why = f"byte 0x{line[error.start]:02x} at column {error.start + 1} is not UTF-8 ({NOT_UNICODE})"
                yield Broken(number, why, line.decode(errors="surrogateescape"))
            else:
                if text and not text.isspace():
                    yield json_row(number, text)
    except Torn as torn:
        yield Broken(number + 1, str(torn), torn.held.decode(errors="surrogateescape"))


def _wrapped(text: str, is_row: IsRow) -> Rows | None:
    """The rows of a whole file that is one JSON object: itself, a list that it holds, or columns of equal length."""
    value = one_value(text)
    if not isinstance(value, dict):
        return None
    lists = {name: item for name, item in value.items() if isinstance(item, list) and item}
    if lists and len(lists) == len(value) and _are_columns(*lists.values()):
        return Rows("row", "JSON columns", _columns(lists), tuple(lists))
    held = next((name for name, item in lists.items() if all(isinstance(each, dict) for each in item)), None)
    if held is not None and not is_row(value):
        return Rows("row", f"JSON list in {held!r}", _items(text, _start(text, held), ""), tuple(value))
    stood = text.strip()
    return Rows("row", "JSON object", iter((checked(1, value, stood),))) if "\n" in stood else None


def _are_columns(*lists: list[Any]) -> bool:
    """Whether lists are columns of one table: equally long, and not messages, which are objects."""
    return len(set(map(len, lists))) == 1 and not any(isinstance(item, dict) for items in lists for item in items)


def _columns(lists: Mapping[str, list[Any]]) -> Iterator[Row | Broken]:
    for number, values in enumerate(zip(*lists.values(), strict=True), 1):
        yield table_row(number, dict(zip(lists, values, strict=True)))


def _start(text: str, name: str) -> int:
    """Where the list that an object holds under a name begins, after its bracket."""
    at = text.index("{") + 1
    while True:
        key, at = read_value(text, _skip(text, at))
        at = _skip(text, text.index(":", at) + 1)
        if key == name:
            return at + 1
        _, at = read_value(text, at)


def _items(text: str, at: int, torn: str, alone: bool = False) -> Iterator[Row | Broken]:
    """The items of a JSON list, from after its bracket; after a broken item it looks for the next.

    Nothing may follow a list that is `alone` in its file.
    """
    number = 0
    while (at := _skip(text, at)) < len(text) and text[at] != "]":
        number += 1
        try:
            value, end = read_value(text, at)
            yield _item(number, value, text[at:end])
        except (ValueError, RecursionError) as error:
            found = NEXT_ITEM.search(text, max(at, getattr(error, "pos", at)))
            # The match begins at the broken item's own closing brace, which is part of how it stood.
            end = found.end() if found else len(text)
            why = torn if torn and not found else f"not valid JSON: {getattr(error, 'msg', error)}"
            yield Broken(number, why, text[at : found.start() + 1 if found else end].rstrip())
            torn = torn if found else ""
        at = end
    rest = text[at + 1 :].strip() if alone else ""
    if torn or rest:
        yield Broken(number + 1, torn or "the list has ended, and this follows it", rest)


def _item(number: int, value: Any, text: str) -> Row | Broken:
    try:
        text.encode()
    except UnicodeEncodeError:
        return Broken(number, NOT_UNICODE, text)
    return checked(number, value, text)


def _skip(text: str, at: int) -> int:
    found = SPACE.match(text, at)
    return found.end() if found else at
