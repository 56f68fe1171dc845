"""One release in the history: what was measured, what it was compared with, and the digest that holds the line."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from holdfast.compare import MetricChange, Verdict
from holdfast.store import digest, plain

FORMAT = 1
MARK = "holdfast_ledger"
Kind = Literal["anchor", "release", "candidate"]
"""A candidate was measured and not released: its prompts have decided, and no release is compared with it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One metric's change, in the words of `compare.MetricChange`."""

    before: float | None
    after: float | None
    difference: float | None
    worsening: float | None
    lower: float | None
    upper: float | None
    margin: float
    n: int
    newly_worse: int
    newly_better: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Compared:
    """A release against an earlier one."""

    to: str
    """The earlier one's name."""
    verdict: Verdict | None
    """None where the two cannot be compared."""
    says: str
    """The verdict in a sentence, or why there is none."""
    metrics: Mapping[str, Change]
    notes: tuple[str, ...] = ()
    qualified: str = ""
    """The verdict with what `compare` says beside it, such as "pass, judge uncalibrated"."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger."""

    release: str
    kind: Kind
    date: str
    """In UTC, as ISO 8601."""
    model: str
    weights: str
    template: str
    measurement: str
    """sha256 of what was kept of the measurement."""
    prompts: Mapping[str, str]
    """By metric the set of prompts that decided: the anchor's, where the anchor has the metric."""
    margins: Mapping[str, float]
    level: float
    before: Compared | None
    """Against the release before."""
    anchor: Compared | None
    """Against the anchor that decides; None for an anchor itself."""
    older_anchors: tuple[Compared, ...]
    calibrations: tuple[str, ...]
    """sha256 of each calibration that was given."""
    holdfast: str
    """The version that wrote the line."""
    follows: str
    """The digest of the line before; empty for the first."""
    digest: str = ""
    """sha256 over all of the above."""

    @property
    def verdict(self) -> Verdict | None:
        """Against the anchor that decides; None for an anchor."""
        return self.anchor.verdict if self.anchor else None

    @property
    def since(self) -> tuple[Compared, ...]:
        """Against every anchor, the one that decides first."""
        return (*((self.anchor,) if self.anchor else ()), *self.older_anchors)

    @property
    def every(self) -> tuple[Compared, ...]:
        """All that it was compared with, each once."""
        return tuple({each.to: each for each in (*((self.before,) if self.before else ()), *self.since)}.values())


def change_of(change: MetricChange) -> Change:
    """What the ledger keeps of a metric's change."""
    return Change(**{field.name: getattr(change, field.name) for field in fields(Change)})


def to_line(entry: Entry) -> dict[str, Any]:
    """The entry as its line of the ledger, digest last."""
    body = {MARK: FORMAT, **plain(entry)}
    del body["digest"]
    return {**body, "digest": digest(body)}


def holds(line: Mapping[str, Any]) -> bool:
    """Whether a line is as it was written."""
    return line.get("digest") == digest({key: value for key, value in line.items() if key != "digest"})


def read_entry(line: Mapping[str, Any]) -> Entry:
    """An entry from its line.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is none.
    """
    if line[MARK] != FORMAT:
        raise ValueError(f"format {line[MARK]!r}, and this version reads {FORMAT}")
    found = {field.name: line[field.name] for field in fields(Entry)}
    for key in ("before", "anchor"):
        found[key] = None if found[key] is None else _compared(found[key])
    found["older_anchors"] = tuple(map(_compared, found["older_anchors"]))
    found["calibrations"] = tuple(found["calibrations"])
    return Entry(**found)


def _compared(value: Mapping[str, Any]) -> Compared:
    metrics = {name: Change(**change) for name, change in value["metrics"].items()}
    return Compared(**{**value, "metrics": metrics, "notes": tuple(value["notes"])})
