"""Rows for the joins, and the join that is too plain to be wrong."""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from holdfast.vectors import Dense, Pairs, Vectors

Found = list[tuple[int, int]]


def unit(rows: np.ndarray) -> Dense:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(norms > 0, norms, 1)).astype(np.float32)


def scene(kind: str, size: int, width: int, rng: np.random.Generator) -> Dense:
    """Rows that joins stumble over: equal, zero, doubled, templates, of low rank, or merely random."""
    rows = rng.standard_normal((size, width))
    if kind == "equal":
        rows[:] = rows[:1]
    if kind == "low rank":
        rows[:, 1:] = 0.5 * rows[:, :1]
    if kind == "templates":
        rows = rng.standard_normal((3, width))[rng.integers(0, 3, size)] + 0.2 * rows
    if kind == "doubled":
        rows = rows[rng.integers(0, max(1, size // 2), size)]
    if kind != "equal":
        rows[rng.random(size) < 0.1] = 0
    return unit(rows)


KINDS = ("random", "equal", "low rank", "templates", "doubled")


def dense(vectors: Vectors) -> np.ndarray:
    return (vectors if isinstance(vectors, np.ndarray) else vectors.toarray()).astype(np.float64)


def brute(left: Vectors, right: Vectors | None, floor: float) -> Found:
    """Every pair by the rule: the products of the stored numbers, summed in float64, above the floor."""
    one, other = dense(left), dense(left if right is None else right)
    cosine = np.stack([(row * other).sum(axis=1) for row in one]) if len(one) else np.zeros((0, len(other)))
    near = np.argwhere(cosine > floor)
    return [(i, j) for i, j in near.tolist() if right is not None or i > j]


def collected(blocks: Iterator[Pairs], left: Vectors, right: Vectors | None = None) -> Found:
    """The pairs, sorted; each must come once, with its cosine."""
    one, other = dense(left), dense(left if right is None else right)
    pairs: Found = []
    for block in blocks:
        assert len(block.left) == len(block.right) == len(block.cosine) > 0
        assert block.cosine.dtype == np.float32
        np.testing.assert_allclose(block.cosine, (one[block.left] * other[block.right]).sum(axis=1), atol=1e-6)
        pairs += zip(block.left.tolist(), block.right.tolist(), strict=True)
    assert len(set(pairs)) == len(pairs)
    return sorted(pairs)


def thinned(rows: Dense, rng: np.random.Generator) -> sparse.csr_array:
    """Sparse rows of length one: these, with most numbers left out."""
    return sparse.csr_array(unit(rows * (rng.random(rows.shape) < 0.4)).astype(np.float64))
