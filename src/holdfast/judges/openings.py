"""Finds lines of wording in coded words: the first two words by one look-up for all lines, the rest by expression."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Opening:
    """How lines of one family begin. Lines that begin alike share it."""

    family: int
    first: str
    """The codes of the first word."""
    second: str | None
    """The codes that may follow, None where any may; what is in brackets with a `^` is what may not."""
    rest: str
    """An expression for what follows the first word; empty where the first two words are the whole line."""


@dataclass(frozen=True, slots=True)
class Openings:
    """All of them, laid out for looking up."""

    rows: Ints
    """Per code, its row in `table` as a first word."""
    columns: Ints
    """Per code, its column in `table` as a second word."""
    table: Ints
    """The set of openings that two such words may be; 0 is the empty set."""
    starts: Ints
    """Per set, where it begins in `members`; one more at the end."""
    members: Ints
    """The openings of all sets in a row."""
    family: Ints
    """Per opening."""
    rests: tuple[re.Pattern[str] | None, ...]
    """Per opening; None where nothing is left to look for."""

    def found(self, codes: NDArray[np.uint16]) -> tuple[Ints, Ints]:
        """The family and the place of every match; a match at a place may be told more than once."""
        sets = self.table[self.rows[codes[:-1]], self.columns[codes[1:]]]
        at = np.flatnonzero(sets)
        sets = sets[at]
        count = self.starts[sets + 1] - self.starts[sets]
        inside = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        opening, place = self.members[np.repeat(self.starts[sets], count) + inside], np.repeat(at, count)
        order = np.argsort(opening, kind="stable")
        opening, place = opening[order], place[order]
        kept = np.ones(len(place), dtype=np.bool_)
        coded = codes.astype("<u2").tobytes().decode("utf-16-le")
        after, cuts = (place + 1).tolist(), np.searchsorted(opening, range(len(self.rests) + 1)).tolist()
        for rest, low, high in zip(self.rests, cuts[:-1], cuts[1:], strict=True):
            if rest and low < high:
                match = rest.match
                kept[low:high] = [match(coded, start) is not None for start in after[low:high]]
        return self.family[opening[kept]], place[kept]


def openings(every: Sequence[Opening], codes: int, ends: str) -> Openings:
    """Openings from lines. `codes` bounds the codes, `ends` are those that end a sentence."""
    alike: dict[tuple[int, str, str | None, bool], list[str]] = {}
    for each in every:
        alike.setdefault((each.family, each.first, each.second, each.rest == ""), []).append(each.rest)
    firsts, seconds = (np.zeros((codes, len(alike)), dtype=np.bool_) for _ in range(2))
    for number, (_, first, second, _) in enumerate(alike):
        firsts[list(map(ord, first)), number] = True
        if second is None or second.startswith("[^"):
            seconds[:, number] = True
            seconds[list(map(ord, ends if second else "")), number] = False
        else:
            seconds[list(map(ord, second)), number] = True
    rows, columns = _distinct(firsts), _distinct(seconds)
    sets: dict[bytes, int] = {np.zeros(len(alike), dtype=np.bool_).tobytes(): 0}
    table = [
        [sets.setdefault((firsts[row] & seconds[column]).tobytes(), len(sets)) for column in np.unique(columns)]
        for row in np.unique(rows)
    ]
    members = [np.flatnonzero(np.frombuffer(each, dtype=np.bool_)) for each in sets]
    return Openings(
        rows=np.unique(rows, return_inverse=True)[1],
        columns=np.unique(columns, return_inverse=True)[1],
        table=np.array(table),
        starts=np.cumsum([0, *map(len, members)]),
        members=np.concatenate(members),
        family=np.array([family for family, *_ in alike]),
        rests=tuple(re.compile("|".join(rests)) if rests[0] else None for rests in alike.values()),
    )


def _distinct(rows: NDArray[np.bool_]) -> Ints:
    """Per row, the number of the first row that equals it."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(row.tobytes(), number) for number, row in enumerate(rows)])
