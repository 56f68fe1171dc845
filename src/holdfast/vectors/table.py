"""Texts as the mean of their tokens' rows in a table: what static embeddings are."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from holdfast.vectors.encoder import Dense
from holdfast.workers import Workers

CHUNK = 2_048
"""Texts in a part of the work."""


@dataclass(frozen=True, slots=True)
class Table:
    """A row a token, and the tokenizer that says which."""

    tokenizer: Any
    """A `tokenizers.Tokenizer` that neither pads nor truncates."""
    rows: Dense

    def encode(self, texts: Sequence[str], workers: Workers) -> Dense:
        """(texts, width): the mean of a text's tokens, of length one; zeros for a text without tokens."""
        vectors = np.empty((len(texts), self.rows.shape[1]), dtype=np.float32)
        chunks = (list(texts[at : at + CHUNK]) for at in range(0, len(texts), CHUNK))
        for at, part in enumerate(workers.map(_encode, self, chunks)):
            vectors[at * CHUNK : at * CHUNK + len(part)] = part
        return vectors


def _encode(table: Table, texts: list[str]) -> Dense:
    found = table.tokenizer.encode_batch_fast([*map(readable, texts)], add_special_tokens=False)
    lengths = np.fromiter(map(len, found), dtype=np.int64, count=len(found))
    ends = np.append(0, np.cumsum(lengths))
    tokens = np.fromiter(chain.from_iterable(each.ids for each in found), dtype=np.int64, count=int(ends[-1]))
    np.minimum(tokens, len(table.rows) - 1, out=tokens)
    ones = np.ones(len(tokens), dtype=np.float32)
    return of_length_one(sparse.csr_array((ones, tokens, ends), shape=(len(texts), len(table.rows))) @ table.rows)


def readable(text: str) -> str:
    """The text with a question mark for each half of a surrogate pair: JSON allows these, tokenizers do not."""
    return text.encode(errors="replace").decode()


def of_length_one(rows: NDArray[np.float32]) -> Dense:
    """The rows at length one; zeros stay zeros."""
    norms = np.sqrt(np.vecdot(rows, rows, dtype=np.float64))
    return (rows / np.where(norms > 0, norms, 1.0)[:, None]).astype(np.float32)
