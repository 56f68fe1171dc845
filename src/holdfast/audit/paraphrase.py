"""Prompts that ask what an evaluation question asks, in other words."""

from collections.abc import Iterator, Sequence

import numpy as np

from holdfast.audit.check import Material
from holdfast.audit.clusters import DIGITS
from holdfast.audit.rewording import SMALL
from holdfast.audit.same import PRIME, Hashes, Ints, Questions, laid_out, placed
from holdfast.vectors import cross_pairs

SHORTEST = 3
"""Words that a question needs to be asked in other words."""


def paraphrased(prompts: Sequence[str], items: Sequence[str], material: Material) -> dict[int, tuple[int, float]]:
    """For each prompt that asks the same as an item, by its place: the item's place, and how near.

    Two ways. They are the same by the rule of near-duplicates (`holdfast.audit.same`), with at most one slip: the
    part of the words that are equal. Or an encoder holds them for the same, and they are by that rule without small
    words: the cosine, below 1.

    Args:
        prompts: what users ask.
        items: evaluation questions; their words count as rightly spelt.
        material: the encoder, its threshold, and where to compute.
    """
    asked, sought = _grouped(prompts), _grouped(items)
    if not asked or not sought:
        return {}
    questions = laid_out([*asked, *sought], len(sought))
    places, found = list(sought.values()), dict[int, tuple[int, float]]()
    for left, right, near in (*_reworded(questions, len(asked)), *_near(questions, len(asked), material)):
        if near > found.get(left, (0, 0.0))[1]:
            found[left] = (places[right][0], near)
    copies = list(asked.values())
    return {at: each for left, each in found.items() for at in copies[left]}


def _grouped(texts: Sequence[str]) -> dict[str, list[int]]:
    """The different texts, each with its places; those without words are left out."""
    groups: dict[str, list[int]] = {}
    for at, text in enumerate(texts):
        if text and not text.isspace():
            groups.setdefault(text, []).append(at)
    return groups


def _reworded(questions: Questions, size: int) -> Iterator[tuple[int, int, float]]:
    """(prompt, item, part of equal words) of those that are the same with at most one slip; needs no encoder."""
    length = np.diff(questions.starts)
    owner = np.repeat(np.arange(len(length)), length)
    within = np.arange(len(owner)) - questions.starts[owner]
    blank = questions.whole[owner] - placed(questions.root, within)
    late, early = questions.rare & (owner < size), questions.common & (owner >= size)
    slips = _equal(_mixed(blank[late], within[late]), _mixed(blank[early], within[early]))
    wholes = _equal(questions.whole[:size], questions.whole[size:])
    left = np.concatenate((wholes[0], owner[late][slips[0]]))
    right = np.concatenate((wholes[1] + size, owner[early][slips[1]]))
    same = questions.same(left, right) & (length[left] >= SHORTEST)
    equal = 1 - np.repeat((0, 1), (len(wholes[0]), len(slips[0]))) / length[left]
    yield from zip(left[same].tolist(), (right[same] - size).tolist(), equal[same].tolist(), strict=True)


def _mixed(hashes: Hashes, within: Ints) -> Hashes:
    return hashes * PRIME + within.astype(np.uint64)


def _equal(left: Hashes, right: Hashes) -> tuple[Ints, Ints]:
    """All places of equal numbers."""
    order = np.argsort(right, kind="stable")
    first, last = (np.searchsorted(right[order], left, side) for side in ("left", "right"))
    times = last - first
    at = np.repeat(first - np.cumsum(times) + times, times) + np.arange(times.sum())
    return np.repeat(np.arange(len(left)), times), order[at]


def _near(questions: Questions, size: int, material: Material) -> Iterator[tuple[int, int, float]]:
    """(prompt, item, cosine) above the threshold that are the same without small words."""
    nearness, workers = material.nearness, material.workers
    texts = questions.names.texts
    vectors = nearness.encoder.encode([" ".join(words) for words in questions.words], workers)
    for pairs in cross_pairs(vectors[:size], vectors[size:], nearness.threshold, workers):
        # Few texts have such a pair: only they are laid out. All count as rightly spelt.
        chosen, at = np.unique(np.concatenate((pairs.left, pairs.right + size)), return_inverse=True)
        lean = laid_out([texts[each] for each in chosen.tolist()], len(chosen), SMALL)
        same = lean.same(at[: len(pairs.left)], at[len(pairs.left) :])
        same &= np.diff(questions.starts)[pairs.left] >= SHORTEST
        cosine = np.minimum(np.round(pairs.cosine[same].astype(np.float64), DIGITS), 1 - 10.0**-DIGITS)
        yield from zip(pairs.left[same].tolist(), pairs.right[same].tolist(), cosine.tolist(), strict=True)
