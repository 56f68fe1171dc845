"""Whether two questions ask the same, decided for millions of pairs at once.

A cosine does not see what a number, a negation, a name or the order of words changes; this does. Two questions are
the same when they agree place by place after harmless rewordings are undone; a word may differ by a listed ending
or by one letter if that looks like a slip. Knows nothing of cosines or of rows.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from holdfast.audit.rewording import IDLE, asked, stem
from holdfast.audit.words import NEGATIONS, folded

KNOWN = 3
"""Questions that must use a word before its neighbour by one letter counts as a misspelling of it."""

SHORTEST = 5
"""Letters of a word that a slip is believed of."""

AT_ONCE = 1 << 21
"""Places compared at once."""

NAME = re.compile(r"(?<![^\W_])[^\W\d_a-z]\w*(?:['’]\w+)?")
"""Something that starts with a capital."""

OPENS = (".", "?", "!", ":", "\n")
"""What may stand before the first word of a sentence."""

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Flags = NDArray[np.bool_]
LATER = np.uint64(1 << 63)
PRIME = np.uint64(1_099_511_628_211)


@dataclass(frozen=True, slots=True)
class Names:
    """The names in texts, looked for when they are asked for: few are."""

    texts: Sequence[str]
    plain: AbstractSet[str]
    """Words that stand somewhere without a capital."""
    found: dict[int, frozenset[str]] = field(default_factory=dict, compare=False)

    def __call__(self, at: int) -> frozenset[str]:
        """The folded names of a text: what has a capital inside a sentence, or opens one and is nowhere without it.

        The text's first word is none: it is a verb or a question word nearly always.
        """
        if at not in self.found:
            self.found[at] = frozenset(self._names(self.texts[at]))
        return self.found[at]

    def _names(self, text: str) -> Iterator[str]:
        for found in NAME.finditer(text):
            name = folded(found[0])
            before = text[: found.start()].rstrip(" \"'“(")
            if found[0][0].isupper() and before and not (before[-1] in OPENS and name in self.plain):
                yield name


@dataclass(frozen=True, slots=True)
class Questions:
    """Many questions, their words one after the other."""

    words: tuple[tuple[str, ...], ...]
    starts: Ints
    """Where each question's places begin; one more than there are questions."""
    word: Ints
    """For each place, the word's number."""
    root: Ints
    """For each place, the number of the word without its ending."""
    firm: Flags
    """For each place, whether it is a number, a negation or a mark: nothing of it may differ."""
    rare: Flags
    """For each place, whether no other question uses the word: it may be a slip."""
    common: Flags
    """For each place, whether enough questions use the word for it to be the right spelling."""
    whole: Hashes
    """For each question, all roots in their order."""
    fixed: Hashes
    """For each question, its numbers, negations and marks in their order."""
    slips: Hashes
    """For each question, a bit for each place of a rare word, and the last bit for all places from the 64th on."""
    spelt: tuple[str, ...]
    """Each word by its number."""
    names: Names
    """Which words of a question are names: nothing of them may differ either."""

    def same(self, left: Ints, right: Ints) -> Flags:
        """For each pair of places of questions, whether the two ask the same."""
        length = np.diff(self.starts)
        may: Flags = (length[left] == length[right]) & (self.fixed[left] == self.fixed[right])
        # Two rare words are two different words: where both questions have one, neither is the other's slip.
        loose = (self.slips[left] | self.slips[right]) != 0
        both = self.slips[left] & self.slips[right] & ~LATER
        may &= (self.whole[left] == self.whole[right]) | (loose & (both == 0))
        found = np.flatnonzero(may & (length[left] > 0))
        for cut in _cuts(length[left[found]]):
            may[found[cut]] = self._agree(left[found[cut]], right[found[cut]])
        return may

    def _agree(self, left: Ints, right: Ints) -> Flags:
        length = np.diff(self.starts)[left]
        first = np.cumsum(length) - length
        within = np.arange(length.sum()) - np.repeat(first, length)
        a, b = np.repeat(self.starts[left], length) + within, np.repeat(self.starts[right], length) + within
        bends = ~(self.firm[a] | self.firm[b] | self._named(left, length) | self._named(right, length))
        alike = (self.word[a] == self.word[b]) | (bends & (self.root[a] == self.root[b]))
        slip = bends & ~alike & ((self.rare[a] & self.common[b]) | (self.rare[b] & self.common[a]))
        # A pair with a place that cannot be a slip needs no look at its letters.
        open_ = np.repeat(np.logical_and.reduceat(alike | slip, first), length) & slip
        alike[open_] = self._slips(self.word[a[open_]], self.word[b[open_]])
        agree: Flags = np.logical_and.reduceat(alike, first)
        return agree

    def _named(self, questions: Ints, length: Ints) -> Flags:
        """For each place of some questions, whether it is a name."""
        each, back = np.unique(questions, return_inverse=True)
        parts = [[word in names for word in self.words[at]] for at in each.tolist() for names in (self.names(at),)]
        ends = np.cumsum(np.array([0, *map(len, parts)]))
        flat = np.fromiter((flag for part in parts for flag in part), bool, int(ends[-1]))
        first = np.repeat(ends[back] - np.cumsum(length) + length, length)
        named: Flags = flat[first + np.arange(length.sum())]
        return named

    def _slips(self, a: Ints, b: Ints) -> Flags:
        pairs, back = np.unique(np.stack((a, b)), axis=1, return_inverse=True)
        near = [one_edit(self.spelt[x], self.spelt[y]) for x, y in pairs.T.tolist()]
        return np.array(near, dtype=bool)[back.ravel()]

    def difference(self, left: int, right: int) -> str:
        """Why two questions that are not the same are not, in a few words."""
        a, b = Counter(self.words[left]), Counter(self.words[right])
        only = list((a - b).elements()), list((b - a).elements())
        numbers = [[word for word in words if word[0].isdigit()] for words in only]
        if any(numbers):
            return f"other numbers: {_shown(numbers[0])} / {_shown(numbers[1])}"
        if any(word in NEGATIONS for words in only for word in words):
            return "a negation in one of them"
        if not any(only):
            return "the same words in another order"
        return f"other words: {_shown(only[0])} / {_shown(only[1])}"


