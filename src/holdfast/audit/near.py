"""Rows whose question differs from an earlier one only in what does not change it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.audit.check import Material
from holdfast.audit.join import near_pairs
from holdfast.audit.words import NEGATIONS, content, question
from holdfast.data import Example, Finding
from holdfast.judges import is_refusal

SHOWN = 160
SHORTEST = 3
"""Content words that a question needs before it can be near another: shorter ones must be equal."""

KNOWN = 3
"""Questions that must use a word before its neighbour by one letter counts as a misspelling of it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as this check compares it."""

    example: Example
    text: str
    content: tuple[str, ...]

    @property
    def signature(self) -> tuple[object, ...]:
        """What near-duplicates must have in common, place by place or in number."""
        numbers = tuple(word for word in self.content if word[0].isdigit())
        negations = sum(word in NEGATIONS for word in self.content)
        return len(self.content), negations, numbers


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """The first row stays. Nearness alone removes nothing: every place of the two questions is compared."""

    name: str = "near-duplicate"
    says: str = "Rows whose question repeats an earlier one up to politeness, articles, plurals and misspellings."
    threshold: float = 0.9

    def find(self, material: Material) -> Iterator[Finding]:
        """A finding for each row near an earlier one that stays, with that row and the cosine."""
        groups: dict[tuple[str, ...], list[Asked]] = {}
        for example in material.examples:
            text = question(example)
            asked = Asked(example, text, tuple(content(text)))
            if len(asked.content) >= SHORTEST:
                groups.setdefault(asked.content, []).append(asked)
        firsts = [group[0] for group in groups.values()]
        nearest = dict(self._joined(firsts))
        for at, (first, *again) in enumerate(groups.values()):
            kept, score = nearest.get(at, (at, 1.0))
            if kept != at:
                yield self._finding(first, firsts[kept], score)
            for row in again:
                yield self._finding(row, firsts[kept], score)

    def _joined(self, rows: Sequence[Asked]) -> Iterator[tuple[int, tuple[int, float]]]:
        """For each row that repeats an earlier one: its place, the place of the one that stays, the cosine."""
        salts: dict[tuple[object, ...], int] = {}
        salt = [salts.setdefault(row.signature, len(salts)) for row in rows]
        known = Counter(word for row in rows for word in set(row.content))
        gone = np.zeros(len(rows), dtype=bool)
        texts = [" ".join(row.content) for row in rows]
        for late, near in near_pairs(texts, salt, self.threshold, gone):
            for early, score in near:
                if same_question(rows[late], rows[early], known):
                    gone[late] = True
                    yield late, (early, score)
                    break

    def _finding(self, row: Asked, kept: Asked, score: float) -> Finding:
        only_refusal = is_refusal(row.example.answer) and not is_refusal(kept.example.answer)
        return Finding(
            self.name,
            row.example.id,
            "Nearly the same question as an earlier row"
            + (", but this one refuses it and stays." if only_refusal else "; the first stays."),
            f"{row.text[:SHOWN]} ≈ {kept.text[:SHOWN]}",
            kept.example.id,
            round(score, 4),
            removes=not only_refusal,
        )


def same_question(row: Asked, other: Asked, known: Counter[str]) -> bool:
    """Whether two questions ask the same: word for word in order, up to plurals and misspellings.

    Numbers, negations and names must be equal: a cosine does not see the difference that they make.
    """
    if len(row.content) != len(other.content):
        return False
    pairs = zip(row.content, other.content, strict=True)
    return all(_variant(a, b, row, other, known) for a, b in pairs if a != b)


def _variant(a: str, b: str, row: Asked, other: Asked, known: Counter[str]) -> bool:
    if not (a.isalpha() and b.isalpha()) or a in NEGATIONS or b in NEGATIONS:
        return False
    if _is_name(a, row.text) or _is_name(b, other.text):
        return False
    short, long = sorted((a, b), key=len)
    if long == f"{short}s" and len(short) >= 3:
        return True
    rare, common = sorted((a, b), key=known.__getitem__)
    return len(short) >= 5 and known[rare] == 1 and known[common] >= KNOWN and one_edit(a, b)


def _is_name(word: str, text: str) -> bool:
    return word.capitalize() in text[1:] or word.upper() in text


def one_edit(a: str, b: str) -> bool:
    """Whether one letter put in, left out, changed, or swapped with its neighbour makes `a` into `b`."""
    short, long = sorted((a, b), key=len)
    at = next((at for at, (x, y) in enumerate(zip(short, long, strict=False)) if x != y), len(short))
    if len(long) - len(short) == 1:
        return short[at:] == long[at + 1 :]
    swapped = short[:at] + short[at : at + 2][::-1] + short[at + 2 :]
    return len(long) == len(short) and (short[at + 1 :] == long[at + 1 :] or swapped == long)
