"""Simulated prompts whose true worsening is known, answers to them, and a judge who errs at known rates."""

from itertools import product
from math import inf, sqrt

import numpy as np

from holdfast.stats.error_rates import ErrorRates, Rate
from holdfast.stats.ppi import Labelled

CHURN = 0.02
"""Prompts that change for better and as many for worse, beside the worsening, as far as the base rate lets."""


def truth(rng, n, size, base, worsening, *, whole=False):
    """Which prompts are bad before and after; `whole`: the prompts of a cluster alike."""
    shape = (n // size, 1 if whole else size)
    churn = min(base / 2, CHURN)
    bad, draw = rng.random(shape) < base, rng.random(shape)
    healed = churn / base if base else 0.0
    after = np.where(bad, draw >= healed, draw < (worsening + churn) / (1 - base))
    return [np.broadcast_to(side, (n // size, size)).ravel() for side in (bad, after)]


def reading(rng, bad, found, kept, samples, *, sticky=False):
    """The judge's word on each of a prompt's samples; `sticky`: it errs alike on all of them."""
    shape = (len(bad), samples)
    draw = np.broadcast_to(rng.random((len(bad), 1)) if sticky else rng.random(shape), shape)
    return np.where(bad[:, None], draw < found, draw < 1 - kept)


def labelled_rates(rng, found, kept, labels):
    """What labels of each class show of a judge's rates."""

    def rate(true):
        return Rate(true, inf) if labels == inf else Rate(rng.binomial(labels, true) / labels, labels)

    return ErrorRates(rate(found), rate(kept))


def sheet(rng, before, after, n):
    """Answers drawn as `draw_sheet` does: (whether after, prompt, sample, weight), from the judge's words."""
    differ, same = np.argwhere(before != after), np.argwhere(before == after)
    pairs = differ[rng.choice(len(differ), min(len(differ), max(1, n // 2)), replace=False)] if len(differ) else differ
    each = rng.choice(2 * len(same), min(n, 2 * len(same)), replace=False)
    rows = [np.column_stack([np.full(len(pairs), side), pairs]) for side in (0, 1)]
    rows.append(np.column_stack([each % 2, same[each // 2]]))
    weights = [np.full(2 * len(pairs), len(differ) / max(len(pairs), 1)), np.full(len(each), 2 * len(same) / len(each))]
    drawn = np.concatenate(rows).astype(int)
    return drawn[:, 0] == 1, drawn[:, 1], drawn[:, 2], np.concatenate(weights)


def simple(rng, before, after, n):
    """A simple random sample of the answers of both sides."""
    prompts, samples = before.shape
    picked = rng.choice(2 * prompts * samples, n, replace=False)
    weights = np.full(n, 2 * prompts * samples / n)
    return picked >= prompts * samples, picked // samples % prompts, picked % samples, weights


def label(drawn, bad, words):
    """People, who do not err, label what was drawn; `bad` and `words` hold before and after."""
    after, prompts, samples, weights = drawn
    side = after.astype(int)
    human = np.array(bad, dtype=float)[side, prompts]
    judge = np.array(words, dtype=float)[side, prompts, samples]
    return Labelled(prompts, after, human, judge, weights, np.full(len(side), 1 / words[0].shape[1]))


def allowed(repeats, level=0.05, errors=3):
    """The level and so many standard errors."""
    return level + errors * sqrt(level * (1 - level) / repeats)


JUDGES = (
    ((1.0, 1.0), (1.0, 1.0)),
    ((0.98, 0.98), (0.98, 0.98)),
    ((0.8, 0.9), (0.8, 0.9)),
    ((0.98, 0.98), (0.9, 0.9)),
    ((0.9, 0.98), (0.98, 0.9)),
    ((0.9, 0.9), (0.8, 1.0)),
)
"""What a judge finds and keeps, before and after."""


def grid(*, seed, **others):
    """Prompts by base rate by judge; of the other factors each value about as often, at random places.

    Yields the prompts, the base rate, the judge before and after, and the others by name.
    """
    cells = list(product((100, 320, 1000), (0.0, 0.02, 0.1, 0.3), JUDGES))
    rng = np.random.default_rng(seed)
    others = {"size": (1, 2), "samples": (1, 5), "margin": (0.02, 0.05, 0.1)} | others
    places = {name: rng.permutation(np.arange(len(cells)) % len(values)) for name, values in others.items()}
    for at, (n, base, (old, new)) in enumerate(cells):
        yield n, base, old, new, {name: values[places[name][at]] for name, values in others.items()}
