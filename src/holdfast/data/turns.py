"""Messages as turns, in OpenAI's words (`role`, `content`) and in ShareGPT's (`from`, `value`)."""

import json
from collections.abc import Mapping
from typing import Any

from holdfast.data.example import NOTHING, Role, Turn

ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}

SPEAKERS: Mapping[str, Role] = {
    **ROLES,
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "function_call": "assistant",
    "observation": "tool",
    "function_response": "tool",
}
"""ShareGPT's words; a `function_call` is what the assistant says, in the words that it had."""

CALLS = ("tool_calls", "function_call")


class Unreadable(ValueError):
    """A row that is no example; the message says why."""


def conversation(said: object, field: str) -> tuple[Turn, ...]:
    """A list of messages as turns that hold a question and end with an answer.

    Raises:
        Unreadable: it is none.
    """
    return complete(several(said, field))


def several(said: object, field: str) -> tuple[Turn, ...]:
    """A list of messages as turns, however it ends."""
    if not isinstance(said, list) or not said:
        raise Unreadable(f"`{field}` must be a list with at least one message, not {kind(said)}")
    return tuple([_turn(number, message) for number, message in enumerate(said, 1)])


def complete(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The turns, if they can be learnt from."""
    if turns[-1].role != "assistant":
        raise Unreadable(f"the last message is from {turns[-1].role!r}, so there is no answer to learn")
    if all(turn.role != "user" for turn in turns):
        raise Unreadable("no message is from 'user', so there is no question")
    return turns


def tools_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """The row's `tools`: a list, or a list written as JSON, as ShareGPT files have it."""
    tools = row.get("tools")
    if isinstance(tools, str) and tools.strip():
        try:
            tools = json.loads(tools)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"`tools` is text, and not valid JSON: {error}") from error
    if not tools:
        return ()
    if not isinstance(tools, list):
        raise Unreadable(f"`tools` must be a list, not {kind(tools)}")
    return tuple(tools)


def kind(value: object) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "a string", type(None): "null", bool: "a truth value"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)


def _turn(number: int, message: object) -> Turn:
    if not isinstance(message, dict):
        raise Unreadable(f"message {number} must be an object, not {kind(message)}")
    shared = "from" in message and message.get("role") is None
    who, says, roles = ("from", "value", SPEAKERS) if shared else ("role", "content", ROLES)
    role, content = message.get(who), message.get(says)
    known = roles.get(role) if isinstance(role, str) else None
    if role is None or known is None:
        raise Unreadable(f"message {number} has the role {role!r}; known are {', '.join(roles)}")
    if len(message) == 2 and isinstance(content, str) and content.strip():
        return Turn(known, content, NOTHING)
    # Arrow fills the keys that a message lacks with null: null means that the key is absent.
    more = {key: item for key, item in message.items() if key not in (who, says) and item is not None}
    calls = any(map(more.get, CALLS))
    return Turn(known, _content(number, role, content, calls), more or NOTHING)


def _content(number: int, role: str, content: object, calls: bool) -> str:
    """A message's text; one that calls tools may have none, and what is told to the model may be empty."""
    if isinstance(content, list):
        content = "\n".join([_part(number, part) for part in content])
    if content is None and calls:
        return ""
    if not isinstance(content, str):
        raise Unreadable(f"message {number} ({role}) has no text: its content is {kind(content)}")
    if not (content.strip() or calls or SPEAKERS[role] in ("system", "tool")):
        raise Unreadable(f"message {number} ({role}) is empty")
    return content


def _part(number: int, part: object) -> str:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    found = f" ({part.get('type')!r})" if isinstance(part, dict) else ""
    raise Unreadable(f"message {number} has a part that is not text{found}")
