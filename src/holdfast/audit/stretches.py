"""Stretches of words that texts share with questions, counted in numpy. Knows nothing of what a shared one means."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

GRAM = 8
"""Words of a stretch; a shorter question is one stretch of its own length."""

SHORTEST = 3
"""Words that a question needs to be looked for inside a text."""

TEXTS_AT_ONCE = 5_000
SIEVE = 22
"""Bits of the table that passes over most stretches before any is looked up."""

BITS = np.uint64(64 - SIEVE)
MIXED = np.uint64(0x9E3779B97F4A7C15)
PRIME = np.uint64(1_099_511_628_211)
Hashes = NDArray[np.uint64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sought:
    """The stretches of some questions."""

    numbers: dict[str, int]
    """Each word of the questions, from 1; 0 is any other word, or the end of a text."""
    values: dict[int, Hashes]
    """For each width its stretches, sorted; they are numbered through, the narrowest width first."""
    of: sparse.csr_array
    """Questions by stretches, 1 where a question has the stretch."""


def sought(questions: Sequence[Sequence[str]]) -> Sought:
    """The stretches of questions that are given as words; those below `SHORTEST` have none."""
    numbers: dict[str, int] = {}
    said = [np.array([numbers.setdefault(word, len(numbers) + 1) for word in each], np.uint64) for each in questions]
    values: dict[int, Hashes] = {}
    owners: list[Ints] = []
    places: list[Ints] = []
    before = 0
    for width in range(SHORTEST, GRAM + 1):
        chosen = [at for at, each in enumerate(said) if min(len(each), GRAM) == width]
        rolled = [_rolled(said[at], width) for at in chosen]
        stretches = np.concatenate([*rolled, np.empty(0, np.uint64)])
        values[width], place = np.unique(stretches, return_inverse=True)
        owners.append(np.repeat(np.array(chosen, np.int64), [len(each) for each in rolled]))
        places.append(place + before)
        before += len(values[width])
    return Sought(numbers, values, _table(np.concatenate(owners), np.concatenate(places), (len(said), before)))


def held(texts: Sequence[Sequence[Sequence[str]]], asked: Sought) -> sparse.csr_array:
    """Texts by stretches, 1 where the text has the stretch within one of its parts.

    Args:
        texts: for each text its parts (the turns of a row), each as its words.
        asked: what is looked for.
    """
    found = [_held(texts[first : first + TEXTS_AT_ONCE], asked) for first in range(0, len(texts), TEXTS_AT_ONCE)]
    return sparse.csr_array(sparse.vstack(found, format="csr")) if found else sparse.csr_array((0, asked.of.shape[1]))


def _held(texts: Sequence[Sequence[Sequence[str]]], asked: Sought) -> sparse.csr_array:
    flat = [*chain.from_iterable((*part, "") for text in texts for part in text)]
    lengths = [sum(len(part) + 1 for part in text) for text in texts]
    said = np.fromiter(map(asked.numbers.get, flat, repeat(0)), np.uint64, len(flat))
    owner = np.repeat(np.arange(len(texts)), lengths)
    rows, places, before = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for width, rolled in _widths(said):
        values = asked.values[width]
        at = np.flatnonzero(_sieved(rolled, values))
        place = np.minimum(np.searchsorted(values, rolled[at]), max(0, len(values) - 1))
        hit = values[place] == rolled[at] if len(values) else np.zeros(0, dtype=bool)
        rows.append(owner[at[hit]])
        places.append(place[hit] + before)
        before += len(values)
    return _table(np.concatenate(rows), np.concatenate(places), (len(texts), asked.of.shape[1]))


def _widths(said: Hashes) -> Iterator[tuple[int, Hashes]]:
    """For each width, all its stretches."""
    rolled = said
    for width in range(2, min(GRAM, len(said)) + 1):
        rolled = rolled[:-1] * PRIME + said[width - 1 :]
        if width >= SHORTEST:
            yield width, rolled


def _sieved(rolled: Hashes, values: Hashes) -> NDArray[np.bool_]:
    """Whether a stretch may be among the values: most that are not are told apart by some of their bits."""
    sieve = np.zeros(1 << SIEVE, dtype=bool)
    sieve[values * MIXED >> BITS] = True
    passed: NDArray[np.bool_] = sieve[rolled * MIXED >> BITS]
    return passed


def _table(rows: Ints, columns: Ints, shape: tuple[int, int]) -> sparse.csr_array:
    table = sparse.csr_array((np.ones(len(rows), np.int32), (rows, columns)), shape=shape)
    table.sum_duplicates()
    table.data[:] = 1
    return table


def _rolled(said: Hashes, width: int) -> Hashes:
    return next((rolled for at, rolled in _widths(said) if at == width), np.empty(0, np.uint64))
