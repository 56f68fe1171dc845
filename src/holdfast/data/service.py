"""What a fine-tuning service refuses of a file, row by row, before it is uploaded.

The rules of OpenAI's are those of its cookbook ("Data preparation and analysis for chat model fine-tuning"), by
its names for them, and those of the messages that its upload and its jobs are known to give. Lengths, prices and
what its moderation says of a row are not looked at.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.data.example import Dataset
from holdfast.data.turns import CALLS, ROLES
from holdfast.errors import ConfigError, nearest

SERVICES = ("openai",)

FEWEST = 10
"""Examples that a job takes; with fewer it ends in `invalid_n_examples`."""

KEYS = ("role", "content", "name", "weight", "tool_call_id", "refusal", *CALLS)


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule of the service that a row, or the file, does not keep."""

    row: str
    """The row's id; empty for the whole file."""
    rule: str
    """The rule's name: the service's own where it has one."""
    reason: str


def service_faults(dataset: Dataset, service: str) -> Iterator[Breach]:
    """What the service would refuse, the file first and then its rows in order; broken rows are looked at too.

    Raises:
        ConfigError: there is no such service.
    """
    if service not in SERVICES:
        raise ConfigError(f"There is no service {service!r}.", nearest(service, SERVICES), "Name one of them.")
    return _openai(dataset)


def _openai(dataset: Dataset) -> Iterator[Breach]:
    if dataset.container != "JSONL":
        yield Breach("", "invalid_file_format", f"{dataset.name!r} is {dataset.container}; the service takes JSONL")
    if (count := len(dataset.examples)) < FEWEST:
        yield Breach(
            "", "invalid_n_examples", f"{dataset.name!r} has {count} examples; the service takes no fewer than {FEWEST}"
        )
    texts = [(fault.line, fault.id, fault.text) for fault in dataset.faults]
    texts += [(int(each.id.rpartition(":")[2]), each.id, each.text) for each in dataset.examples]
    for _, id, text in sorted(texts, key=lambda each: each[0]):
        place = f"{dataset.unit} {id.rpartition(':')[2]}"
        for rule, reason in _row(text):
            yield Breach(id, rule, f"{place}: {reason}")


def _row(text: str) -> Iterator[tuple[str, str]]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield "invalid_file_format", f"not valid JSON: {error}"
        return
    if not isinstance(row, dict):
        yield "data_type", f"a row must be an object, not {_shown(row)}"
        return
    said = row.get("messages")
    if not isinstance(said, list) or not said:
        yield "missing_messages_list", f"`messages` is {_shown(said) if 'messages' in row else 'missing'}"
        return
    for number, message in enumerate(said, 1):
        for rule, reason in _message(message):
            yield rule, f"message {number} {reason}"
    roles = [message.get("role") if isinstance(message, dict) else None for message in said]
    if "assistant" not in roles:
        yield "example_missing_assistant_message", f"no message is from 'assistant' (roles: {_shown(roles)})"
    elif roles[-1] != "assistant":
        yield "last_message_not_assistant", f"the last message is from {_shown(roles[-1])}"
    yield from _tools(row.get("tools"))


def _message(message: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(message, dict):
        yield "message_missing_key", f"is no object with `role` and `content`, but {_shown(message)}"
        return
    role = message.get("role")
    if role is None:
        yield "message_missing_key", "has no `role`"
    elif role not in ROLES:
        yield "unrecognized_role", f"has the role {_shown(role)}; known are {', '.join(ROLES)}"
    for key in message:
        if key not in KEYS:
            yield "message_unrecognized_key", f"has the key {_shown(key)}; known are {', '.join(KEYS)}"
    for look in (_content, _weight, _calls):
        yield from look(message)


def _content(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    content = message.get("content")
    if any(map(message.get, CALLS)) and content is None:
        return
    if "content" not in message:
        yield "message_missing_key", "has no `content`"
    elif not isinstance(content, str | list) or not content:
        yield "missing_content", f"has the content {_shown(content)}"


def _weight(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    weight = message.get("weight")
    if weight is None:
        return
    if isinstance(weight, bool) or weight not in (0, 1):
        yield "invalid_weight", f"has the weight {_shown(weight)}; it may be 0 or 1"
    if message.get("role") != "assistant":
        yield "extra_weight", f"has a weight, and is from {_shown(message.get('role'))}; only an assistant's may"


def _calls(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    calls = message.get("tool_calls")
    if calls is None:
        return
    if not isinstance(calls, list) or not all(map(_is_function, calls)):
        yield "invalid_tool_calls", f"has tool calls that are no list of functions with a name: {_shown(calls)}"


def _tools(tools: Any) -> Iterator[tuple[str, str]]:
    if tools is not None and not (isinstance(tools, list) and all(map(_is_function, tools))):
        yield "invalid_tools", f"`tools` is no list of functions with a name: {_shown(tools)}"


def _is_function(tool: Any) -> bool:
    function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
    return isinstance(function, dict) and isinstance(function.get("name"), str)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)[:80]
