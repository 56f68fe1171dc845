"""The row formats that are read, and what each says about a row it cannot take.

A format is recognised by the keys of a row, never by the file's name. Knows nothing of files or lines.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from holdfast.data.example import Role, Turn

ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


class Unreadable(ValueError):
    """A row that is no example; the message says why."""


@dataclass(frozen=True, slots=True)
class Format:
    """One row format: the fields it is known by, and how a row becomes turns."""

    name: str
    fields: tuple[str, ...]
    turns: Callable[[Mapping[str, Any]], tuple[Turn, ...]]


def alpaca(row: Mapping[str, Any]) -> tuple[Turn, ...]:
    """`instruction`, `input`, `output`, and optionally `system` and `history` (pairs of earlier turns)."""
    instruction, extra = _text(row, "instruction"), _optional(row, "input")
    turns = [Turn("system", row["system"])] if _optional(row, "system") else []
    for pair in row.get("history") or ():
        if not _is_pair(pair):
            raise Unreadable("`history` must be a list of [question, answer] pairs of strings")
        turns += [Turn("user", pair[0]), Turn("assistant", pair[1])]
    question = f"{instruction}\n{extra}" if extra.strip() else instruction
    return (*turns, Turn("user", question), Turn("assistant", _text(row, "output")))


def prompt_completion(row: Mapping[str, Any]) -> tuple[Turn, ...]:
    """`prompt` and `completion`, both strings."""
    return (Turn("user", _text(row, "prompt")), Turn("assistant", _text(row, "completion")))


def messages(row: Mapping[str, Any]) -> tuple[Turn, ...]:
    """`messages` as in OpenAI's chat format; a message's content is a string or a list of text parts."""
    said = row["messages"]
    if not isinstance(said, list) or not said:
        raise Unreadable(f"`messages` must be a list with at least one message, not {_kind(said)}")
    turns = tuple(_turn(number, message) for number, message in enumerate(said, 1))
    if turns[-1].role != "assistant":
        raise Unreadable(f"the last message is from {turns[-1].role!r}, so there is no answer to learn")
    if all(turn.role != "user" for turn in turns):
        raise Unreadable("no message is from 'user', so there is no question")
    return turns


FORMATS = (
    Format("messages", ("messages",), messages),
    Format("alpaca", ("instruction", "output"), alpaca),
    Format("prompt-completion", ("prompt", "completion"), prompt_completion),
)


def read_row(row: object) -> tuple[str, tuple[Turn, ...]]:
    """The name of the row's format, and its turns.

    Raises:
        Unreadable: the row has no known format, or does not keep to it.
    """
    if not isinstance(row, dict):
        raise Unreadable(f"a row must be an object with named fields, not {_kind(row)}")
    for known in FORMATS:
        if all(key in row for key in known.fields):
            return known.name, known.turns(row)
    raise Unreadable(_no_format(row))


def _no_format(row: Mapping[str, Any]) -> str:
    for known in FORMATS:
        missing = [f"`{key}`" for key in known.fields if key not in row]
        if len(missing) < len(known.fields):
            return f"{', '.join(missing)} is missing (the row looks like {known.name})"
    found = ", ".join(str(key)[:40] for key in list(row)[:6]) or "none"
    return f"no known format (its fields: {found})"


def _turn(number: int, message: object) -> Turn:
    if not isinstance(message, dict):
        raise Unreadable(f"message {number} must be an object, not {_kind(message)}")
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str) or role not in ROLES:
        raise Unreadable(f"message {number} has the role {role!r}; known are {', '.join(ROLES)}")
    if isinstance(content, list):
        content = "\n".join(_part(number, part) for part in content)
    if not isinstance(content, str):
        raise Unreadable(f"message {number} ({role}) has no text: `content` is {_kind(content)}")
    if not content.strip() and role != "system":
        raise Unreadable(f"message {number} ({role}) is empty")
    return Turn(ROLES[role], content)


def _part(number: int, part: object) -> str:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    raise Unreadable(f"message {number} has a part that is not text")


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row[key]
    if not isinstance(value, str):
        raise Unreadable(f"`{key}` must be a string, not {_kind(value)}")
    if not value.strip():
        raise Unreadable(f"`{key}` is empty")
    return value


def _optional(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"`{key}` must be a string, not {_kind(value)}")
    return value or ""


def _is_pair(pair: object) -> TypeGuard[list[str]]:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(said, str) for said in pair)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", type(None): "null", bool: "a truth value"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)
