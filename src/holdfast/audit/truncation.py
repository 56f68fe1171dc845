"""Rows that lose their end in training, or their whole answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.audit.check import Figure, Material, Need
from holdfast.audit.seen import Seen
from holdfast.data import Finding

QUANTILES = (0.0, 0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True, slots=True)
class Truncation:
    """Notes only: the same row is whole under a larger `max_length`, and `tune` drops an emptied one by itself."""

    name: str = "truncation"
    says: str = "Rows that are longer than training reads: what is cut off, and where no answer is left."
    needs: Need = "view"
    restorable: bool = False

    def find(self, material: Material) -> Iterator[Finding | Figure]:
        """A note for each row that is cut, and the rows' lengths in tokens."""
        view = material.view
        if view is None or not material.examples:
            return
        seen = view.read(material.examples, material.workers, material.tell)
        for row, one in zip(material.examples, seen, strict=True):
            if one.tokens > view.max_length:
                yield self._finding(row.id, one, view.max_length)
        yield self._figure(seen, view.max_length)

    def _finding(self, row: str, one: Seen, room: int) -> Finding:
        lost = f"{one.tokens - room} of {one.tokens} tokens lie past {room}"
        turn = f", in turn {one.lost_turn}" if one.lost_turn else ""
        if one.learned or not one.learned_uncut:
            return Finding(self.name, row, f"The row loses its end: {lost}{turn}.", one.lost, removes=False,
                           verdict="cut")  # fmt: skip
        reason = (
            f"Nothing of the answer is left: {lost}{turn}. `tune` drops the row and counts it; other trainers drop "
            "it without a word, or learn nothing from it. Raise --max-length, or shorten what comes before."
        )
        return Finding(self.name, row, reason, one.lost, removes=False, verdict="emptied")

    def _figure(self, seen: Sequence[Seen], room: int) -> Figure:
        lengths = np.array([one.tokens for one in seen if not one.refused] or [0])
        at = np.quantile(lengths, QUANTILES, method="inverted_cdf").tolist()
        cut = int((lengths > room).sum())
        emptied = sum(one.learned == 0 < one.learned_uncut for one in seen)
        says = (
            f"A row has {at[1]:.0f} tokens in the middle, {at[2]:.0f} at the 90th percentile, {at[3]:.0f} at the "
            f"99th, and {at[4]:.0f} at most. At {room}, {cut} of {len(seen)} are cut, {emptied} of them to nothing."
        )
        value = {
            "rows": len(seen),
            "max_length": room,
            "tokens": int(lengths.sum()),
            "quantiles": {f"{part:g}": int(tokens) for part, tokens in zip(QUANTILES, at, strict=True)},
            "cut": cut,
            "emptied": emptied,
        }
        return Figure(self.name, says, value)
