"""The whole history: read from its lines, checked, and computed again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

from holdfast.compare import Side
from holdfast.ledger.entry import Compared, Entry, holds, read_entry
from holdfast.ledger.judging import Shelf, Terms, held_or_why

CLOSE = 1e-9
SIDES_HELD = 6
"""Kept measurements in memory at once: a release, the one before, and a few anchors."""


def read_entries(lines: Sequence[Any]) -> tuple[list[Entry], list[str]]:
    """The entries that are as they were written, and what is wrong with the other lines, each named."""
    entries, faults = [], []
    for number, line in enumerate(lines, 1):
        named = f"Entry {number}"
        if isinstance(line, dict) and "release" in line:
            named = f"{named} ({line['release']})"
        try:
            if not holds(line):
                faults.append(f"{named} is not as it was written: its digest does not fit.")
                continue
            entries.append(read_entry(line))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            faults.append(f"{named} is no entry of a ledger: {error}.")
    return entries, [*faults, *chain_faults(entries)]


def chain_faults(entries: Sequence[Entry]) -> Iterator[str]:
    """Places where a line does not follow the one before it. Lines that are missing at the end cannot be seen here."""
    if entries and entries[0].follows:
        yield f"{entries[0].release} is the first entry, and was written after another one: a line is missing."
    for before, entry in pairwise(entries):
        if entry.follows != before.digest:
            yield (
                f"{entry.release} was not written after {before.release}: a line between them is missing, was changed "
                "or was moved."
            )


def newest(entries: Sequence[Entry]) -> Entry | None:
    """The newest release or anchor; candidates were not released."""
    return next((entry for entry in reversed(entries) if entry.kind != "candidate"), None)


def margin_changes(entries: Sequence[Entry]) -> Iterator[str]:
    """Every margin and level that was changed on the way, since verdicts before and after it are of two gates."""
    last: dict[str, float] = {}
    for entry in entries:
        for name, margin in entry.margins.items():
            if last.get(name, margin) != margin:
                was, now = (f"{100 * value:g} points" for value in (last[name], margin))
                yield f"The margin of {name} was {was}, and is {now} from {entry.release} on."
        last |= entry.margins
    for before, entry in pairwise(entries):
        if before.level != entry.level:
            was, now = (f"{100 * each.level:g} %" for each in (before, entry))
            yield f"The limits are of {was} to {before.release}, and of {now} from {entry.release} on."


def recomputed(entries: Sequence[Entry], shelf: Shelf, margins: Mapping[str, float]) -> list[Entry]:
    """The same history with every comparison computed again from what was kept, under its own margins and `margins`."""
    named = {entry.release: entry for entry in entries}

    @lru_cache(maxsize=SIDES_HELD)
    def side_of(release: str) -> Side:
        return shelf.side(named[release])

    def anew(entry: Entry) -> Entry:
        terms = Terms({**entry.margins, **margins}, entry.level, shelf.calibrations(entry))
        found = {each.to: held_or_why(each.to, side_of(each.to), side_of(entry.release), terms) for each in entry.every}
        return replace(
            entry,
            before=entry.before and found[entry.before.to],
            anchor=entry.anchor and found[entry.anchor.to],
            older_anchors=tuple(found[each.to] for each in entry.older_anchors),
            margins={name: margins.get(name, margin) for name, margin in entry.margins.items()},
        )

    return [anew(entry) for entry in entries]


def differing(written: Sequence[Entry], again: Sequence[Entry]) -> Iterator[str]:
    """Where an entry says another thing than what comes of its kept values."""
    for old, new in zip(written, again, strict=True):
        for was, now in zip(old.every, new.every, strict=True):
            if was.verdict != now.verdict or not _same_limits(was, now):
                yield (
                    f"{old.release} against {was.to} was written as {_word(was)} by Holdfast {old.holdfast}; computed "
                    f"again it is {_word(now)}{'' if was.verdict != now.verdict else ', with other limits'}."
                )


def _same_limits(was: Compared, now: Compared) -> bool:
    if was.metrics.keys() != now.metrics.keys():
        return False
    pairs = [(was.metrics[name], now.metrics[name]) for name in was.metrics]
    return all(_close(one.lower, other.lower) and _close(one.upper, other.upper) for one, other in pairs)


def _close(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else abs(one - other) < CLOSE


def _word(compared: Compared) -> str:
    return compared.verdict or "not comparable"
