"""A guard that is not asked twice: its words are kept as they arrive, and only what is missing is asked."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from holdfast.judges.guard import NOT_JUDGED, Arriving, Asked, GuardVerdict, Style, in_order


class Kept(Protocol):
    """Where rows are kept one by one; `store.Journal` is one."""

    def rows(self) -> Iterator[dict[str, Any]]:
        """What was kept so far."""

    def append(self, rows: list[Any]) -> None:
        """Keep more, before returning."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A guard with a memory. What is kept is a digest and the guard's own words: no row, no key.

    The digest covers the guard's name, its style and all that it is sent, so another model, another rubric or
    an edited row is asked anew; the words are read again each time, so that a better parser reads old words too.
    """

    guard: Arriving
    kept: Kept

    @property
    def name(self) -> str:
        """The guard's."""
        return self.guard.name

    @property
    def style(self) -> Style:
        """The guard's."""
        return self.guard.style

    def judge(self, asked: Sequence[Asked]) -> Iterator[GuardVerdict]:
        """A verdict each, in order; raises what the guard raises, after all that arrived was kept."""
        return in_order(self.arrive(asked))

    def arrive(self, asked: Sequence[Asked]) -> Iterator[tuple[int, GuardVerdict]]:
        """(place, verdict): first those that are known, then the others as they come; equal rows are asked once."""
        known = {row["guarded"]: row["said"] for row in self.kept.rows() if _is_verdict(row)}
        places: dict[str, list[int]] = {}
        for place, each in enumerate(asked):
            key = self._key(each)
            if key in known:
                yield place, self.style.parse(known[key])
            else:
                places.setdefault(key, []).append(place)
        missing = list(places.items())
        for at, verdict in self.guard.arrive([asked[found[0]] for _, found in missing]):
            key, found = missing[at]
            if not verdict.said.startswith(NOT_JUDGED):
                self.kept.append([{"guarded": key, "said": verdict.said}])
            yield from ((place, verdict) for place in found)

    def _key(self, asked: Asked) -> str:
        sent = [self.name, self.style.name, self.style.messages(asked)]
        return sha256(json.dumps(sent).encode()).hexdigest()


def _is_verdict(row: object) -> bool:
    return isinstance(row, Mapping) and isinstance(row.get("guarded"), str) and isinstance(row.get("said"), str)
