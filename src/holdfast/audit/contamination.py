"""Rows that hold an evaluation question. The evaluation stays; the training row goes.

Knows nothing of answers to the question, nor of paraphrases and translations of it: those pass.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.audit.check import Material
from holdfast.audit.words import normal, words
from holdfast.data import Example, Finding

GRAM = 8
"""Words that a shared stretch must have; a shorter question must be held whole."""

SHORTEST = 5
"""Words below which a question is only looked for as the whole prompt."""

COMMON = 10
"""Rows, or questions, that share a stretch before it counts as common wording and proves nothing."""

ROWS_AT_ONCE = 10_000
PRIME = np.uint64(1_099_511_628_211)
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Item:
    """An evaluation question, with its place."""

    id: str
    text: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contamination:
    """Three verdicts: the whole prompt is the question, a short one is contained, or long stretches are shared."""

    name: str = "contamination"
    says: str = "Rows that hold a question of the evaluation sets they are audited against."
    share: float = 0.5
    """Of a long question's eight-word stretches, the part that a row must hold."""

    def find(self, material: Material) -> Iterator[Finding]:
        """A finding for each row that holds an evaluation question: which one, how, and the span."""
        items = [Item(id, text, tuple(words(text))) for each in material.against for id, text in each.items]
        if not items or not material.examples:
            return
        exact = {normal(item.text): item for item in reversed(items)}
        shared = _shared(material.examples, items, self.share)
        for at, example in enumerate(material.examples):
            if item := exact.get(normal(example.prompt)):
                reason = "The prompt is an evaluation question, word for word."
                yield Finding(self.name, example.id, reason, item.text[:300], item.id, 1.0)
            elif at in shared:
                held = shared[at]
                how = "the whole" if held.part == 1.0 else f"{held.part:.0%} of the telling stretches"
                reason = f"The row holds {how} of an evaluation question."
                yield Finding(self.name, example.id, reason, held.span[:300], held.item.id, round(held.part, 4))


@dataclass(frozen=True, slots=True)
class Held:
    """The part of a question that a row holds."""

    item: Item
    part: float
    span: str


def _shared(examples: Sequence[Example], items: Sequence[Item], share: float) -> Mapping[int, Held]:
    """For each row that holds at least `share` of a question, by the row's place: the most that it holds."""
    ids: dict[str, int] = {}
    spoken = [words("\n".join(turn.content for turn in row.turns)) for row in examples]
    said = [_numbered(ids, row) for row in spoken]
    prompts: dict[str, int] = {}
    prompt_of = [prompts.setdefault(normal(row.prompt), len(prompts)) for row in examples]
    best: dict[int, Held] = {}
    for width in range(GRAM, SHORTEST - 1, -1):
        chosen = [item for item in items if min(len(item.words), GRAM) == width]
        asked = [frozenset(_rolled(_numbered(ids, item.words), width).tolist()) for item in chosen]
        held = _held(said, asked, width)
        for row, at, part in _parts(held, asked, prompt_of):
            if part >= share and (row not in best or part > best[row].part):
                best[row] = Held(chosen[at], part, _span(spoken[row], said[row], asked[at], width))
    return best


def _held(said: Sequence[Hashes], asked: Sequence[frozenset[int]], width: int) -> dict[int, set[int]]:
    """The asked stretches that occur in the rows, each with the places of its rows."""
    wanted = np.array(sorted(set[int]().union(*asked)), np.uint64)
    rows_of: dict[int, set[int]] = {}
    for first in range(0, len(said) if len(wanted) else 0, ROWS_AT_ONCE):
        rolled = [_rolled(row, width) for row in said[first : first + ROWS_AT_ONCE]]
        owners = np.repeat(np.arange(first, first + len(rolled)), [len(row) for row in rolled])
        stretches = np.concatenate(rolled)
        place = np.minimum(np.searchsorted(wanted, stretches), len(wanted) - 1)
        hit = wanted[place] == stretches
        for stretch, row in zip(stretches[hit].tolist(), owners[hit].tolist(), strict=True):
            rows_of.setdefault(stretch, set()).add(row)
    return rows_of


def _parts(
    held: Mapping[int, set[int]], asked: Sequence[frozenset[int]], prompt_of: Sequence[int]
) -> Iterator[tuple[int, int, float]]:
    """(row, question, the part of the question's stretches that the row holds): 1 where it holds them all.

    A part is counted over telling stretches: not those that many different prompts or many questions share.
    """
    many = max(COMMON, len(set(prompt_of)) // 1000)
    common = {each for each, rows in held.items() if len({prompt_of[row] for row in rows}) > many}
    times = Counter(each for stretches in asked for each in stretches)
    common |= {each for each, count in times.items() if count > COMMON}
    for at, stretches in enumerate(asked):
        rows = Counter(row for each in stretches for row in held.get(each, ()))
        telling = Counter(row for each in stretches - common for row in held.get(each, ()))
        for row, count in rows.items():
            whole = count == len(stretches)
            yield row, at, 1.0 if whole else telling[row] / max(1, len(stretches - common))


def _span(spoken: Sequence[str], said: Hashes, stretches: frozenset[int], width: int) -> str:
    """The longest run of words that the row shares with the question."""
    best, run = (0, 0), 0
    for at, stretch in enumerate(_rolled(said, width).tolist()):
        run = run + 1 if stretch in stretches else 0
        best = max(best, (run, at))
    run, at = best
    return " ".join(spoken[at - run + 1 : at + width])


def _rolled(text: Hashes, width: int) -> Hashes:
    """Each stretch of `width` words as one number, modulo 2^64."""
    rolled = np.zeros(max(0, len(text) - width + 1), np.uint64)
    for offset in range(width if len(rolled) else 0):
        rolled = rolled * PRIME + text[offset : offset + len(rolled)]
    return rolled


def _numbered(ids: dict[str, int], said: Sequence[str]) -> Hashes:
    return np.fromiter((ids.setdefault(word, len(ids) + 1) for word in said), np.uint64, len(said))
