"""The row formats that are read, and what each says about a row it cannot take.

A format is recognised by the keys of a row, never by the file's name. Knows nothing of files or lines.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from holdfast.data.example import Turn
from holdfast.data.turns import Unreadable, complete, conversation, kind, several, tools_of
from holdfast.errors import ConfigError, nearest


@dataclass(frozen=True, slots=True)
class Format:
    """One row format: the fields it is known by, and how a row becomes turns."""

    name: str
    fields: tuple[str, ...]
    turns: Callable[[Mapping[str, Any]], tuple[Turn, ...]]
    tools: bool = False
    """Whether a row's `tools` are what the conversation may call."""


def alpaca(row: Mapping[str, Any]) -> tuple[Turn, ...]:
    """`instruction`, `input`, `output`, and optionally `system` and `history` (pairs of earlier turns)."""
    instruction, extra = _text(row, "instruction"), _optional(row, "input")
    question = f"{instruction}\n{extra}" if extra.strip() else instruction
    asked, answered = Turn("user", question), Turn("assistant", _text(row, "output"))
    return (*_system(row), *_history(row), asked, answered)


def sharegpt(row: Mapping[str, Any]) -> tuple[Turn, ...]:
    """`conversations` of `from` and `value`, and optionally `system` and `tools`."""
    return (*_system(row), *conversation(row["conversations"], "conversations"))


def messages(row: Mapping[str, Any]) -> tuple[Turn, ...]:
    """`messages` as in OpenAI's chat format; a message's content is a string or a list of text parts."""
    return conversation(row["messages"], "messages")


def prompt_completion(row: Mapping[str, Any]) -> tuple[Turn, ...]:
    """`prompt` and `completion`: each a string, or a list of messages as TRL has it."""
    return complete((*_said(row, "prompt", Turn("user", "")), *_said(row, "completion", Turn("assistant", ""))))


def preference(row: Mapping[str, Any]) -> tuple[Turn, ...]:
    """`chosen`, and `prompt` unless the chosen messages hold it; what was rejected is not learnt."""
    chosen = _said(row, "chosen", Turn("assistant", ""))
    if any(turn.role == "user" for turn in chosen):
        return complete(chosen)
    if row.get("prompt") is None:
        raise Unreadable("`chosen` is an answer alone, and there is no `prompt`")
    return complete((*_said(row, "prompt", Turn("user", "")), *chosen))


def question_answer(row: Mapping[str, Any]) -> tuple[Turn, ...]:
    """`question` and `answer`, both strings, as in GSM8K."""
    return (*_system(row), Turn("user", _text(row, "question")), Turn("assistant", _text(row, "answer")))


FORMATS = (
    Format("messages", ("messages",), messages, tools=True),
    Format("sharegpt", ("conversations",), sharegpt, tools=True),
    Format("alpaca", ("instruction", "output"), alpaca),
    Format("preference", ("chosen",), preference, tools=True),
    Format("prompt-completion", ("prompt", "completion"), prompt_completion, tools=True),
    Format("question-answer", ("question", "answer"), question_answer),
)


def format_named(name: str) -> Format:
    """The format of that name.

    Raises:
        ConfigError: there is none.
    """
    found = next((known for known in FORMATS if known.name == name), None)
    if found is None:
        names = [known.name for known in FORMATS]
        raise ConfigError(
            f"There is no format {name!r}.", nearest(name, names), "Name one of them, or none to have it recognised."
        )
    return found


def recognised(row: Mapping[str, Any]) -> Format | None:
    """The first format whose fields the row has; a field that is null counts only where no other format fits."""
    for known in FORMATS:
        for key in known.fields:
            if row.get(key) is None:
                break
        else:
            return known
    return next((known for known in FORMATS if all(key in row for key in known.fields)), None)


def read_row(row: object, forced: Format | None = None) -> tuple[str, tuple[Turn, ...], tuple[Any, ...]]:
    """The name of the row's format, its turns, and its tools.

    Raises:
        Unreadable: the row has no known format, or does not keep to it.
    """
    if not isinstance(row, dict):
        raise Unreadable(f"a row must be an object with named fields, not {kind(row)}")
    known = forced or recognised(row)
    if known is None:
        raise Unreadable(_no_format(row, FORMATS))
    if forced and any(key not in row for key in forced.fields):
        raise Unreadable(_no_format(row, (forced,)))
    return known.name, known.turns(row), tools_of(row) if known.tools else ()


def _no_format(row: Mapping[str, Any], formats: tuple[Format, ...]) -> str:
    for known in formats:
        missing = [f"`{key}`" for key in known.fields if key not in row]
        if len(missing) < len(known.fields):
            return f"{', '.join(missing)} is missing (the row looks like {known.name})"
    found = ", ".join(str(key)[:40] for key in list(row)[:6]) or "none"
    return f"{'no known format' if len(formats) > 1 else f'not {formats[0].name}'} (its fields: {found})"


def _said(row: Mapping[str, Any], key: str, alone: Turn) -> tuple[Turn, ...]:
    """A field's messages; a string is one message, of the role of `alone`."""
    if isinstance(row[key], list):
        return several(row[key], key)
    return (Turn(alone.role, _text(row, key)),)


def _system(row: Mapping[str, Any]) -> tuple[Turn, ...]:
    text = _optional(row, "system")
    return (Turn("system", text),) if text else ()


def _history(row: Mapping[str, Any]) -> list[Turn]:
    turns: list[Turn] = []
    for pair in row.get("history") or ():
        if not _is_pair(pair):
            raise Unreadable("`history` must be a list of [question, answer] pairs of strings")
        turns += [Turn("user", pair[0]), Turn("assistant", pair[1])]
    return turns


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row[key]
    if not isinstance(value, str):
        raise Unreadable(f"`{key}` must be a string, not {kind(value)}")
    if not value.strip():
        raise Unreadable(f"`{key}` is empty")
    return value


def _optional(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"`{key}` must be a string, not {kind(value)}")
    return value or ""


def _is_pair(pair: object) -> TypeGuard[list[str]]:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(said, str) for said in pair)
