"""One metric's change with its limits, verdict and description. Does not know the other metrics.

Two bounds are kept apart: passing assumes the worst of what could not be scored, failing the best, so that an
unscored answer can leave a verdict open but never make it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.compare.pairing import Pairs, Scores, own_terms
from holdfast.compare.results import BadIs, GroupChange, Metric, MetricChange, Verdict
from holdfast.stats import (
    Interval,
    PairedParts,
    PairedTable,
    any_of_k,
    half_width_spread,
    korn_graubard,
    mcnemar,
    p_worse_than,
    pair,
    prompts_needed,
)

K = (1, 5, 25, 100)
"""The k of any-of-k that are shown, as far as the samples reach."""
MOST_PLANNED = 1_000_000
"""Above this many prompts a plan says nothing that a person can act on."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the verdict on one metric rests on."""

    worst: PairedTable | PairedParts
    best: PairedTable | PairedParts
    margin: float
    level: float
    lower: float
    upper: float
    p: float
    """Of "the worsening is at most the margin", not adjusted."""

    def verdict(self, adjusted_p: float) -> Verdict:
        """Pass below the margin; fail when the adjusted p-value rejects it; else undecided."""
        if self.upper < self.margin:
            return "pass"
        return "fail" if adjusted_p <= 1 - self.level + 1e-12 else "undecided"

    def needed(self, n: int) -> int | None:
        """About how many prompts would decide, at this change and spread; None where none would help."""
        worst, best = self.worst.estimate, self.best.estimate
        if self.upper - self.lower >= 2:  # one cluster: more prompts of it say nothing
            return None
        if worst < self.margin:
            distance, half = self.margin - worst, self.upper - worst
        elif best > self.margin:
            distance, half = best - self.margin, best - self.lower
        else:
            return None
        count = prompts_needed(distance, half_width_spread(half, n, self.level), self.level)
        return None if count is None or count > MOST_PLANNED else max(count, n + 1)


def weigh(pairs: Pairs, margin: float, level: float) -> Evidence:
    """The limits of one metric's worsening and its p-value against the margin."""
    worst = pair(pairs.old_if_good, pairs.new_if_bad, pairs.clusters)
    best = pair(pairs.before.if_bad, pairs.after.if_good, pairs.clusters)
    return Evidence(
        worst=worst,
        best=best,
        margin=margin,
        level=level,
        lower=best.limits(level)[0],
        upper=worst.limits(level)[1],
        p=p_worse_than(margin, best),
    )


def describe(metric: Metric, pairs: Pairs, evidence: Evidence, verdict: Verdict) -> MetricChange:
    """Everything that is said of one metric; `verdict` was decided with the other metrics in view."""
    shown = pairs.both_scored
    before, after = (_mean(side, shown) for side in (pairs.before, pairs.after))
    worsening = None if before is None or after is None else after - before
    sign = 1 if metric.bad_is == "high" else -1
    # A graded answer counts as newly worse when it is worse than before; NaN compares as neither.
    worse = int(np.sum(pairs.after.first > pairs.before.first))
    better = int(np.sum(pairs.after.first < pairs.before.first))
    return MetricChange(
        name=metric.name,
        says=metric.says,
        bad_is=metric.bad_is,
        before=_own(before, metric.bad_is),
        after=_own(after, metric.bad_is),
        before_interval=_interval(pairs.before, pairs.clusters, metric.bad_is),
        after_interval=_interval(pairs.after, pairs.clusters, metric.bad_is),
        difference=None if worsening is None else sign * worsening,
        worsening=worsening,
        lower=evidence.lower,
        upper=evidence.upper,
        margin=evidence.margin,
        n=pairs.n,
        clusters=int(pairs.clusters.max()) + 1,
        samples=int(max(pairs.before.samples.max(), pairs.after.samples.max())),
        newly_worse=worse,
        newly_better=better,
        mcnemar_p=mcnemar(worse, better),
        any_of_k=_any_of_k(pairs) if pairs.binary else {},
        unscored_before=pairs.before.unscored,
        unscored_after=pairs.after.unscored,
        method=evidence.worst.method,
        verdict=verdict,
        prompts_needed=evidence.needed(pairs.n) if verdict == "undecided" else None,
        groups=_group_changes(pairs, metric.bad_is),
    )


def _mean(scores: Scores, chosen: NDArray[np.bool_]) -> float | None:
    return float(scores.mean[chosen].mean()) if chosen.any() else None


def _own(badness: float | None, bad_is: BadIs) -> float | None:
    return None if badness is None else own_terms(badness, bad_is)


def _interval(scores: Scores, clusters: NDArray[np.intp], bad_is: BadIs) -> Interval | None:
    """95 %, two-sided; the unscored are good for the lower end, bad for the upper; None from one cluster."""
    if not scores.scored.any() or len(np.unique(clusters)) < 2:
        return None
    low = korn_graubard(scores.if_good, clusters)[0]
    high = korn_graubard(scores.if_bad, clusters)[1]
    return (low, high) if bad_is == "high" else (1 - high, 1 - low)


def _any_of_k(pairs: Pairs) -> dict[int, tuple[float, float]]:
    """Unscored samples count as bad on both sides: any-of-k bounds what a user may meet."""
    sides = (pairs.before, pairs.after)
    most = min(side.samples.min() for side in sides)
    bad = [side.bad + side.samples - side.scored for side in sides]
    return {k: (any_of_k(bad[0], sides[0].samples, k), any_of_k(bad[1], sides[1].samples, k)) for k in K if k <= most}


def _group_changes(pairs: Pairs, bad_is: BadIs) -> tuple[GroupChange, ...]:
    names = [str(name) for name in dict.fromkeys(pairs.groups.tolist()) if name]
    return tuple(_group_change(pairs, name, bad_is) for name in names)


def _group_change(pairs: Pairs, name: str, bad_is: BadIs) -> GroupChange:
    chosen = pairs.groups == name
    clusters = pairs.clusters[chosen]
    before, after = pairs.before.part(chosen), pairs.after.part(chosen)
    shown = pairs.both_scored[chosen]
    return GroupChange(
        group=name,
        n=int(chosen.sum()),
        before=_own(_mean(before, shown), bad_is),
        after=_own(_mean(after, shown), bad_is),
        after_interval=_interval(after, clusters, bad_is),
        before_interval=_interval(before, clusters, bad_is),
    )
