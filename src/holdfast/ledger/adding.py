"""A new entry: refused when it is there already, compared with the release before and with every anchor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version

from holdfast.compare import Gate, Side
from holdfast.errors import ConfigError, HoldfastError, ModelError, nearest
from holdfast.judges.calibrated import Calibration
from holdfast.ledger.entry import Compared, Entry, Kind, to_line
from holdfast.ledger.history import newest
from holdfast.ledger.judging import Shelf, Terms, held, held_or_why
from holdfast.ledger.kept import prompt_set

LONGEST_NAME = 80
MEND = "Measure it as the anchor was, or add it with --new-anchor: the old anchor stays in view."


@dataclass(frozen=True, slots=True)
class New:
    """What is to be added."""

    release: str
    kind: Kind
    side: Side
    """What the ledger keeps of it, read back: so a verdict can be computed again from what is kept."""
    measurement: str
    """Its sha256."""
    date: datetime
    gate: Gate
    as_before: bool
    """Whether the level, and the margins that the gate does not name, are those of the entries so far."""
    calibrations: Mapping[str, Calibration]
    """By sha256."""


def add(entries: Sequence[Entry], new: New, shelf: Shelf) -> Entry:
    """The entry that follows `entries`, which are in order and whole.

    Raises:
        ConfigError: the name, the measurement or a margin cannot be taken; the first entry is no anchor.
        HoldfastError: a release that cannot be compared with the anchor. A new anchor need not be comparable.
    """
    _check_name(entries, new)
    _check_once(entries, new)
    anchors = [entry for entry in reversed(entries) if entry.kind == "anchor"]
    if not anchors and new.kind != "anchor":
        raise ConfigError(f"{new.release!r} has no anchor to be compared with.", "The first entry is the anchor.")
    terms = _terms(entries, new)
    older = anchors if new.kind == "anchor" else anchors[1:]
    anchor = None if new.kind == "anchor" else _against_anchor(anchors[0], new, terms, shelf)
    since = [anchor] if anchor else []
    since += [held_or_why(each.release, shelf.side(each), new.side, terms) for each in older]
    entry = Entry(
        release=new.release,
        kind=new.kind,
        date=new.date.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        model=new.side.name,
        weights=new.side.weights,
        template=new.side.template,
        measurement=new.measurement,
        prompts=_prompts(new.side, shelf.side(anchors[0]) if anchor else None),
        margins=terms.margins,
        level=terms.level,
        before=_against_before(entries, new.side, terms, shelf, since),
        anchor=anchor,
        older_anchors=tuple(since[1:] if anchor else since),
        calibrations=tuple(new.calibrations),
        holdfast=version("holdfast"),
        follows=entries[-1].digest if entries else "",
    )
    return replace(entry, digest=to_line(entry)["digest"])


def _check_name(entries: Sequence[Entry], new: New) -> None:
    if not new.release.strip() or not new.release.isprintable() or len(new.release) > LONGEST_NAME:
        raise ConfigError(
            f"{new.release!r} is no name for a release.", f"It is one line of 1 to {LONGEST_NAME} characters.",
            "--name v1.2",
        )  # fmt: skip
    for entry in entries:
        if entry.release == new.release:
            raise ConfigError(
                f"{new.release!r} is in the ledger already, since {entry.date}.",
                "An entry is never changed.",
                "Give another --name.",
            )


def _check_once(entries: Sequence[Entry], new: New) -> None:
    """A candidate may become a release, and an older release come back; where nothing tells two models apart, equal
    values may be chance.
    """
    before = newest(entries)
    if before is None or not new.side.weights or new.side.served or new.kind == "candidate":
        return
    if before.measurement == new.measurement:
        raise ConfigError(
            f"{new.release!r} is {before.release!r}: the same weights, measured to the same answers.",
            "A release is entered once.",
            "Measure the new release, and add that.",
        )


def _terms(entries: Sequence[Entry], new: New) -> Terms:
    """Every metric's margin: as named, else as in the last entry that has the metric, else the gate's own."""
    if wrong := sorted(new.gate.margins.keys() - new.side.metrics.keys()):
        raise ConfigError(
            f"A margin is given for {', '.join(map(repr, wrong))}, and nothing was measured by that name.",
            nearest(wrong[0], new.side.metrics),
            "Give margins of metrics that were measured.",
        )
    before: dict[str, float] = {}
    for entry in entries if new.as_before else ():
        before |= entry.margins
    gate = replace(new.gate, margins={**before, **new.gate.margins})
    margins = {name: gate.margin(metric) for name, metric in new.side.metrics.items()}
    level = entries[-1].level if entries and new.as_before else gate.level
    return Terms(margins, level, list(new.calibrations.values()))


def _against_anchor(anchor: Entry, new: New, terms: Terms, shelf: Shelf) -> Compared:
    try:
        return held(anchor.release, shelf.side(anchor), new.side, terms)
    except HoldfastError as error:
        raise type(error)(
            f"{new.release!r} cannot be compared with the anchor {anchor.release!r}; nothing was added.",
            "\n  ".join(part for part in (error.what, error.why) if part),
            error.mend if isinstance(error, ModelError) else MEND,
        ) from error


def _against_before(
    entries: Sequence[Entry], side: Side, terms: Terms, shelf: Shelf, since: Sequence[Compared]
) -> Compared | None:
    before = newest(entries)
    if before is None:
        return None
    known = {each.to: each for each in since}
    return known.get(before.release) or held_or_why(before.release, shelf.side(before), side, terms)


def _prompts(side: Side, anchor: Side | None) -> dict[str, str]:
    first = anchor.metrics if anchor else {}
    return {name: prompt_set(first.get(name, metric)) for name, metric in side.metrics.items()}
