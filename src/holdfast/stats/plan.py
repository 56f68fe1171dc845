"""Prompts, samples and labels for a power: what it takes to tell a model that is no worse from one that is.

Pass and fail are what the gate's limits say; nothing here knows what is measured.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import ndtri

from holdfast.stats.assumed import LARGEST_CLUSTER, MOST_SAMPLES, Assumed, faults
from holdfast.stats.clustered_power import Shape, chance_clustered, expected, one_cluster
from holdfast.stats.error_rates import ErrorRates, Rate
from holdfast.stats.judged import LabelsNeeded, judged
from holdfast.stats.planning import MOST, fewest, prompts_to_decide
from holdfast.stats.power import Change, Outcome, Rule, chance

JUDGE_SHARE = 0.5
"""Of the room up to the margin, what the judge's error may take: errors add as squares, so prompts keep 87 %."""
CURVE = (25, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, MOST)
SIMULATED_CURVE = (25, 100, 1000)
RATES = 2_000
"""Prompts that stand for a rate."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one outcome takes."""

    prompts: int | None
    """None where no number up to a million is enough."""
    labels: LabelsNeeded | None
    """Of each model's own answers; None where no number up to a million is enough."""


@dataclass(frozen=True, slots=True)
class Point:
    """What happens with so many prompts."""

    prompts: int
    passes: float
    """P(the model that must pass passes)."""
    regression_passes: float
    regression_fails: float
    unseen: float
    """P(the regression broke none of these prompts), which a gate without a limit takes for no change."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What it takes, and what happens then."""

    samples: int | None
    """None where prompts were given and no number up to a hundred is enough."""
    passing: Need
    failing: Need | None
    """None where the regression is within the margin, so that it need not fail."""
    curve: tuple[Point, ...]
    """By rising numbers of prompts, what is needed among them."""

    @property
    def needs(self) -> tuple[Need, ...]:
        """Those that there are."""
        return (self.passing,) if self.failing is None else (self.passing, self.failing)

    @property
    def prompts(self) -> int | None:
        """For all that is asked."""
        each = [need.prompts for need in self.needs if need.prompts is not None]
        return max(each) if len(each) == len(self.needs) else None

    @property
    def labels(self) -> int | None:
        """Of both models' answers, for all that is asked."""
        each = [need.labels.total for need in self.needs if need.labels is not None]
        return max(each) if len(each) == len(self.needs) else None

    def at(self, prompts: int) -> Point:
        """The curve's point of so many prompts."""
        return next(point for point in self.curve if point.prompts == prompts)


def plan(assumed: Assumed, seed: int = 0) -> Plan:
    """Prompts, samples and labels for the power.

    With one answer of independent prompts the chances are sums over tables (`power`), else shares of 2,000 seeded runs
    (`clustered_power`). A judge's error is given half of the room up to the margin, and divides every change by its J.

    Raises:
        ValueError: what is assumed cannot be; every fault, a line each.
    """
    if wrong := faults(assumed):
        raise ValueError("\n".join(wrong))
    outcomes: tuple[Outcome, ...] = ("pass", "fail") if assumed.room("fail") > 0 else ("pass",)
    if assumed.prompts is None:
        bench = _Bench(assumed, assumed.samples or 1, seed)
        sought = [bench.prompts(outcome) for outcome in outcomes]
        samples: int | None = bench.samples
    else:
        n = assumed.prompts // assumed.size * assumed.size
        samples = _samples(assumed, n, outcomes, seed)
        bench = _Bench(assumed, samples or 1, seed)
        sought = [n for _ in outcomes]
    needs = [Need(n, _labels(assumed, outcome)) for n, outcome in zip(sought, outcomes, strict=True)]
    return Plan(samples, needs[0], needs[1] if len(needs) > 1 else None, bench.curve(sought))


