"""How much of a question a row holds, and whether that tells anything.

Stretches that many different prompts or many questions share are common wording and prove nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from holdfast.audit.spans import Span
from holdfast.audit.stretches import GRAM, Ints, Sought, held, sought

COMMON = 10
"""Prompts (or one in a thousand of them), or questions, that share a stretch before it is common wording."""

SHARE = 0.5
"""Of a long question's telling words, the part that a row must hold in stretches."""

LONG = 13
LEAST = LONG - GRAM + 1
"""Telling stretches of eight words that must be held: thirteen words (Brown et al. 2020, appendix C, use 13-grams)."""

FREE = 5
"""Words from which a question may follow on others, as in "Do you know how deep the harbor is?"."""

PLAIN = frozenset(
    {"a", "about", "an", "and", "any", "are", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does",
     "for", "from", "had", "has", "have", "he", "her", "him", "his", "how", "i", "if", "in", "is", "it", "its", "may",
     "me", "more", "my", "no", "not", "of", "on", "one", "or", "our", "out", "she", "should", "so", "some", "than",
     "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "up", "us", "was", "we",
     "were", "what", "when", "where", "which", "who", "whom", "whose", "why", "will", "with", "would", "you", "your"}
)  # fmt: skip
"""Words that tell nothing of what a question is about."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Held:
    """What a row holds of a question."""

    item: int
    part: float
    """Of its telling words; 1 where it is held whole."""
    whole: bool


def most_held(
    texts: Sequence[Sequence[Sequence[str]]],
    questions: Sequence[Sequence[str]],
    prompt_of: Sequence[int],
    stands: Callable[[int, int], Span | None],
) -> dict[int, Held]:
    """For each text that holds enough of a question to tell, by its place: the most that it holds, a whole one first.

    Args:
        texts: for each row its turns, each as its words.
        questions: the evaluation questions, as words.
        prompt_of: for each row, the number of its prompt, so that copies of a prompt count once.
        stands: where a row holds a question: asked only of questions below `LONG` words.
    """
    asked = sought(questions)
    rows = held(texts, asked)
    telling = _telling(rows, asked, np.asarray(prompt_of, np.int64))
    best: dict[int, Held] = {}
    found = [*_wholes(rows, asked, telling, questions, stands), *_parts(rows, asked, telling)]
    for row, each in sorted(found, key=lambda pair: (pair[0], not pair[1].whole, -pair[1].part, pair[1].item)):
        best.setdefault(row, each)
    return best


def _telling(rows: sparse.csr_array, asked: Sought, prompt_of: Ints) -> Flags:
    """For each stretch, whether few different prompts and few questions have it."""
    prompts = int(prompt_of.max(initial=0)) + 1
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    pairs = np.unique(rows.indices.astype(np.int64) * prompts + prompt_of[owner])
    by_prompt = np.bincount(pairs // prompts, minlength=asked.of.shape[1])
    by_item = np.bincount(asked.of.indices, minlength=asked.of.shape[1])
    telling: Flags = (by_prompt <= max(COMMON, prompts // 1000)) & (by_item <= COMMON)
    return telling


def _parts(rows: sparse.csr_array, asked: Sought, telling: Flags) -> Iterator[tuple[int, Held]]:
    """Rows that hold half of a long question."""
    columns = np.flatnonzero(telling)
    items = asked.of[:, columns]
    size = np.diff(items.indptr)
    shared = (rows[:, columns] @ items.T).tocoo()
    row, item = shared.coords
    # So many words at least lie in so many stretches, whether they overlap or not.
    part = (shared.data + GRAM - 1) / (size[item] + GRAM - 1)
    enough = (shared.data >= LEAST) & (part >= SHARE)
    for at, which, share in zip(row[enough].tolist(), item[enough].tolist(), part[enough].tolist(), strict=True):
        yield at, Held(which, share, whole=False)


def _wholes(
    rows: sparse.csr_array,
    asked: Sought,
    telling: Flags,
    questions: Sequence[Sequence[str]],
    stands: Callable[[int, int], Span | None],
) -> Iterator[tuple[int, Held]]:
    """Rows that hold all of a question."""
    for row, item in _complete(rows, asked):
        few = telling[asked.of.indices[asked.of.indptr[item] : asked.of.indptr[item + 1]]].any()
        if len(questions[item]) >= LONG or _tells(questions[item], bool(few), stands(row, item)):
            yield row, Held(item, 1.0, whole=True)


def _tells(question: Sequence[str], few: bool, where: Span | None) -> bool:
    """Whether a question that a row holds is asked there.

    It must end where a sentence ends: what goes on is another question. Below `FREE` words it must be a sentence of
    its own, in few prompts; above, one of the two.
    """
    if where is None or not where.closes or PLAIN.issuperset(question):
        return False
    return (where.opens and few) if len(question) < FREE else (where.opens or few)


def _complete(rows: sparse.csr_array, asked: Sought) -> Iterator[tuple[int, int]]:
    """(row, question) where the row has all stretches of the question."""
    size = np.diff(asked.of.indptr)
    by_stretch = sparse.csc_array(rows)
    frequency = np.diff(by_stretch.indptr)
    # A row with the whole of a question has its rarest stretch: only such rows are looked at.
    for item in np.flatnonzero(size).tolist():
        stretches = asked.of.indices[asked.of.indptr[item] : asked.of.indptr[item + 1]]
        rarest = stretches[np.argmin(frequency[stretches])]
        if not frequency[rarest]:
            continue
        chosen = by_stretch.indices[by_stretch.indptr[rarest] : by_stretch.indptr[rarest + 1]]
        for other in stretches[stretches != rarest]:
            chosen = chosen[
                np.isin(chosen, by_stretch.indices[by_stretch.indptr[other] : by_stretch.indptr[other + 1]])
            ]
        yield from ((int(row), item) for row in chosen)
