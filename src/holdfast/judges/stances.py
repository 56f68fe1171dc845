"""Finds stances in words: which sentence apologises, declines, moralises, redirects. Knows no answers and no weights.

The wording is data (`stances.txt`), so that it can be read, argued with and extended. Each word that a line names has
a code of one character. Where a line may begin is looked up by two neighbouring codes for a whole batch at once; what
follows in a longer line is a regular expression over codes, tried there only.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from holdfast.judges.openings import Opening, Openings, openings

Flags = NDArray[np.bool_]

FILE = "stances.txt"
OTHER, END, ASKED = "\u0100", "\u0101", "\u0102"
"""The codes of a word that no line names, of a sentence's end, and of the end of a question."""

ANY = f"[^{END}{ASKED}]"
GAP = re.compile(r"\.\.(\d)$")


@dataclass(frozen=True, slots=True)
class Stances:
    """The families of wording, compiled."""

    codes: Mapping[str, str]
    """Word to code."""
    families: tuple[str, ...]
    openings: Openings

    def found(self, codes: NDArray[np.uint16], sentence: NDArray[np.int64]) -> dict[str, Flags]:
        """Per family, whether each sentence takes it; a line may begin with the end of the sentence before."""
        flags = np.zeros((len(self.families), int(sentence[-1]) + 1 if len(sentence) else 0), dtype=np.bool_)
        family, at = self.openings.found(codes)
        flags[family, sentence[at]] = True
        return dict(zip(self.families, flags, strict=True))


@cache
def stances() -> Stances:
    """The packaged families."""
    return compiled(text())


def text() -> str:
    """The packaged wording, as it stands in the file."""
    return (files("holdfast.judges") / FILE).read_text(encoding="utf-8")


def compiled(wording: str) -> Stances:
    """Classes and families from the text of a wording file.

    Raises:
        ValueError: a line names no known class, or could begin with nothing.
    """
    classes: dict[str, list[str]] = {}
    lines: list[tuple[int, str]] = []
    families: list[str] = []
    for line in wording.split("\n"):
        name, equals, words = line.partition(" = ")
        if equals:
            classes[name] = words.split()
        elif line.startswith("["):
            families.append(line[1:-1])
        elif line and not line.startswith("#"):
            lines.append((len(families) - 1, line))
    reader = _Lines(classes)
    read = [reader.line(family, line) for family, line in lines]
    return Stances(reader.codes, tuple(families), openings(read, ord(OTHER) + 3 + len(reader.codes), END + ASKED))


class _Lines:
    """Lines of wording over codes, which are given out as words come up."""

    def __init__(self, classes: Mapping[str, list[str]]) -> None:
        self.classes = classes
        self.codes: dict[str, str] = {}

    def line(self, family: int, line: str) -> Opening:
        """How the line begins, and an expression for what follows its first word."""
        first, *rest = line.split()
        if first[-1] in "?*" or first[0] == "!" or GAP.match(first):
            raise ValueError(f"a line begins with a word: {line!r}")
        expression = "".join(map(self.element, rest))
        whole = not rest or (len(rest) == 1 and not self.may_be_none(rest[0]))
        return Opening(family, self.choice(first), self.second(rest), "" if whole else expression)

    def second(self, rest: Sequence[str]) -> str | None:
        """The codes that the rest may begin with: None for all, and a gap's mark for all but a sentence's end."""
        codes = ""
        for element in rest:
            if GAP.match(element):
                return ANY if any(not self.may_be_none(each) for each in rest) else None
            if element[0] != "!":
                codes += self.choice(element.rstrip("?*"))
            if not self.may_be_none(element):
                return codes
        return None

    def may_be_none(self, element: str) -> bool:
        """Whether no word need stand for an element."""
        return element[0] == "!" or element[-1] in "?*" or bool(GAP.match(element))

    def element(self, element: str) -> str:
        """One element as an expression."""
        gap = GAP.match(element)
        if gap:
            return f"{ANY}{{0,{gap[1]}}}?"
        if element[0] == "!":
            return f"(?![{self.choice(element[1:])}])"
        mark = element[-1] if element[-1] in "?*" else ""
        return f"[{self.choice(element.removesuffix(mark))}]{mark}"

    def choice(self, element: str) -> str:
        """The codes of all words that stand for an element."""
        if element == "^":
            return END + ASKED
        return "".join(sorted({self.code(word) for part in element.split("/") for word in self.words(part)}))

    def words(self, part: str) -> Iterator[str]:
        """A class's words, or the word itself."""
        if part[0] != "{":
            yield part
        elif part[1:-1] not in self.classes:
            raise ValueError(f"no class {part}")
        else:
            yield from self.classes[part[1:-1]]

    def code(self, word: str) -> str:
        """The word's code; a new one for a new word."""
        return self.codes.setdefault(word, chr(ord(OTHER) + 3 + len(self.codes)))
