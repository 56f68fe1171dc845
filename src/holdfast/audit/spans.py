"""Where a text holds the words of a question, in the text as it stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from holdfast.audit.words import words

MARKS = " .,;:!?\"'`“”‘’()[]{}*_"
OPENS = frozenset(".?!:;,\"'`“‘([{>|*_-–—")
"""Marks after which a question may begin; beside them a new line, or the text's beginning."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text, by characters."""

    start: int
    end: int
    words: int
    opens: bool
    """Whether a sentence, a line or a quotation begins there."""
    closes: bool
    """Whether one ends there."""


def span(text: str, asked: Sequence[str]) -> Span | None:
    """The longest run of a text's words that stands unbroken in `asked`; None where none does.

    Its ends fall on the text's spaces, without the marks around it.
    """
    chunks = list(_chunks(text))
    said = [(word, at) for at, (_, _, inside) in enumerate(chunks) for word in inside]
    match = SequenceMatcher(None, [word for word, _ in said], asked, autojunk=False).find_longest_match()
    if not match.size:
        return None
    first, last = match.a, match.a + match.size - 1
    left, right = said[first][1], said[last][1]
    start, end = chunks[left][0], chunks[right][1]
    opens = first > 0 and said[first - 1][1] == left
    stops = last + 1 < len(said) and said[last + 1][1] == right
    shown = text[start:end].strip(MARKS) or text[start:end]
    at = text.index(shown, start)
    return Span(
        at, at + len(shown), match.size, opens or _begins(text, start), not stops and _ends(text, end)
    )  # fmt: skip


def _begins(text: str, at: int) -> bool:
    before = text[:at].rstrip()
    return not before or before[-1] in OPENS or "\n" in text[len(before) : at] or text[at] in OPENS


def _ends(text: str, at: int) -> bool:
    after = text[at:].lstrip()
    return not after or not text[at - 1].isalnum() or "\n" in text[at : len(text) - len(after)]


def _chunks(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """Each part between spaces: where it starts and ends, and its words."""
    end = 0
    for part in text.split():
        start = text.index(part, end)
        end = start + len(part)
        yield start, end, words(part)
