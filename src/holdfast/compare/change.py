"""One metric's change described: what stands beside its limits and its verdict. Does not know the other metrics."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.compare.evidence import Evidence
from holdfast.compare.instrument import Instrument
from holdfast.compare.pairing import Pairs, Scores, own_terms
from holdfast.compare.results import BadIs, Beside, GroupChange, Metric, MetricChange, Noise, Verdict, WorstGroup
from holdfast.stats import (
    Interval,
    PairedTable,
    any_of_k,
    bootstrap,
    clustered_mean,
    korn_graubard,
    mcnemar,
    newcombe,
    pair,
)

K = (1, 5, 25, 100)
"""The k of any-of-k that are shown, as far as the samples reach."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a description needs beside the pairs."""

    tool: Instrument
    seeds: int
    """Tuned models, one a training seed."""
    noise: Noise | None
    planted: Verdict | None
    rng: np.random.Generator
    """Draws the bootstrap."""


def describe(metric: Metric, pairs: Pairs, evidence: Evidence, verdict: Verdict, context: Context) -> MetricChange:
    """Everything that is said of one metric; `verdict` was decided with the other metrics in view."""
    shown = pairs.both_scored
    before, after = (_mean(side, shown) for side in (pairs.before, pairs.after))
    difference = None if before is None or after is None else after - before
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
        difference=None if difference is None else sign * difference,
        worsening=context.tool.point(pairs),
        lower=evidence.lower,
        upper=evidence.upper,
        margin=evidence.margin,
        n=pairs.n,
        clusters=int(pairs.clusters.max()) + 1,
        samples=int(max(pairs.before.samples.max(), pairs.after.samples.max() / context.seeds)),
        newly_worse=worse,
        newly_better=better,
        mcnemar_p=mcnemar(worse, better),
        any_of_k=_any_of_k(pairs) if pairs.binary and context.seeds == 1 else {},
        unscored_before=pairs.before.unscored,
        unscored_after=pairs.after.unscored,
        method=evidence.worst.method,
        verdict=verdict,
        prompts_needed=evidence.needed(pairs.n) if verdict == "undecided" else None,
        groups=_group_changes(pairs, metric.bad_is),
        worst_group=_worst_group(pairs, context.tool, evidence.level),
        noise=context.noise,
        judge=evidence.judge,
        beside=_beside(pairs, context.rng),
        planted=context.planted,
    )


def _beside(pairs: Pairs, rng: np.random.Generator) -> Beside | None:
    """None where no prompt has a scored answer on both sides."""
    shown = pairs.both_scored
    if not shown.any():
        return None
    before, after, clusters = pairs.before.mean[shown], pairs.after.mean[shown], pairs.clusters[shown]
    one = len(np.unique(clusters)) < 2
    table = pair(before, after, clusters)
    return Beside(
        bootstrap=bootstrap(after - before, clusters, rng),
        student=None if one else clustered_mean(after - before, clusters),
        newcombe=newcombe(table.both, table.worse, table.better, table.neither)
        if isinstance(table, PairedTable)
        else None,
    )


def _worst_group(pairs: Pairs, tool: Instrument, level: float) -> WorstGroup | None:
    """Bonferroni: each category's limit at 1 - (1 - level)/G, so that all hold together."""
    names = [str(name) for name in dict.fromkeys(pairs.groups.tolist()) if name]
    if len(names) < 2:
        return None
    tool, together = tool.for_parts, 1 - (1 - level) / len(names)
    parts = {name: pairs.part(pairs.groups == name) for name in names}
    limits = {
        name: tool.read(part, part.old_if_good, part.new_if_bad, worst=True).limits(together)[1]
        for name, part in parts.items()
    }
    name = max(limits, key=limits.__getitem__)
    return WorstGroup(name, limits[name], len(names))


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
