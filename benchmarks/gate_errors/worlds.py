"""Answers whose true worsening is known, a judge's word on them, and people's labels. Decides nothing.

The truth is that of the population that prompts, clusters and seeds are drawn from, so that a limit errs where it lies
on the wrong side of it.
"""

from dataclasses import dataclass, replace

import numpy as np
from benchmarks.gate_errors.cells import Cell
from numpy.typing import NDArray

from holdfast.stats import ErrorRates, Labelled, Rate

Bits = NDArray[np.bool_]
Floats = NDArray[np.float64]
Places = NDArray[np.intp]

LOST = {"chance": (0.05, 0.05), "bad": (0.01, 0.3)}
"""Of good and of bad answers, the share that is lost."""


@dataclass(frozen=True)
class Data:
    """One comparison's answers, and the truth behind them."""

    before: Floats
    """Badness as the judge read it, prompts by samples; NaN where it was lost."""
    afters: Floats
    """Of each tuned model: seeds by prompts by samples."""
    clusters: NDArray[np.intp]
    groups: NDArray[np.intp]
    rates: tuple[float, float]
    """The true shares of bad answers, before and after, of these tuned models."""
    worst: float
    """The true worsening of the worst category."""
    again: Floats | None = None
    """The base asked again, where its answers vary."""
    errors: ErrorRates | tuple[ErrorRates, ErrorRates] | None = None
    """What labels show of the judge."""
    labelled: Labelled | None = None
    """What people say of a sheet."""
    drawn: tuple[NDArray[np.intp], ...] = ()
    """The sheet's places: whether after, prompt, sample."""
    bad: tuple[Bits, Bits] | None = None
    """The truth of every answer, where people label some."""


def draw(cell: Cell, rng: np.random.Generator, worsening: float | None = None) -> Data:
    """One data set; its true worsening is the margin, unless another is given."""
    worsening = cell.margin if worsening is None else worsening
    clusters, each = np.arange(cell.n) // cell.size, _by_group(cell, worsening)
    groups = clusters % max(cell.groups, 1)
    seeds = _of_seeds(cell, rng, worsening)
    old, new = _states(cell, rng, seeds[:, None] if cell.groups == 0 else each[groups][None])
    before, afters = _answers(cell, rng, old), np.stack([_answers(cell, rng, state) for state in new])
    rates = cell.base, cell.base + float((each[groups] if cell.groups else seeds).mean())
    read = [_read(cell, rng, side, *errs) for side, errs in ((before, cell.judge[:2]), (afters, cell.judge[2:]))]
    kept = [_lose(cell, rng, side) for side in read]
    again = _answers(cell, rng, old).astype(np.float64) if cell.chance < 1 else None
    told = Data(kept[0], kept[1], clusters, groups, rates, float(each.max()), again)
    if cell.family in ("shared", "own"):
        return _known(cell, rng, told)
    return _sheet(cell, rng, told, (before, afters[0])) if cell.family == "labels" else told


def read_rate(rate: float, found: float, kept: float) -> float:
    """The share that a judge reads as bad."""
    return rate * found + (1 - rate) * (1 - kept)


