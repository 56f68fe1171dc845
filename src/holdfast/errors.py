"""What can go wrong, and whose it is to mend.

    HoldfastError              the user's to mend: one clear message, exit code 2
    ├── DataError              a file or a row
    ├── ConfigError            a setting; all faults of a configuration at once
    ├── ModelError             a folder that is no model, a checkpoint that does not fit
    └── OutputError            a folder that already holds something else

Everything that is not a `HoldfastError` is a fault of ours: traceback, exit code 4.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class HoldfastError(Exception):
    """An error with three parts: what (with the value), why, and the command that mends it."""

    def __init__(self, what: str, why: str = "", mend: str = "") -> None:
        self.what, self.why, self.mend = what, why, mend
        super().__init__("\n  ".join(part for part in (what, why, mend) if part))


class DataError(HoldfastError):
    """A file or a row that cannot be used."""


class ConfigError(HoldfastError):
    """A setting that does not exist or cannot hold the value it was given."""


class ModelError(HoldfastError):
    """A model that cannot be found, loaded or used for what was asked."""


class OutputError(HoldfastError):
    """An output folder that holds another run."""


def nearest(word: str, known: Iterable[str]) -> str:
    """`word` and the known names, the most similar first: the tail of every "no such name" message."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return f"{hint}Known: {', '.join(names)}."
