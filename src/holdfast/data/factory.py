"""LLaMA-Factory's `dataset_info.json`: under which names a file's rows have the fields of Alpaca or ShareGPT.

Source: the README of LLaMA-Factory's `data` folder.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.data.example import Turn
from holdfast.data.formats import Format, format_named

INFO = "dataset_info.json"

ALPACA = {"prompt": "instruction", "query": "input", "response": "output", "system": "system", "history": "history"}
"""Its names for columns -> ours, which are also the names they have where the file says nothing."""

SHAREGPT = {"messages": "conversations", "system": "system", "tools": "tools"}
TAGS = {
    "user_tag": "human",
    "assistant_tag": "gpt",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}


def described(file: Path) -> Format | None:
    """The format that a `dataset_info.json` beside the file gives its rows; nothing where it gives none.

    A description that is no plain renaming (preference pairs, images, other layouts) is passed over.
    """
    try:
        info = json.loads(file.with_name(INFO).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    entries = [entry for entry in info.values() if isinstance(entry, dict)] if isinstance(info, dict) else []
    mine = [entry for entry in entries if entry.get("file_name") == file.name]
    return _format(mine[0]) if len(mine) == 1 else None


def _format(entry: Mapping[str, Any]) -> Format | None:
    kind, columns, tags = entry.get("formatting", "alpaca"), entry.get("columns") or {}, entry.get("tags") or {}
    known = {"alpaca": ALPACA, "sharegpt": SHAREGPT}.get(kind) if isinstance(kind, str) else None
    names = [*columns.items(), *tags.items()] if isinstance(columns, dict) and isinstance(tags, dict) else [(0, 0)]
    plain = all(isinstance(name, str) and isinstance(value, str) for name, value in names)
    if known is None or not plain or entry.get("ranking") or columns.keys() - known.keys():
        return None
    given = {columns.get(theirs, ours): ours for theirs, ours in known.items()}
    like = format_named(kind)
    theirs = {ours: name for name, ours in given.items()}

    def turns(row: Mapping[str, Any]) -> tuple[Turn, ...]:
        renamed = {given[key]: value for key, value in row.items() if key in given}
        return like.turns(_tagged(renamed, tags) if kind == "sharegpt" else renamed)

    fields = tuple(theirs[field] for field in like.fields)
    return Format(like.name, fields, turns, tools=like.tools and theirs["tools"] == "tools")


def _tagged(row: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """The row with its messages in ShareGPT's own words."""
    who, says = tags.get("role_tag", "from"), tags.get("content_tag", "value")
    speakers = {tags.get(tag, word): word for tag, word in TAGS.items()}

    def message(said: Any) -> Any:
        if not isinstance(said, dict):
            return said
        rest = {key: value for key, value in said.items() if key not in (who, says)}
        return {**rest, "from": speakers.get(str(said.get(who)), said.get(who)), "value": said.get(says)}

    said = row.get("conversations")
    return {**row, "conversations": [message(each) for each in said] if isinstance(said, list) else said}
