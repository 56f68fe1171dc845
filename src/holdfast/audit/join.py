"""All pairs of texts whose hashed n-gram TF-IDF cosine is above a threshold, exactly and in linear memory.

Knows nothing of rows or of what a pair means. Exact here means: every pair of equal `salt` above the threshold
is handed out, whatever the number of texts. Prefix filtering (Bayardo, Ma and Srikant 2007, "Scaling up all
pairs similarity search") with the bound of Cauchy and Schwarz: what two texts share on the common n-grams is at
most the norm that these have in one of them, so a pair must share the rest of the threshold on rarer ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

GRAM = 3
"""Bytes an n-gram is long. Short ones keep a misspelt word near its right spelling."""

BUCKETS = 1 << 20
RAREST = 30
"""An n-gram in fewer than one text in this many counts as if it were in that many: a typo is no signature."""

COMMON = 0.6
"""Of a text's squared length, the part that may lie on n-grams too common to look pairs up by."""

BLOCK = 2_000_000
"""Candidate pairs held at once."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Index:
    """The texts' vectors (rows of length one), and the n-grams by which pairs can meet."""

    vectors: sparse.csr_array
    prefixes: sparse.csr_array
    rest: Floats
    """For each text, the norm of what is not in its prefix."""
    work: Ints
    """For each text, an upper bound of its candidates."""


def near_pairs(
    texts: Sequence[str], salts: Sequence[int], threshold: float, gone: Flags
) -> Iterator[tuple[int, list[tuple[int, float]]]]:
    """For each text, in order, the earlier texts above the threshold with their cosines, the nearest first.

    Args:
        texts: the texts, none empty.
        salts: texts of different salt are never a pair.
        threshold: cosine, 0 to 1, exclusive.
        gone: a flag a text, which the caller may raise while the pairs come: an earlier text whose flag is up
            is left out, so that a cluster of copies costs one pair each and not all of them.
    """
    if len(texts) < 2:
        return
    index = _index(texts, salts, threshold)
    inverted = sparse.csr_array(index.prefixes.T)
    start = 0
    while start < len(texts):
        stop = _block_end(index.work, start)
        shared = (index.prefixes[start:stop] @ inverted).tocoo()
        late, early = shared.row.astype(np.int64) + start, shared.col.astype(np.int64)
        possible = shared.data + np.maximum(index.rest[late], index.rest[early]) > threshold - 1e-9
        chosen = (early < late) & possible & ~gone[early]
        late, early, cosine = _above(index.vectors, late[chosen], early[chosen], threshold)
        yield from _by_text(late, early, cosine, gone)
        start = stop


def _block_end(work: Ints, start: int) -> int:
    within = int(np.searchsorted(np.cumsum(work[start:]), BLOCK, side="right"))
    return start + max(1, within)


def _above(vectors: sparse.csr_array, late: Ints, early: Ints, threshold: float) -> tuple[Ints, Ints, Floats]:
    cosine = np.empty(len(late))
    for at in range(0, len(late), 20_000):
        cut = slice(at, at + 20_000)
        cosine[cut] = vectors[late[cut]].multiply(vectors[early[cut]]).sum(axis=1)
    keep = cosine > threshold
    return late[keep], early[keep], cosine[keep]


def _by_text(late: Ints, early: Ints, cosine: Floats, gone: Flags) -> Iterator[tuple[int, list[tuple[int, float]]]]:
    order = np.lexsort((early, -cosine, late))
    late, early, cosine = late[order], early[order], cosine[order]
    found, starts = np.unique(late, return_index=True)
    for text, begin, end in zip(found, starts, np.append(starts[1:], len(late))[: len(found)], strict=True):
        pairs = zip(early[begin:end].tolist(), cosine[begin:end].tolist(), strict=True)
        if near := [(other, score) for other, score in pairs if not gone[other]]:
            yield int(text), near


def _index(texts: Sequence[str], salts: Sequence[int], threshold: float) -> Index:
    counts = _counts(texts)
    vectors, rarity = _weighted(counts)
    prefixes = _prefixes(vectors, rarity, np.asarray(salts, dtype=np.int64), min(COMMON, threshold**2))
    rest = np.sqrt(np.maximum(0.0, 1.0 - prefixes.multiply(prefixes).sum(axis=1)))
    frequency = np.bincount(prefixes.indices, minlength=prefixes.shape[1])
    work = np.add.reduceat(np.append(frequency[prefixes.indices], 0), prefixes.indptr[:-1])
    return Index(vectors, prefixes, rest, np.maximum(work, 1).astype(np.int64))


def _counts(texts: Sequence[str]) -> sparse.csr_array:
    """How often each hashed n-gram occurs in each text."""
    padded = [f" {text} ".encode() for text in texts]
    data = np.frombuffer(b"".join(padded) + b"  ", dtype=np.uint8).astype(np.uint32)
    lengths = np.array([len(text) for text in padded])
    rows = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
    grams = np.zeros(len(rows), dtype=np.uint32)
    for offset in range(GRAM):
        grams = grams * np.uint32(257) + data[offset : offset + len(rows)]
    inside = np.ones(len(rows), dtype=bool)
    ends = np.cumsum(lengths)
    for offset in range(1, GRAM):
        inside[ends - offset] = False
    columns = ((grams * np.uint32(2654435761)) >> np.uint32(12))[inside].astype(np.int32)
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_array((ones, (rows[inside], columns)), shape=(len(texts), BUCKETS))


def _weighted(counts: sparse.csr_array) -> tuple[sparse.csr_array, NDArray[np.float32]]:
    """Rows of length one, weighted by (1 + ln count) · ln(1 + N/df); and each n-gram's df."""
    size = counts.shape[0]
    frequency = np.bincount(counts.indices, minlength=BUCKETS).astype(np.float32)
    weight = np.log1p(size / np.maximum(frequency, max(1.0, size / RAREST)))
    values = (1 + np.log(counts.data)) * weight[counts.indices]
    rows = np.repeat(np.arange(size), np.diff(counts.indptr))
    norms = np.sqrt(np.bincount(rows, weights=values**2, minlength=size))
    data = (values / norms[rows]).astype(np.float64)
    return sparse.csr_array((data, counts.indices, counts.indptr), shape=counts.shape), frequency


def _prefixes(
    vectors: sparse.csr_array, frequency: NDArray[np.float32], salts: Ints, common: float
) -> sparse.csr_array:
    """For each text the n-grams it can meet others by, renamed by its salt so that other salts never meet."""
    size = vectors.shape[0]
    rows = np.repeat(np.arange(size), np.diff(vectors.indptr))
    # Commonest first; ties by bucket, so that all texts agree on one order.
    order = np.lexsort((vectors.indices, -frequency[vectors.indices], rows))
    squares = np.cumsum(vectors.data[order] ** 2)
    before = np.concatenate(([0.0], squares))[vectors.indptr[:-1]]
    kept = squares - before[rows] >= common - 1e-6
    columns = vectors.indices[order][kept].astype(np.int64) + salts[rows[kept]] * BUCKETS
    _, names = np.unique(columns, return_inverse=True)
    shape = (size, int(names.max(initial=0)) + 1)
    return sparse.csr_array((vectors.data[order][kept], (rows[kept], names)), shape=shape)
