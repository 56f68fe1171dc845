"""One release held against an earlier one by `compare`, or the reason why that cannot be done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from holdfast.compare import Gate, Known, Side, compare
from holdfast.errors import HoldfastError
from holdfast.judges.calibrated import Calibration
from holdfast.ledger.entry import Compared, Entry, change_of


class Shelf(Protocol):
    """Where the kept measurements stand."""

    def side(self, entry: Entry) -> Side:
        """What was kept of an entry's measurement."""
        ...

    def calibrations(self, entry: Entry) -> Sequence[Calibration]:
        """Those that were given with an entry."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what two releases are compared."""

    margins: Mapping[str, float]
    """Every metric's, by name."""
    level: float
    calibrations: Sequence[Calibration]


def held(to: str, before: Side, after: Side, terms: Terms) -> Compared:
    """`after` against `before`, which is the release `to`, on the metrics that `before` has: one that was measured
    later has no earlier value.

    Raises:
        HoldfastError: the two cannot be compared.
    """
    metrics = {name: after.metrics[name] for name in before.metrics if name in after.metrics}
    shared = replace(after, metrics=metrics) if metrics else after
    known = before.metrics.keys() | shared.metrics.keys()
    gate = Gate({name: margin for name, margin in terms.margins.items() if name in known}, terms.level)
    # The generator never touches a verdict.
    found = compare(before, shared, gate, np.random.default_rng(0), Known(terms.calibrations))
    new = [f"{name} was not measured for {to}." for name in after.metrics if name not in before.metrics]
    return Compared(
        to=to,
        verdict=found.verdict,
        says=found.sentence,
        metrics={name: change_of(change) for name, change in found.metrics.items()},
        notes=(*found.notes, *new),
        qualified=found.qualified,
    )


def held_or_why(to: str, before: Side, after: Side, terms: Terms) -> Compared:
    """As `held`; where the two cannot be compared, that is what it says."""
    try:
        return held(to, before, after, terms)
    except HoldfastError as error:
        return Compared(to, None, "; ".join(" ".join([error.what, error.why]).split("\n  ")), {})
