"""Sides made by hand, and the gate run on them."""

import numpy as np

from holdfast.compare import Comparison, Gate, Metric, Row, Side, compare

SETTINGS = {"temperature": "0", "judge": "rules"}


def metric(values, *, name="value", bad_is="high", size=1, samples=1, answers=(), cut=(), **settings):
    """One metric: a value per (prompt, sample) in that order, `size` prompts to a cluster."""
    rows = tuple(
        Row(
            prompt_id=f"p{i // samples}",
            sample=i % samples,
            value=None if value is None else float(value),
            cluster=f"f{i // samples // size}" if size > 1 else "",
            group=("north", "south")[i // samples % 2],
            truncated=i in cut,
        )
        for i, value in enumerate(values)
    )
    return Metric(name, f"mean {name}", bad_is, rows, SETTINGS | settings, tuple(answers))


def side(name, *metrics, weights="", template=""):
    return Side(name, weights, template, {found.name: found for found in metrics})


def first(n, bad):
    """n values of which the first `bad` are 1."""
    return (np.arange(n) < bad).astype(float)


def gate(before, after, margins=None, level=0.95) -> Comparison:
    """Compare two sides, or two single metrics."""
    old = before if isinstance(before, Side) else side("base", before)
    new = after if isinstance(after, Side) else side("tuned", after)
    return compare(old, new, Gate(margins or {}, level), np.random.default_rng(0))


def only(comparison):
    """The only metric's change."""
    (change,) = comparison.metrics.values()
    return change
