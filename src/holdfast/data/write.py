"""Rows as text again, unchanged. Does not write: the disk belongs to the door."""

import json
from collections.abc import Iterable, Iterator

from holdfast.data.example import Example


def write_rows(examples: Iterable[Example]) -> Iterator[str]:
    r"""Each example's row as one line of JSON: a line of JSONL exactly as it stood, its `\r` as well if it had one.

    A row that was spread over several lines is put on one, its fields and values unchanged; an example that came
    from no file is written as `messages`, and `tools` if it has any. The strings carry no line end.
    """
    for example in examples:
        if not example.text:
            tools = {"tools": list(example.tools)} if example.tools else {}
            yield json.dumps({"messages": example.messages(), **tools}, ensure_ascii=False)
        elif "\n" in example.text:
            yield json.dumps(example.row, ensure_ascii=False)
        else:
            yield example.text
