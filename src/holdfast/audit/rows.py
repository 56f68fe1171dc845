"""Rows laid out to be compared by their questions. Knows nothing of cosines."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from holdfast.audit.clusters import Flags, Forest, Ints
from holdfast.audit.same import Questions, laid_out
from holdfast.audit.words import content, normal, question
from holdfast.data import Example

SHORTEST = 3
"""Content words that a question needs before it can be near another: shorter ones must be equal."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that can be near-duplicates, and which of them need no encoder to be the same."""

    examples: tuple[Example, ...]
    group: Ints
    """For each row, the group of those whose questions are equal up to politeness and articles."""
    first: Ints
    """For each group, its first row."""
    texts: tuple[str, ...]
    """For each group, what is encoded: its content words."""
    questions: Questions
    """For each group, the question of its first row."""
    cited: Ints
    """For each group, which words it asks about: groups with other ones never ask the same."""

    @property
    def digest(self) -> str:
        """Of the rows' ids and of what is encoded: equal for the very same rows in the same order."""
        total = sha256("\n".join(row.id for row in self.examples).encode(errors="surrogatepass"))
        total.update("\n".join(self.texts).encode(errors="surrogatepass"))
        return total.hexdigest()

    def same(self, left: Ints, right: Ints) -> Flags:
        """For each pair of rows, whether they ask the same."""
        one, other = self.group[left], self.group[right]
        same: Flags = (one == other) | self.asks_same(one, other)
        return same

    def asks_same(self, one: Ints, other: Ints) -> Flags:
        """For each pair of groups, whether they ask the same of the same words."""
        same: Flags = self.questions.same(one, other) & (self.cited[one] == self.cited[other])
        return same

    def difference(self, one: int, other: int) -> str:
        """In what the questions of two groups differ."""
        if self.cited[one] != self.cited[other]:
            return "other words in quotes, or after a colon"
        return self.questions.difference(one, other)


CITED = re.compile(r"\"[^\"]*\"|“[^”]*”|`[^`]*`|(?<!\w)'[^']+'(?!\w)|(?<=:)\s.*|\n.*", re.DOTALL)
"""What is asked about: words in quotes, and all that follows a colon or the first line."""


def comparable(examples: Sequence[Example]) -> Rows:
    """The rows that have words enough, grouped by their content words.

    A question that was asked before in the same words and answered otherwise, which another check notes, is not looked
    at again.
    """
    groups: dict[tuple[tuple[str, ...], str], int] = {}
    answered: dict[str, str] = {}
    chosen: list[Example] = []
    group: list[int] = []
    first: list[int] = []
    for example in examples:
        asked = question(example)
        words, plain = tuple(content(asked)), normal(asked)
        answer = normal(example.answer)
        if len(words) < SHORTEST or answered.setdefault(plain, answer) != answer:
            continue
        if (at := groups.setdefault((words, cited(asked)), len(groups))) == len(first):
            first.append(len(chosen))
        chosen.append(example)
        group.append(at)
    laid = laid_out([question(chosen[at]) for at in first])
    texts = tuple(" ".join(words) for words, _ in groups)
    about: dict[str, int] = {}
    cites = np.array([about.setdefault(words, len(about)) for _, words in groups], np.int64)
    return Rows(tuple(chosen), np.array(group, np.int64), np.array(first, np.int64), texts, laid, cites)


def cited(text: str) -> str:
    """The words that a question is about, as they stand but for white space."""
    return " | ".join(" ".join(part.split()).strip(" .!?") for part in CITED.findall(text.strip()))


def forest_of(rows: Rows, links: Sequence[Sequence[str | float]], floor: float) -> Forest:
    """The forest of these rows whose links a figure wrote down."""
    place = {row.id: at for at, row in enumerate(rows.examples)}
    ends = np.array([[place[str(left)], place[str(right)]] for left, right, _ in links], np.int64).reshape(-1, 2)
    cosine = np.array([float(cosine) for *_, cosine in links])
    return Forest(len(rows.examples), ends[:, 0], ends[:, 1], cosine, floor)
