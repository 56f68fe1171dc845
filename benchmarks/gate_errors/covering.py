"""Every other interval that a report prints, held against the truth: whether it missed, by name.

`newcombe`, `student` and `bootstrap` stand beside the limits and decide nothing; they speak of the worsening as the
judge read it. Any of k is printed without an interval.
"""

from functools import lru_cache

import numpy as np
from benchmarks.gate_errors.cells import Cell
from benchmarks.gate_errors.deciding import LEVEL, mean, sides
from benchmarks.gate_errors.worlds import Data, Floats, Places, read_rate

from holdfast.stats import (
    Interval,
    PairedTable,
    bootstrap,
    clustered_mean,
    corrected_rate,
    korn_graubard,
    newcombe,
    pair,
)

Missed = dict[str, float]
"""Of each interval 1 where it missed, else 0; of several alike the share."""


def read_rates(cell: Cell, data: Data) -> tuple[float, float]:
    """The true shares that the judge reads as bad, before and after."""
    return read_rate(data.rates[0], *cell.judge[:2]), read_rate(data.rates[1], *cell.judge[2:])


def rates(cell: Cell, data: Data) -> Missed:
    """The 95 % intervals of the two rates, of the noise floor, and of the rates with the judge's error taken out."""
    before, after = read_rates(cell, data)
    merged = np.concatenate(list(data.afters), axis=1) if cell.seeds > 1 else data.afters[0]
    found = {
        "before": _outside(rate_interval(data.before, data), before),
        "after": _outside(rate_interval(merged, data), after),
        **_noise(cell, data),
    }
    if data.errors is not None:
        both = data.errors if isinstance(data.errors, tuple) else (data.errors, data.errors)
        for name, words, errors, true in zip(("before", "after"), (data.before, merged), both, data.rates, strict=True):
            one = corrected_rate(mean(words, lost=1.0), errors, data.clusters)
            found[f"corrected, {name}"] = _outside((one.lower, one.upper), true)
    return found


def rate_interval(words: Floats, data: Data) -> Interval:
    """As `compare` prints it: the lost are good for the low end, bad for the high one."""
    low = _korn_graubard(mean(words, lost=0.0), data.clusters)
    high = _korn_graubard(mean(words, lost=1.0), data.clusters) if np.isnan(words).any() else low
    return low[0], high[1]


def worst_category(cell: Cell, data: Data) -> Missed:
    """The bound on every category, and the categories' own intervals."""
    after, missed = mean(data.afters[0], lost=1.0), []
    for group in range(cell.groups):
        chosen = data.groups == group
        alone = cell.margin if not cell.uneven else data.worst if group == 0 else 0.0
        missed.append(_outside(korn_graubard(after[chosen], data.clusters[chosen]), cell.base + alone))
    return {"worst category": float(category_bound(cell, data) < data.worst), "category": float(np.mean(missed))}


def category_bound(cell: Cell, data: Data) -> float:
    """As `compare` prints it: the highest of the categories' limits, which hold together."""
    before, afters = sides(data, worst=True)
    together = 1 - (1 - LEVEL) / cell.groups
    parts = [data.groups == group for group in range(cell.groups)]
    return max(pair(before[at], afters[0][at], data.clusters[at]).limits(together)[1] for at in parts)


def beside(cell: Cell, data: Data, rng: np.random.Generator) -> Missed:
    """The three that are shown and decide nothing; `rng` resamples."""
    before, after = read_rates(cell, data)
    old, new = mean(data.before, lost=0.0), mean(data.afters, lost=0.0).mean(axis=0)
    table, change = pair(old, new, data.clusters), new - old
    found = {
        "bootstrap": bootstrap(change, data.clusters, rng),
        "student": clustered_mean(change, data.clusters),
    }
    if isinstance(table, PairedTable):
        found["newcombe"] = newcombe(table.both, table.worse, table.better, table.neither)
    return {name: _outside(interval, after - before) for name, interval in found.items()}


def noise(data: Data, again: Floats | None = None) -> Interval:
    """Of the share of prompts whose answer is good once and bad once: in two runs, or of two samples of one run."""
    k, c = data.before.shape[1], data.before.sum(axis=1)
    flips = 2 * c * (k - c) / (k * (k - 1)) if k > 1 else np.zeros(len(c))
    if again is not None:
        p, q = c / k, again.mean(axis=1)
        flips = p * (1 - q) + q * (1 - p)
    return korn_graubard(np.clip(flips, 0, 1), data.clusters)


def _noise(cell: Cell, data: Data) -> Missed:
    if data.again is None:
        return {}
    # Two answers to a bad prompt differ with 2h(1-h), and a share base/h of the prompts is bad.
    true = 2 * cell.base * (1 - cell.chance)
    return {
        "noise, own samples": _outside(noise(data), true),
        "noise, asked again": _outside(noise(data, data.again), true),
    }


def _outside(interval: Interval, true: float) -> float:
    return float(not interval[0] - 1e-12 <= true <= interval[1] + 1e-12)


def _korn_graubard(values: Floats, clusters: Places) -> Interval:
    """Of single prompts that are bad or not the number of bad ones says all, and many data sets share it."""
    if clusters[-1] + 1 == len(values) and not np.any((values > 0) & (values < 1)):
        return _of_count(int(values.sum()), len(values))
    return korn_graubard(values, clusters)


@lru_cache(maxsize=1 << 14)
def _of_count(bad: int, n: int) -> Interval:
    return korn_graubard((np.arange(n) < bad).astype(np.float64))