def _by_group(cell: Cell, worsening: float) -> Floats:
    each = np.full(max(cell.groups, 1), worsening)
    if cell.uneven:
        each[:] = 0.0
        # Clusters take turns, so that the first categories may have one more.
        counts = np.bincount(np.arange(cell.n) // cell.size % cell.groups)
        each[0] = worsening * cell.n / counts[0]
    return each


def _of_seeds(cell: Cell, rng: np.random.Generator, worsening: float) -> Floats:
    """A gamma keeps the rates of newly worse above zero and their mean where it should be."""
    if not (cell.spread and worsening):
        return np.full(cell.seeds, worsening)
    return rng.gamma((worsening / cell.spread) ** 2, cell.spread**2 / worsening, cell.seeds)


def _states(cell: Cell, rng: np.random.Generator, worsening: Floats) -> tuple[Bits, Bits]:
    """Whether each prompt is bad before, and after by seed."""
    base, back = cell.base / cell.chance, cell.back / cell.chance
    worse, better = (worsening / cell.chance + back) / (1 - base), back / base if base else 0.0
    whole = cell.flips != "single"
    old = _uniform(cell, rng, whole=whole)[0] < base
    rows = 1 if cell.alike else cell.seeds
    if cell.flips == "both":
        # Half of the newly worse turn with their cluster.
        clustered = _uniform(cell, rng, whole=True, rows=rows) < worse / 2
        single = _uniform(cell, rng, rows=rows) < worse / 2 / (1 - worse / 2)
        turned, healed = clustered | single, _uniform(cell, rng, rows=rows) < better
    else:
        draw = _uniform(cell, rng, whole=whole, rows=rows)
        turned, healed = draw < worse, draw < better
    new = np.where(old, ~healed, turned)
    return old, np.broadcast_to(new, (cell.seeds, cell.n))


def _uniform(cell: Cell, rng: np.random.Generator, *, whole: bool = False, rows: int = 1) -> Floats:
    if not whole:
        return rng.random((rows, cell.n))
    return np.repeat(rng.random((rows, cell.n // cell.size)), cell.size, axis=1)


def _answers(cell: Cell, rng: np.random.Generator, state: Bits) -> Bits:
    shape = (cell.n, cell.samples)
    if cell.chance == 1.0:
        return np.broadcast_to(state[:, None], shape)
    return state[:, None] & (rng.random(shape) < cell.chance)


def _read(cell: Cell, rng: np.random.Generator, bad: Bits, found: float, kept: float) -> Floats:
    if found == kept == 1.0:
        return bad.astype(np.float64)
    draw = rng.random(bad.shape)
    return np.where(bad, draw < found, draw < 1 - kept).astype(np.float64)


def _lose(cell: Cell, rng: np.random.Generator, words: Floats) -> Floats:
    if not cell.lost:
        return words
    good, bad = LOST[cell.lost]
    return np.where(rng.random(words.shape) < np.where(words > 0, bad, good), np.nan, words)


def _known(cell: Cell, rng: np.random.Generator, told: Data) -> Data:
    def rate(true: float) -> Rate:
        return Rate(float(rng.binomial(cell.labels, true)) / cell.labels, cell.labels)

    before, after = (ErrorRates(rate(found), rate(kept)) for found, kept in (cell.judge[:2], cell.judge[2:]))
    return replace(told, errors=before if cell.family == "shared" else (before, after))


def _sheet(cell: Cell, rng: np.random.Generator, told: Data, bad: tuple[Bits, Bits]) -> Data:
    after, prompts, samples, weights = sheet(told.before, told.afters[0], cell.labels, rng)
    places = after.astype(np.intp), prompts, samples
    human, judge = (np.array(words, dtype=np.float64)[places] for words in (bad, (told.before, told.afters[0])))
    labelled = Labelled(prompts, after, human, judge, weights, np.full(len(after), 1 / cell.samples))
    return replace(told, labelled=labelled, drawn=places, bad=bad)


def sheet(before: Floats, after: Floats, n: int, rng: np.random.Generator) -> tuple[Bits, Places, Places, Floats]:
    """What `draw_sheet` draws of these words with the same generator: whether after, prompt, sample, weight."""
    differ, same = np.argwhere(before != after), np.argwhere(before == after)
    pairs = differ[rng.choice(len(differ), min(max(1, n // 2), len(differ)), replace=False)]
    each = rng.choice(2 * len(same), min(n, 2 * len(same)), replace=False)
    late = np.concatenate([np.repeat([False, True], len(pairs)), each % 2 == 1])
    places = np.concatenate([pairs, pairs, same[each // 2]])
    weights = np.repeat(
        [len(differ) / max(len(pairs), 1), 2 * len(same) / max(len(each), 1)], [2 * len(pairs), len(each)]
    )
    return late, places[:, 0], places[:, 1], weights
