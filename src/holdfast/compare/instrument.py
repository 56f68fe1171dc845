"""How the badness that a judge read becomes a worsening with limits: as it is, with the judge's known error inside, or
with people's labels of some of the answers. Decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from holdfast.compare.labelled import Found, labelled
from holdfast.compare.pairing import Floats, Pairs
from holdfast.compare.results import JudgePart, Metric, Side
from holdfast.judges.calibrated import Calibration
from holdfast.judges.labels import Labels
from holdfast.measure.judge_errors import judge_errors
from holdfast.stats import ErrorRates, Judged, JudgedApart, LabelsNeeded, Paired, Rectified, judged, pair, rectified


class Instrument(Protocol):
    """Reads two sides' badness of paired prompts."""

    @property
    def for_parts(self) -> "Instrument":
        """What reads a part of the prompts, or others than were labelled."""

    def read(self, pairs: Pairs, before: Floats, after: Floats, *, worst: bool) -> Paired:
        """The worsening of `after` on `before`; `worst` where the unscored are taken against the new model."""

    def point(self, pairs: Pairs) -> float | None:
        """The worsening that is shown: over the prompts that both sides have a scored answer to, None without any."""

    def part(self, paired: Paired, margin: float, level: float) -> JudgePart | None:
        """What the judge's error costs; None where it did not enter."""


@dataclass(frozen=True, slots=True)
class AsRead:
    """The judge's word as the truth: it is exact, or nobody knows how it errs."""

    @property
    def for_parts(self) -> "AsRead":
        """Itself."""
        return self

    def read(self, pairs: Pairs, before: Floats, after: Floats, *, worst: bool) -> Paired:
        """As read."""
        return pair(before, after, pairs.clusters)

    def point(self, pairs: Pairs) -> float | None:
        """The mean after less the mean before."""
        shown = pairs.both_scored
        return float(pairs.after.mean[shown].mean() - pairs.before.mean[shown].mean()) if shown.any() else None

    def part(self, paired: Paired, margin: float, level: float) -> None:
        """None."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """The judge errs at known rates: of each side, or taken to be the same on both."""

    errors: ErrorRates | tuple[ErrorRates, ErrorRates]

    @property
    def for_parts(self) -> "Corrected":
        """Itself."""
        return self

    def read(self, pairs: Pairs, before: Floats, after: Floats, *, worst: bool) -> Paired:
        """With the error taken out, and its uncertainty inside the limits."""
        return judged(before, after, self.errors, pairs.clusters)

    def point(self, pairs: Pairs) -> float | None:
        """The same, with the error taken out."""
        shown = pairs.both_scored
        if not shown.any():
            return None
        before, after = pairs.before.mean[shown], pairs.after.mean[shown]
        return judged(before, after, self.errors, pairs.clusters[shown]).estimate

    def part(self, paired: Paired, margin: float, level: float) -> JudgePart | None:
        """From the labels behind the rates."""
        if not isinstance(paired, Judged | JudgedApart):
            return None
        needed: LabelsNeeded | None = paired.labels_needed(margin, level) if margin > 0 else None
        total = needed.total if needed else None
        return JudgePart(
            "own" if isinstance(self.errors, tuple) else "transported", paired.judge_alone(level), None, total
        )


@dataclass(frozen=True, slots=True)
class Sampled:
    """People read a random sample of the answers."""

    found: Found

    @property
    def for_parts(self) -> AsRead:
        """As the judge read it: a part of the prompts has too few labels of its own."""
        return AsRead()

    def read(self, pairs: Pairs, before: Floats, after: Floats, *, worst: bool) -> Paired:
        """What the judge read, rectified by the labels."""
        return rectified(before, after, self.found.worst if worst else self.found.best, pairs.clusters)

    def point(self, pairs: Pairs) -> float | None:
        """Halfway between the unscored as good and as bad: each label has its place among all prompts."""
        worst = self.read(pairs, pairs.before.if_good, pairs.after.if_bad, worst=True).estimate
        best = self.read(pairs, pairs.before.if_bad, pairs.after.if_good, worst=False).estimate
        return (worst + best) / 2

    def part(self, paired: Paired, margin: float, level: float) -> JudgePart | None:
        """From these labels."""
        if not isinstance(paired, Rectified):
            return None
        needed = paired.labels_needed(margin, level) if margin > 0 else None
        return JudgePart("labels", paired.judge_alone(level), paired.labels, needed)


def instrument(
    before: tuple[Side, Metric],
    after: tuple[Side, Metric],
    pairs: Pairs,
    labels: Sequence[Labels],
    calibrations: Sequence[Calibration],
) -> Instrument:
    """The best that is known of one metric's judge: labels of these very answers, then its error rates.

    Args:
        before: the side, and its metric.
        after: likewise.
        pairs: the two, paired.
        labels: sheets that people labelled.
        calibrations: the user's, before what the judge comes with.
    """
    if found := labelled(before, after, pairs, labels):
        return Sampled(found)
    wants = after[1].wants
    if wants not in ("refusal", "answer"):
        return AsRead()
    known = [
        judge_errors(metric.settings, wants, side.name, side.weights, calibrations) for side, metric in (before, after)
    ]
    old, new = known
    if old is None or new is None:
        return AsRead()
    if old.own and new.own:
        return Corrected((old.rates, new.rates))
    return Corrected((old if old.own else new).rates)