@dataclass(frozen=True, slots=True)
class _Bench:
    """The assumptions with a number of samples."""

    of: Assumed
    samples: int
    seed: int

    @property
    def simulated(self) -> bool:
        return self.of.size > 1 or (self.samples > 1 and self.of.flip > 0)

    @property
    def shape(self) -> Shape:
        return Shape(self.of.bad_before, self.samples, self.of.size, self.of.correlation)

    def rule(self, outcome: Outcome) -> Rule:
        """In terms of what the judge reads; its error has taken its share of the room."""
        of, kept = self.of, 1.0 if self.of.found is None else sqrt(1 - JUDGE_SHARE**2)
        model = of.worse if outcome == "pass" else of.regression
        return Rule((model + kept * (of.margin - model)) * of.youden, of.level, of.metrics)

    def chance(self, outcome: Outcome, worse: float) -> Callable[[int], float]:
        """P(outcome) by the number of prompts, for a model that is truly so much worse."""
        change, rule = Change(self.of.flip, worse * self.of.youden), self.rule(outcome)
        if not self.simulated:
            return lambda n: chance(outcome, n, change, rule)
        drawn = one_cluster(change, self.shape)
        return lambda n: chance_clustered(outcome, n, drawn, self.of.size, rule, self.seed)

    def prompts(self, outcome: Outcome) -> int | None:
        """The fewest with the power."""
        of, rule = self.of, self.rule(outcome)
        worse = of.worse if outcome == "pass" else of.regression
        seen = expected(one_cluster(Change(of.flip, worse * of.youden), self.shape), of.size)
        guess = prompts_to_decide(seen, rule.margin, rule.level_of(outcome), of.power) or MOST
        ahead = 0.0 if self.simulated else 2 / rule.margin
        return fewest(self.chance(outcome, worse), power_of(of, outcome), guess, of.size, ahead)

    def curve(self, sought: Iterable[int | None]) -> tuple[Point, ...]:
        wanted = {n for n in sought if n is not None}
        end, size = 2 * max(wanted, default=0), self.of.size
        shown = {max(2, n // size) * size for n in (SIMULATED_CURVE if self.simulated else CURVE) if n <= end}
        passes, bad_passes = (self.chance("pass", worse) for worse in (self.of.worse, self.of.regression))
        fails, unseen = self.chance("fail", self.of.regression), self.unseen
        return tuple(Point(n, passes(n), bad_passes(n), fails(n), unseen(n)) for n in sorted(wanted | shown))

    def unseen(self, n: int) -> float:
        """P(none of n prompts is broken), where a prompt of a cluster copies a common draw with probability √icc."""
        of, copied = self.of, sqrt(self.of.correlation)
        whole = of.regression * ((1 - copied) * (1 - of.regression)) ** of.size
        none = (1 - of.regression) * (copied + (1 - copied) * (1 - of.regression)) ** of.size
        return float((whole + none) ** (n / of.size))


def power_of(of: Assumed, outcome: Outcome) -> float:
    """Of one metric: all pass with the power asked for, however they hang together, where each has this one."""
    return 1 - (1 - of.power) / of.metrics if outcome == "pass" else of.power


def _samples(of: Assumed, n: int, outcomes: tuple[Outcome, ...], seed: int) -> int | None:
    """The fewest samples with which n prompts have the power; None above a hundred."""

    def enough(samples: int) -> bool:
        bench = _Bench(of, samples, seed)
        sides = {"pass": of.worse, "fail": of.regression}
        return all(bench.chance(each, sides[each])(n) >= power_of(of, each) for each in outcomes)

    most = min(MOST_SAMPLES, LARGEST_CLUSTER // of.size)
    found = bisect_left(range(1, most + 1), True, key=enough) + 1
    return found if found <= most else None


def _labels(of: Assumed, outcome: Outcome) -> LabelsNeeded | None:
    """Labels with which the judge's part of the limit keeps to its share, with room for their own luck.

    Of a judge that is not known: for one that errs on none of them.
    """
    unknown = of.found is None or of.kept is None
    found, kept = (1.0, 1.0) if unknown else (of.found, of.kept)
    errors = ErrorRates(Rate(found or 0.0, 1.0), Rate(kept or 0.0, 1.0))
    after = of.bad_before + of.youden * (of.worse if outcome == "pass" else of.regression)
    before, now = (np.arange(RATES) < rate * RATES for rate in (of.bad_before, after))
    level = Rule(of.margin, of.level, of.metrics).level_of(outcome)
    luck = 1.0 if unknown else float(ndtri(level) / (ndtri(level) + ndtri(of.power)))
    return judged(before, now, (errors, errors)).labels_needed(of.room(outcome), level, JUDGE_SHARE * luck)
