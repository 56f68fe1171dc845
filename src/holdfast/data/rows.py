"""One row of a file: its place, its value and its exact text; or why it does not parse.

Knows JSON; knows nothing of files, nor of what a row means.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

DEEPEST = 200
"""Levels of nesting that a row may have: a reader further on must not run out of stack."""

LONG = 1 << 20
"""Characters of a row above which its colons are not listed one by one."""

KEY = re.compile(r'"\s*:')
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
NOT_UNICODE = "it holds bytes or escapes that are not valid Unicode text"
read_value = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class Row:
    """A parsed value and where it stood."""

    number: int
    """1-based: the line, or the row's index in a list or a table."""
    value: Any
    text: str
    """Its JSON exactly as it stood; of a table's row, the row as JSON."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A stretch of the file that does not parse."""

    number: int
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of a source, to be gone through once."""

    unit: str
    """What the numbers count: `line` or `row`."""
    container: str
    items: Iterator[Row | Broken]
    columns: tuple[str, ...] = ()
    """Of a table: its columns' names."""


class Twice(ValueError):
    """An object that holds a key twice: readers differ in which one counts."""


def json_row(number: int, text: str) -> Row | Broken:
    """A line of JSON as a row, or why it is none."""
    try:
        return checked(number, _parsed(text), text)
    except json.JSONDecodeError as error:
        return Broken(number, f"not valid JSON: {error.msg.removesuffix(' at')} at column {error.colno}", text)
    except (ValueError, RecursionError) as error:
        return Broken(number, f"not valid JSON: {error}", text)


def checked(number: int, value: Any, text: str) -> Row | Broken:
    """A parsed value as a row, unless it is ambiguous, too deep or no Unicode."""
    try:
        keys = _keys((value,), DEEPEST)
        # Every key has a colon of its own: where the colons are no more than the keys, none stands twice.
        if text.count(":") != keys and (len(text) > LONG or len(KEY.findall(text)) != keys):
            json.loads(text, object_pairs_hook=_once)
    except (Twice, RecursionError) as error:
        return Broken(number, str(error), text)
    if ("\\ud" in text or "\\uD" in text) and _any_lone(value):
        return Broken(number, NOT_UNICODE, text)
    return Row(number, value, text)


def table_row(number: int, row: Mapping[str, Any]) -> Row | Broken:
    """A table's row, its text made of its values."""
    text = json.dumps(row, ensure_ascii=False, default=str)
    return Broken(number, NOT_UNICODE, text) if LONE_SURROGATE.search(text) else Row(number, row, text)


def one_value(text: str) -> Any:
    """The value of a whole JSON text, or nothing where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _parsed(text: str) -> Any:
    try:
        value, end = read_value(text)
        if end == len(text) or text[end:].isspace():
            return value
    except ValueError:
        pass
    return json.loads(text)


def _keys(value: Iterable[Any], room: int) -> int:
    """How many keys all objects in an object or a list have."""
    if not room:
        raise RecursionError(f"it is nested more than {DEEPEST} levels deep")
    found = 0
    if type(value) is dict:
        found, value = len(value), value.values()
    for item in value:
        if type(item) is dict or type(item) is list:
            found += _keys(item, room - 1)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Twice(f"the key {key[:40]!r} is there twice")
        found[key] = value
    return found


def _any_lone(value: Any) -> bool:
    if isinstance(value, str):
        return LONE_SURROGATE.search(value) is not None
    if isinstance(value, dict):
        return any(map(_any_lone, value)) or any(map(_any_lone, value.values()))
    return isinstance(value, list) and any(map(_any_lone, value))