def _shown(words: Sequence[str]) -> str:
    return " ".join(words[:6]) + (" …" if len(words) > 6 else "") if words else "none"


def _cuts(lengths: Ints) -> Iterator[slice]:
    """Slices of pairs whose places fit in memory together."""
    ends = np.cumsum(lengths)
    start = 0
    while start < len(lengths):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + AT_ONCE, side="right")))
        yield slice(start, stop)
        start = stop


def laid_out(texts: Sequence[str], trusted: int = 0, idle: AbstractSet[str] = IDLE) -> Questions:
    """The questions of `texts`; one without words is the same as none but another such.

    Args:
        texts: the questions.
        trusted: the words of so many, the last ones, count as rightly spelt.
        idle: words that do not count.
    """
    said = tuple(tuple(asked(text, idle)) for text in texts)
    numbers = {word: at for at, word in enumerate(dict.fromkeys(chain.from_iterable(said)))}
    length = np.fromiter(map(len, said), np.int64, len(said))
    starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(length)))
    word = np.fromiter(map(numbers.__getitem__, chain.from_iterable(said)), np.int64, int(starts[-1]))
    roots: dict[str, int] = {}
    root = np.array([roots.setdefault(stem(each), len(roots)) for each in numbers], np.int64)[word]
    firm = np.array([not each.isalpha() or each in NEGATIONS for each in numbers], bool)[word]
    long = np.array([len(each) >= SHORTEST for each in numbers], bool)[word] & ~firm
    owner = np.repeat(np.arange(len(said)), length)
    used = _used(root, owner, len(said) - trusted)
    rare, common = long & (used == 1), long & (used >= KNOWN)
    within = np.arange(len(word)) - np.repeat(starts[:-1], length)
    bits = np.left_shift(np.uint64(1), np.minimum(within, 63).astype(np.uint64))
    at_place = placed(root, within)
    return Questions(
        said, starts, word, root, firm, rare, common,
        _by_question(np.add, at_place, starts),
        _by_question(np.add, np.where(firm, at_place, np.uint64(0)), starts),
        _by_question(np.bitwise_or, np.where(rare, bits, np.uint64(0)), starts),
        tuple(numbers),
        Names(texts, {word for text in texts for word in text.split()}),
    )  # fmt: skip


def _by_question(put_together: np.ufunc, places: Hashes, starts: Ints) -> Hashes:
    whole = np.zeros(len(starts) - 1, np.uint64)
    filled = np.flatnonzero(np.diff(starts))
    if len(filled):
        whole[filled] = put_together.reduceat(places, starts[filled])
    return whole


def placed(root: Ints, within: Ints) -> Hashes:
    """What each place adds to its question's hash: the root's number and where it stands, modulo 2^64."""
    powers = np.full(int(within.max(initial=0)) + 1, PRIME)
    powers[0] = 1
    hashes: Hashes = (root.astype(np.uint64) + np.uint64(1)) * np.cumprod(powers)[within]
    return hashes


def _used(root: Ints, owner: Ints, trusted_from: int) -> Ints:
    """For each place, how many questions use its root; a question that is trusted counts for enough of them."""
    many = int(owner.max(initial=0)) + 1
    pairs = np.sort(root * many + owner)
    each, by = np.divmod(pairs[np.diff(pairs, prepend=-1) > 0], many)
    times = np.bincount(each, np.where(by < trusted_from, 1, KNOWN))
    return times.astype(np.int64)[root]


def one_edit(a: str, b: str) -> bool:
    """Whether one letter put in, left out, changed, or swapped with its neighbour makes `a` into `b`."""
    short, long = sorted((a, b), key=len)
    at = next((at for at, (x, y) in enumerate(zip(short, long, strict=False)) if x != y), len(short))
    if len(long) - len(short) == 1:
        return short[at:] == long[at + 1 :]
    swapped = short[:at] + short[at : at + 2][::-1] + short[at + 2 :]
    return len(long) == len(short) and (short[at + 1 :] == long[at + 1 :] or swapped == long)
