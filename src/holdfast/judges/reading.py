"""Reads a batch of answers as words in sentences, each sentence with its stances. Knows no weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from holdfast.judges.stances import ASKED, END, OTHER, Stances
from holdfast.judges.words import BREAK, CODE, ITEM, tokens

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

MARKS = (".", "!", ":", ";", "\n", "?", BREAK, ITEM)
"""Tokens that end a sentence; they have the first numbers of a lexicon, after 0 for a word that nothing looks at."""

DIGIT = "0"
"""The word that stands for every number."""

NOT = "do does did is are was were could would should must have has had need"
ENDINGS = {
    "'re": ("are", "you we they there"),
    "'ve": ("have", "i you we they"),
    "'ll": ("will", "i you we they he she it that"),
    "'d": ("would", "i you we they he she it"),
    "'s": ("is", "it that this he she here there what who how where"),
}
SHORT = {
    "cannot": "can not",
    "can't": "can not",
    "won't": "will not",
    "shan't": "will not",
    "ain't": "is not",
    "i'm": "i am",
    "let's": "let us",
    **{f"{verb}n't": f"{verb} not" for verb in NOT.split()},
    **{f"{who}{ending}": f"{who} {verb}" for ending, (verb, whose) in ENDINGS.items() for who in whose.split()},
}
"""Contractions, and how they are read."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Every word that something looks at, with its number."""

    words: tuple[str, ...]
    """By number; the first stands for all other words."""
    numbers: Mapping[str, int]
    """Words and contractions to numbers."""
    halves: NDArray[np.int64]
    """Per number, the numbers of the one or two words that it is read as, -1 for no second one."""
    codes: NDArray[np.uint16]
    """Per number, the character that stances are read by."""
    stances: Stances


def lexicon(stances: Stances, words: Sequence[str] = ()) -> Lexicon:
    """The stances' words, and more."""
    every = list(dict.fromkeys(["", *MARKS, CODE, DIGIT, *stances.codes, *" ".join(SHORT.values()).split(), *words]))
    numbers = {word: number for number, word in enumerate(every)}
    halves = [(number, -1) for number in range(len(every))]
    for written, read in SHORT.items():
        first, second = read.split()
        if written in numbers:
            halves[numbers[written]] = (numbers[first], numbers[second])
        else:
            numbers[written] = len(halves)
            halves.append((numbers[first], numbers[second]))
    marks = dict.fromkeys(MARKS, END) | {"?": ASKED}
    numbers |= dict.fromkeys("123456789", numbers[DIGIT])
    known = {**stances.codes, **marks}
    codes = [ord(known.get(word, OTHER)) for word in every]
    return Lexicon(tuple(every), numbers, np.array(halves), np.array(codes, dtype=np.uint16), stances)


@dataclass(frozen=True, slots=True)
class Read:
    """Words and sentences, numbered through the whole batch; a sentence begins with the mark that ends the last."""

    texts: int
    tokens: list[str]
    """As written."""
    of: Ints
    """Per token, its answer."""
    at: Ints
    """Per word or mark, its place in `tokens`."""
    numbers: Ints
    """Per word or mark, its number in the lexicon."""
    ends: Flags
    """Per word or mark, whether it is a mark."""
    answer: Ints
    """Per word or mark, its answer."""
    sentence: Ints
    """Per word or mark, its sentence."""
    owner: Ints
    """Per sentence, its answer."""
    place: Ints
    """Per sentence, its number in its answer, from 0."""
    left: Ints
    """Per sentence, how many follow in its answer."""
    size: Ints
    """Per sentence, its words."""
    items: Ints
    """Per answer, the marks of list items."""
    blocks: Ints
    """Per answer, blocks of code."""
    figures: Ints
    """Per answer, numbers in digits."""
    stances: Mapping[str, Flags]
    """Family to a flag per sentence."""


def read(said: Sequence[str], lexicon: Lexicon) -> Read:
    """Texts, as `words.spoken` gives them, in sentences with their stances."""
    found = tokens(said)
    written = np.fromiter(map(lexicon.numbers.get, found, repeat(0)), dtype=np.int64, count=len(found))
    of = np.cumsum(written == lexicon.numbers[BREAK]) - 1
    items, blocks, figures = (
        np.bincount(of[written == lexicon.numbers[mark]], minlength=len(said)) for mark in (ITEM, CODE, DIGIT)
    )
    at = _without_repeats((written > 0) & (written <= len(MARKS)))
    halves = lexicon.halves[written[at]]
    keep = halves.ravel() >= 0
    numbers, at = halves.ravel()[keep], np.repeat(at, 2)[keep]
    ends = (numbers > 0) & (numbers <= len(MARKS))
    answer, sentence = of[at], np.cumsum(ends) - 1
    sentences = int(ends.sum())
    owner = np.zeros(sentences, dtype=np.int64)
    owner[sentence[~ends]] = answer[~ends]
    count = np.bincount(owner, minlength=len(said))
    place = np.arange(sentences) - (np.cumsum(count) - count)[owner]
    return Read(
        texts=len(said),
        tokens=found,
        of=of,
        at=at,
        numbers=numbers,
        ends=ends,
        answer=answer,
        sentence=sentence,
        owner=owner,
        place=place,
        left=count[owner] - 1 - place,
        size=np.bincount(sentence, minlength=sentences) - 1,
        items=items,
        blocks=blocks,
        figures=figures,
        stances=lexicon.stances.found(np.append(lexicon.codes[numbers], ord(END)), sentence),
    )


def _without_repeats(ends: Flags) -> Ints:
    """The places of words, and of the first of each run of marks that some word follows."""
    keep = ~ends
    last = len(keep) - int(np.argmax(keep[::-1])) if keep.any() else 0
    keep |= ~np.r_[False, ends[:-1]]
    return np.flatnonzero(keep[:last])
