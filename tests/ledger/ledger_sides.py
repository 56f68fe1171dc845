"""Sides for a ledger, a shelf that keeps them in memory, and a ledger made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from holdfast.compare import Gate, Metric, Row, Side
from holdfast.judges.calibrated import Calibration
from holdfast.ledger import Entry, Kind, New, add, keep, restore

CLOCK = datetime(2026, 11, 30, 12, tzinfo=UTC)


def metric(bad: Sequence[int], name: str = "value", prompt: str = "p", **settings: str) -> Metric:
    """A prompt each; the answers' digests follow the values and the prompts."""
    rows = tuple(Row(f"{prompt}{at}", 0, float(value), f"f{at}", "all") for at, value in enumerate(bad))
    return Metric(name, f"mean {name}", "high", rows, {"temperature": "0", **settings})


def first(n: int, bad: int) -> list[int]:
    """`n` values of which the first `bad` are 1."""
    return [int(at < bad) for at in range(n)]


def side(name: str, *metrics: Metric, weights: str = "") -> Side:
    return Side(name, weights, "", {each.name: each for each in metrics})


@dataclass
class Book:
    """A ledger in memory: a shelf and the entries so far."""

    entries: list[Entry] = field(default_factory=list)
    sides: dict[str, Side] = field(default_factory=dict)

    def side(self, entry: Entry) -> Side:
        return self.sides[entry.measurement + entry.release]

    def calibrations(self, entry: Entry) -> Sequence[Calibration]:
        return []

    def add(
        self,
        release: str,
        found: Side,
        kind: Kind = "release",
        margins: Mapping[str, float] | None = None,
        gate: Gate | None = None,
    ) -> Entry:
        kept = keep(found)
        back = restore(found.name, kept.rows, lambda table: kept.prompts[table])
        entry = add(
            self.entries, New(release, kind, back, kept.digest, CLOCK, gate or Gate(margins or {}), not gate, {}), self
        )
        self.sides[entry.measurement + release] = restore(found.name, kept.rows, lambda table: kept.prompts[table])
        self.entries.append(entry)
        return entry
