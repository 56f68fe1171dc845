"""Hashed n-grams of letters, weighted by how telling they are: no model, no licence, no download."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from holdfast.workers import Workers

GRAM = 3
"""Bytes an n-gram is long. Short ones keep a misspelt word near its right spelling."""

BUCKETS = 1 << 20
RAREST = 30
"""An n-gram in fewer than one text in this many counts as if it were in that many: a typo is no signature."""


@dataclass(frozen=True, slots=True)
class NGrams:
    """TF-IDF over hashed 3-byte n-grams of each text in UTF-8, with a blank before and behind it."""

    name: str = "ngrams"
    origin: str = "counted from the texts themselves; no model"

    def encode(self, texts: Sequence[str], workers: Workers) -> sparse.csr_array:
        """Sparse rows of length one (float64); what is common in `texts` weighs little. An empty text is zeros."""
        del workers  # a pass over the bytes: parts would cost more to hand round than to do
        return _weighted(_counts(texts)) if texts else sparse.csr_array((0, BUCKETS))


NGRAMS = NGrams()


def _counts(texts: Sequence[str]) -> sparse.csr_array:
    """How often each hashed n-gram occurs in each text."""
    padded = [f" {text} ".encode(errors="surrogatepass") if text else b"" for text in texts]
    data = np.frombuffer(b"".join(padded) + bytes(GRAM), dtype=np.uint8).astype(np.uint32)
    lengths = np.array([len(text) for text in padded])
    rows = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
    grams = np.zeros(len(rows), dtype=np.uint32)
    for offset in range(GRAM):
        grams = grams * np.uint32(257) + data[offset : offset + len(rows)]
    inside = np.ones(len(rows), dtype=bool)
    ends = np.cumsum(lengths)[lengths > 0]
    for offset in range(1, GRAM):
        inside[ends - offset] = False
    columns = ((grams * np.uint32(2654435761)) >> np.uint32(12))[inside].astype(np.int32)
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_array((ones, (rows[inside], columns)), shape=(len(texts), BUCKETS))


def _weighted(counts: sparse.csr_array) -> sparse.csr_array:
    """Rows of length one, weighted by (1 + ln count) · ln(1 + N/df)."""
    size = counts.shape[0]
    frequency = np.bincount(counts.indices, minlength=BUCKETS)
    weight = np.log1p(size / np.maximum(frequency, max(1.0, size / RAREST)))
    values = (1 + np.log(counts.data)) * weight[counts.indices]
    rows = np.repeat(np.arange(size), np.diff(counts.indptr))
    norms = np.sqrt(np.bincount(rows, weights=values**2, minlength=size))
    return sparse.csr_array((values / norms[rows], counts.indices, counts.indptr), shape=counts.shape)
