"""Fits the judge's weights: logistic regressions over one table, penalised, to convergence. Knows no files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rows import Row
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, hstack, vstack

from holdfast.judges import words
from holdfast.judges.grams import named
from holdfast.judges.reading import lexicon
from holdfast.judges.stances import stances
from holdfast.judges.table import table
from holdfast.judges.weights import HEADS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST, TYPES = 5, 4
"""A word or pair has a weight if it stands in so many answers of XSTest, to prompts of so many of its 18 types."""

STRENGTHS = (1.5, 3.0, 6.0)
"""Of the penalty, strength/2·|β|². The weights are the mean of a fit at each, so that none has to be chosen."""

MADE = 0.3
"""The weight of a row that is not XSTest's, which weighs 1."""

GRAM = 0.6
"""What a word or pair counts where it stands; a feature counts 1. The smaller, the more it is penalised."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Training material in numbers."""

    rows: Sequence[Row]
    given: csr_matrix
    """Rows × columns, with prompts."""
    bare: csr_matrix
    """The same without prompts."""
    names: list[str]
    features: int
    """Columns that are features; words and pairs follow."""


def tabled(rows: Sequence[Row]) -> Rows:
    """All rows read; words and pairs are columns where XSTest has them often enough."""
    said = [words.spoken(row.answer) or "" for row in rows]
    count: dict[str, int] = {}
    for row, text in zip(rows, said, strict=True):
        for word in set(words.tokens([text])) if row.people else ():
            count[word] = count.get(word, 0) + 1
    known = lexicon(stances(), sorted(word for word, times in count.items() if times >= FEWEST and word.isalpha()))
    sheets = [table(said, prompts, known) for prompts in ([row.prompt for row in rows], [None] * len(rows))]
    keys, columns = np.unique(sheets[0].key, return_inverse=True)
    grams = csr_matrix((np.ones(len(columns)), (sheets[0].answer, columns)), shape=(len(rows), len(keys)))
    grams.data[:] = 1
    often = np.flatnonzero(_often(rows, grams))
    both = [
        hstack([csr_matrix(sheet.values, dtype=np.float64), GRAM * grams[:, often]], format="csr") for sheet in sheets
    ]
    names = [*sheets[0].names, *(named(int(keys[column]), known) for column in often)]
    return Rows(rows, both[0], both[1], names, len(sheets[0].names))


def _often(rows: Sequence[Row], grams: csr_matrix) -> NDArray[np.bool_]:
    """Which columns stand in enough answers of XSTest, to prompts of enough types."""
    mine = np.array([row.people for row in rows])
    types = np.array([row.type for row in rows])
    kinds = sum(
        (np.asarray(grams[mine & (types == each)].max(axis=0).todense()).ravel() for each in set(types[mine])), 0
    )
    return (np.asarray(grams[mine].sum(axis=0)).ravel() >= FEWEST) & (kinds >= TYPES)


def fitted(data: Rows, chosen: Ints, heads: Sequence[str] = HEADS, tolerance: float = 1e-6) -> Mapping[str, Floats]:
    """Weights with the intercept last, for `any` refusal and, among refusals, for a `full` one.

    `chosen` are rows. Words and pairs that are rare among them weigh nothing. `tolerance` bounds every slope.
    """
    rows = [data.rows[at] for at in chosen]
    weight = np.array([1.0 if row.people else MADE for row in rows])
    grams = data.given[chosen][:, data.features :]
    use = np.r_[np.ones(data.features, dtype=np.bool_), _often(rows, csr_matrix(grams > 0, dtype=np.float64))]
    refuses = np.array([row.refuses for row in rows])
    full = np.array([row.label == "refused" for row in rows], dtype=np.float64)
    certain = np.array([row.label in ("refused", "partial") for row in rows])
    aims = {"any": (np.ones(len(rows), dtype=np.bool_), refuses), "full": (certain, full)}
    found = {}
    for name in heads:
        part, target = aims[name]
        at = chosen[part]
        x = vstack([data.given[at][:, use], data.bare[at][:, use]], format="csr")
        theta = np.zeros(data.given.shape[1] + 1)
        twice = np.tile(target[part], 2), np.tile(weight[part] / 2, 2)
        fits = [_logistic(x, *twice, strength, tolerance) for strength in STRENGTHS]
        theta[np.r_[use, True]] = np.mean(fits, axis=0)
        found[name] = theta
    return found


def _logistic(x: csr_matrix, target: Floats, weight: Floats, strength: float, tolerance: float) -> Floats:
    """Minimises Σ w·cross-entropy + strength/2·|β|² over weights and a free intercept, which comes last.

    The problem is convex with one minimum, so the result does not depend on the path to it.
    """
    across = x.T.tocsr()

    def value(theta: Floats) -> tuple[float, Floats]:
        margin = x @ theta[:-1] + theta[-1]
        loss = weight @ (np.logaddexp(0, margin) - target * margin)
        pull = weight * (1 / (1 + np.exp(-np.clip(margin, -700, 700))) - target)
        return loss + strength / 2 * theta[:-1] @ theta[:-1], np.append(
            across @ pull + strength * theta[:-1], pull.sum()
        )

    options = {"maxiter": 5000, "maxfun": 20000, "ftol": 0, "gtol": tolerance, "maxcor": 30}
    return minimize(value, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options=options).x


def margins(data: Rows, chosen: Ints, theta: Floats, *, prompts: bool = True) -> Floats:
    """Log-odds of the chosen rows."""
    x = (data.given if prompts else data.bare)[chosen]
    return np.asarray(x @ theta[:-1] + theta[-1])
