"""The history of releases against the first anchor: what each changed since then, and how often its prompts decided.

Reads no disk and makes no statistics of its own: every verdict is `compare`'s.
"""

from holdfast.ledger.adding import New, add
from holdfast.ledger.entry import Change, Compared, Entry, Kind, to_line
from holdfast.ledger.history import differing, margin_changes, newest, read_entries, recomputed
from holdfast.ledger.judging import Shelf
from holdfast.ledger.kept import Kept, keep, prompt_set, restore
from holdfast.ledger.uses import uses, uses_say

__all__ = [
    "Change",
    "Compared",
    "Entry",
    "Kept",
    "Kind",
    "New",
    "Shelf",
    "add",
    "differing",
    "keep",
    "margin_changes",
    "newest",
    "prompt_set",
    "read_entries",
    "recomputed",
    "restore",
    "to_line",
    "uses",
    "uses_say",
]
