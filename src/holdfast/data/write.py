"""Rows as text again, unchanged. Does not write: the disk belongs to the door."""

import json
from collections.abc import Iterable, Iterator

from holdfast.data.example import Example


def write_rows(examples: Iterable[Example]) -> Iterator[str]:
    """Each example's row as one JSON line, with the fields and values that it had in its file.

    An example that came from no file is written as `messages`. The strings carry no line end.
    """
    for example in examples:
        yield json.dumps(dict(example.raw) or {"messages": example.messages()}, ensure_ascii=False)
