"""Which words and pairs of words stand in an answer's opening and at its end."""

import numpy as np

from holdfast.judges.reading import MARKS, Ints, Lexicon, Read

ZONES = ("open", "end")

OPENING = 5
"""Sentences that count as the opening; the end is the last two of those that follow."""


def grams(seen: Read, lexicon: Lexicon) -> tuple[Ints, Ints]:
    """The answer and the key of every word and pair of words that the lexicon has, repeats included.

    A key holds the zone, the left word (0 for a single one) and the right; all marks are one word, which
    stands on the left only: what ends an answer's last sentence belongs to nothing.
    """
    size = len(lexicon.words)
    numbers = np.where(seen.ends, 1, seen.numbers)
    opening = (seen.place < OPENING)[seen.sentence]
    end = ((seen.left < 2) & (seen.place >= OPENING))[seen.sentence]
    answers, keys = [], []
    for zone, inside in enumerate((opening, end)):
        single = np.flatnonzero(inside & (numbers > 1))
        pair = np.flatnonzero(inside[1:] & (numbers[:-1] > 0) & (numbers[1:] > 1)) + 1
        answers += [seen.answer[single], seen.answer[pair]]
        keys += [zone * size * size + numbers[single], (zone * size + numbers[pair - 1]) * size + numbers[pair]]
    return np.concatenate(answers), np.concatenate(keys)


def named(key: int, lexicon: Lexicon) -> str:
    """A key as text: `open` or `end`, and the words; `.` stands for every mark."""
    zone, pair = divmod(key, len(lexicon.words) ** 2)
    left, right = divmod(pair, len(lexicon.words))
    words = [_word(number, lexicon) for number in (left, right) if number]
    return " ".join([ZONES[zone], *words])


def keyed(name: str, lexicon: Lexicon) -> int:
    """The key that `named` gives as text."""
    zone, *words = name.split(" ")
    numbers = [lexicon.numbers[word] for word in words]
    left, right = numbers if len(numbers) == 2 else (0, numbers[0])
    return (ZONES.index(zone) * len(lexicon.words) + left) * len(lexicon.words) + right


def _word(number: int, lexicon: Lexicon) -> str:
    return "." if number <= len(MARKS) else lexicon.words[number]
