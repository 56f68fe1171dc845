"""All near pairs of sparse rows, exactly: rows meet by their rare entries only.

Prefix filtering (Bayardo, Ma and Srikant 2007, "Scaling up all pairs similarity search") with the bound of Cauchy
and Schwarz: what two rows share on the common columns is at most the norm that these have in one of them, so a pair
must share the rest of the floor on rarer ones. Pairs that may are looked at in folded rows first.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from holdfast.vectors.encoder import Dense, Pairs
from holdfast.workers import Workers

COMMON = 0.6
"""Of a row's squared length, the part that may lie on columns too common to look pairs up by."""

BLOCK = 2_000_000
"""Candidates held at once, by each worker."""

CHECKED = 20_000
"""Candidates whose cosine is computed at once."""

CHUNK = 8_192
"""Right rows that candidates are looked up among at once, so that their sums stay in the cache."""

FOLDS = 128
"""Numbers of a folded row."""

LOST = 1e-4
"""More than a product of folded rows near the floor can lose in float32: no term is negative, so 2e-5 of itself."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Part = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Side:
    """Sparse rows, and what pairs can meet by."""

    rows: sparse.csr_array
    prefixes: sparse.csr_array
    rest: Floats
    """For each row, the norm of what is not in its prefix."""
    folded: Dense | None
    """Rows whose columns are laid over each other; where no entry is negative, their products are never below the
    true ones. None where one is."""


@dataclass(frozen=True, slots=True)
class Join:
    """What all parts of a join share; a part is a chunk of right rows and a range of left ones."""

    left: Side
    right: Side
    inverted: tuple[sparse.csr_array, ...]
    """The prefixes of each chunk of right rows, by column."""
    floor: float
    within: bool
    """Whether both sides are one set, of which a pair is wanted once."""


def join(left: sparse.csr_array, right: sparse.csr_array | None, floor: float, workers: Workers) -> Iterator[Pairs]:
    """Pairs of `left` with `right`, or within `left`, whose cosine is above `floor`."""
    if not left.nnz or (right is not None and not right.nnz):
        return
    shared = _prepared(left, right, floor)
    yield from (pairs for pairs in workers.map(_block, shared, _parts(shared)) if len(pairs.left))


def _prepared(left: sparse.csr_array, right: sparse.csr_array | None, floor: float) -> Join:
    frequency = np.bincount(left.indices, minlength=left.shape[1])
    if right is not None:
        frequency += np.bincount(right.indices, minlength=left.shape[1])
    one = _side(left, frequency, floor)
    other = one if right is None else _side(right, frequency, floor)
    starts = range(0, other.prefixes.shape[0], CHUNK)
    inverted = tuple(sparse.csr_array(other.prefixes[start : start + CHUNK].T) for start in starts)
    return Join(one, other, inverted, floor, right is None)


def _side(rows: sparse.csr_array, frequency: Ints, floor: float) -> Side:
    prefixes = _prefixes(rows, frequency, _common(floor))
    squares = rows.multiply(rows).sum(axis=1) - prefixes.multiply(prefixes).sum(axis=1)
    folded = _folded(rows) if rows.data.min(initial=0.0) >= 0 else None
    return Side(rows, prefixes, np.sqrt(np.maximum(0.0, squares)), folded)


def _folded(rows: sparse.csr_array) -> Dense:
    over = sparse.csr_array((rows.data, rows.indices % FOLDS, rows.indptr), shape=(rows.shape[0], FOLDS))
    return over.toarray().astype(np.float32)


def _common(floor: float) -> float:
    return min(COMMON, floor**2)


def _prefixes(rows: sparse.csr_array, frequency: Ints, common: float) -> sparse.csr_array:
    """For each row the entries it can meet others by: all but its commonest, whose squares stay below `common`."""
    places = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    # Commonest first; ties by column, so that all rows agree on one order.
    order = np.lexsort((rows.indices, -frequency[rows.indices], places))
    squares = np.append(0.0, np.cumsum(rows.data[order] ** 2))
    kept = squares[1:] - squares[rows.indptr[:-1]][places] >= common - 1e-6
    # Columns that nobody has are left out: each chunk's index has a place for every column.
    names = np.cumsum(frequency > 0) - 1
    columns = names[rows.indices[order][kept]]
    return sparse.csr_array((rows.data[order][kept], (places[kept], columns)), shape=(rows.shape[0], names[-1] + 1))


def _parts(join: Join) -> Iterator[Part]:
    """Chunks, and with each the ranges of left rows that have at most `BLOCK` candidates in it, or one row."""
    prefixes = join.left.prefixes
    for chunk, inverted in enumerate(join.inverted):
        work = np.append(0, np.cumsum(np.diff(inverted.indptr)[prefixes.indices], dtype=np.int64))[prefixes.indptr]
        start = chunk * CHUNK if join.within else 0
        while start < len(work) - 1:
            stop = max(start + 1, int(np.searchsorted(work, work[start] + BLOCK, side="right")) - 1)
            yield chunk, start, stop
            start = stop


def _block(join: Join, part: Part) -> Pairs:
    chunk, start, stop = part
    shared = (join.left.prefixes[start:stop] @ join.inverted[chunk]).tocoo()
    lacking = join.floor - 1e-9 - shared.data
    likely = lacking < np.sqrt(_common(join.floor))  # what no rest can be above
    left, right = shared.row[likely].astype(np.int64) + start, shared.col[likely].astype(np.int64) + chunk * CHUNK
    possible = np.maximum(join.left.rest[left], join.right.rest[right]) > lacking[likely]
    if join.within:
        possible &= left > right
    left, right = _unfolded(join, left[possible], right[possible])
    cosine = _cosines(join, left, right)
    near = np.flatnonzero(cosine > join.floor)
    order = near[np.lexsort((right[near], left[near]))]
    return Pairs(left[order], right[order], cosine[order].astype(np.float32))


def _unfolded(join: Join, left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """The pairs whose folded rows are near: a product of short dense rows costs a tenth of one of sparse rows."""
    one, other = join.left.folded, join.right.folded
    if one is None or other is None:
        return left, right
    near = np.empty(len(left), dtype=bool)
    for at in range(0, len(left), CHECKED):
        cut = slice(at, at + CHECKED)
        near[cut] = np.vecdot(one[left[cut]], other[right[cut]]) > join.floor - LOST
    return left[near], right[near]


def _cosines(join: Join, left: Ints, right: Ints) -> Floats:
    cosine = np.empty(len(left))
    for at in range(0, len(left), CHECKED):
        cut = slice(at, at + CHECKED)
        cosine[cut] = join.left.rows[left[cut]].multiply(join.right.rows[right[cut]]).sum(axis=1)
    return cosine
