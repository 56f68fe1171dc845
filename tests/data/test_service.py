"""A service's own rules for a file, by its names for them."""

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.data import Breach, read, service_faults
from holdfast.errors import ConfigError

ASKED = {"role": "user", "content": "Hi"}
TOLD = {"role": "assistant", "content": "Ho"}
CALL = [{"id": "c1", "type": "function", "function": {"name": "tide", "arguments": "{}"}}]
GOOD = {"messages": [ASKED, TOLD]}


def breaches(folder: Path, rows: list[Any], name: str = "a.jsonl") -> list[Breach]:
    path = folder / name
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return list(service_faults(read(path), "openai"))


def test_a_file_that_the_service_takes_has_no_breach(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "tide"}}
    called = {"role": "assistant", "content": None, "tool_calls": CALL}
    heard = {"role": "tool", "tool_call_id": "c1", "content": "04:10"}
    rich = {
        "messages": [{"role": "developer", "content": "x"}, ASKED, called, heard, TOLD | {"weight": 0}],
        "tools": [tool],
    }
    assert breaches(tmp_path, [GOOD] * 9 + [rich]) == []


@pytest.mark.parametrize(
    ("row", "rule", "value"),
    [
        ("[1]", "data_type", "[1]"),
        ("{broken", "invalid_file_format", "not valid JSON"),
        ({"prompt": "Hi", "completion": "Ho"}, "missing_messages_list", "missing"),
        ({"messages": []}, "missing_messages_list", "[]"),
        ({"messages": ["Hi", TOLD]}, "message_missing_key", '"Hi"'),
        ({"messages": [{"content": "Hi"}, TOLD]}, "message_missing_key", "`role`"),
        ({"messages": [{"role": "user"}, TOLD]}, "message_missing_key", "`content`"),
        ({"messages": [{"role": "human", "content": "Hi"}, TOLD]}, "unrecognized_role", '"human"'),
        ({"messages": [ASKED, TOLD | {"reasoning_content": "x"}]}, "message_unrecognized_key", '"reasoning_content"'),
        ({"messages": [ASKED, TOLD | {"content": None}]}, "missing_content", "null"),
        ({"messages": [ASKED, TOLD | {"content": ""}]}, "missing_content", '""'),
        ({"messages": [ASKED, TOLD | {"weight": 0.5}]}, "invalid_weight", "0.5"),
        ({"messages": [ASKED, TOLD | {"weight": True}]}, "invalid_weight", "true"),
        ({"messages": [ASKED | {"weight": 1}, TOLD]}, "extra_weight", '"user"'),
        ({"messages": [ASKED]}, "example_missing_assistant_message", '["user"]'),
        ({"messages": [ASKED, TOLD, ASKED]}, "last_message_not_assistant", '"user"'),
        ({"messages": [ASKED, TOLD | {"tool_calls": [{"id": "c"}]}]}, "invalid_tool_calls", '[{"id": "c"}]'),
        ({"messages": [ASKED, TOLD], "tools": [{"name": "tide"}]}, "invalid_tools", '[{"name": "tide"}]'),
    ],
)
def test_each_rule_names_the_line_the_rule_and_the_value(tmp_path: Path, row: Any, rule: str, value: str) -> None:
    (found,) = breaches(tmp_path, [GOOD] * 4 + [row] + [GOOD] * 7)
    assert (found.row, found.rule) == (f"{tmp_path / 'a.jsonl'}:5", rule)
    assert found.reason.startswith("line 5: ")
    assert value in found.reason


def test_the_file_itself_is_looked_at(tmp_path: Path) -> None:
    few = breaches(tmp_path, [GOOD] * 7)
    assert [(each.row, each.rule) for each in few] == [("", "invalid_n_examples")]
    assert "7 examples" in few[0].reason
    (tmp_path / "a.json").write_text(json.dumps([GOOD] * 10))
    (listed,) = service_faults(read(tmp_path / "a.json"), "openai")
    assert (listed.row, listed.rule) == ("", "invalid_file_format")
    assert "JSON list" in listed.reason


def test_an_unknown_service_shows_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(GOOD))
    with pytest.raises(ConfigError, match=r"Did you mean 'openai'\?"):
        service_faults(read(tmp_path / "a.jsonl"), "opnai")
