"""What the verdict on one metric rests on: its limits, its p-value against the margin, and what more would decide.

Two bounds are kept apart: passing assumes the worst of what could not be scored, failing the best, so that an
unscored answer can leave a verdict open but never make it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.compare.instrument import Instrument
from holdfast.compare.pairing import Pairs
from holdfast.compare.results import JudgePart, Verdict
from holdfast.stats import (
    Paired,
    PairedParts,
    PairedTable,
    half_width_spread,
    over_seeds,
    p_worse_than,
    prompts_needed,
    prompts_to_decide,
)

MOST_PLANNED = 1_000_000
"""Above this many prompts a plan says nothing that a person can act on."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One metric's worsening against its margin."""

    worst: Paired
    best: Paired
    margin: float
    level: float
    lower: float
    upper: float
    p: float
    """Of "the worsening is at most the margin", not adjusted."""
    judge: JudgePart | None

    def verdict(self, adjusted_p: float) -> Verdict:
        """Pass below the margin; fail when the adjusted p-value rejects it; else undecided."""
        if self.upper < self.margin:
            return "pass"
        return "fail" if adjusted_p <= 1 - self.level + 1e-12 else "undecided"

    @property
    def judge_decides(self) -> bool:
        """Whether the judge's error alone keeps the verdict open, however many prompts are asked."""
        return self.judge is not None and self.judge.alone >= abs(self._distance) > 0

    @property
    def _distance(self) -> float:
        """From the change to the margin, positive on either clear side; 0 where the unscored lie across it."""
        if self.worst.estimate < self.margin:
            return self.margin - self.worst.estimate
        return max(0.0, self.best.estimate - self.margin)

    def needed(self, n: int) -> int | None:
        """About how many prompts would decide, at this change and spread; None where none would help."""
        distance = self._distance
        if self.upper - self.lower >= 2 or not distance or self.judge_decides:  # one cluster, or not the prompts
            return None
        passing = self.worst.estimate < self.margin
        seen = self.worst if passing else self.best
        if isinstance(seen, PairedTable | PairedParts):
            count = prompts_to_decide(seen, self.margin, self.level)
            return None if count is None else max(count, n + 1)
        half = self.upper - self.worst.estimate if passing else self.best.estimate - self.lower
        alone = self.judge.alone if self.judge else 0.0
        # The judge's part stays, whatever is asked; the prompts' part shrinks.
        prompts = max(half**2 - alone**2, 0.0) ** 0.5
        room = (distance**2 - alone**2) ** 0.5
        count = prompts_needed(room, half_width_spread(prompts, n, self.level), self.level)
        return None if count is None or count > MOST_PLANNED else max(count, n + 1)


def weigh(tool: Instrument, pairs: Pairs, each: Sequence[Pairs], margin: float, level: float) -> Evidence:
    """The limits of one metric's worsening and its p-value against the margin.

    Args:
        tool: how the judge's word is read.
        pairs: the prompts, over all tuned models.
        each: the same for each tuned model, where several training seeds were given; else one.
        margin: the largest acceptable worsening.
        level: of each limit.
    """
    worst = tool.read(pairs, pairs.old_if_good, pairs.new_if_bad, worst=True)
    best = tool.read(pairs, pairs.before.if_bad, pairs.after.if_good, worst=False)
    part = tool.part(worst, margin, level)
    if len(each) > 1:
        worst = over_seeds(worst, [tool.read(p, p.old_if_good, p.new_if_bad, worst=True).estimate for p in each])
        best = over_seeds(best, [tool.read(p, p.before.if_bad, p.after.if_good, worst=False).estimate for p in each])
    return Evidence(
        worst=worst,
        best=best,
        margin=margin,
        level=level,
        lower=best.limits(level)[0],
        upper=worst.limits(level)[1],
        p=p_worse_than(margin, best),
        judge=part,
    )
