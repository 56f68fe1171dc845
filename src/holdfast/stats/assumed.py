"""What a plan assumes of two models and of their judge, and what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.stats.error_rates import LEAST_YOUDEN
from holdfast.stats.power import Outcome

MOST_SAMPLES = 100
LARGEST_CLUSTER = 200
"""Answers of one cluster that are still enumerated."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is assumed, and what is wanted; shares are of prompts, as the judge reads them where there is one."""

    margin: float
    """The largest acceptable worsening."""
    flip: float
    """Good before and bad after by noise alone, with one answer each; as many change the other way."""
    regression: float
    """The worsening that must fail, where it is above the margin."""
    worse: float = 0.0
    """The true worsening of the model that must pass."""
    base: float | None = None
    """Bad before; None: twice the flip, as where half of the bad answers are steady, and the judge's false alarms."""
    power: float = 0.8
    level: float = 0.95
    metrics: int = 1
    """Compared at once, each with this margin."""
    size: int = 1
    """Prompts of a cluster."""
    icc: float | None = None
    """Correlation of the changes of two prompts of a cluster."""
    samples: int | None = None
    """Answers of each prompt and model; None: 1, or what `prompts` needs."""
    prompts: int | None = None
    """How many there are, where that is not what is asked."""
    found: float | None = None
    """Of bad answers, the share that the judge calls bad; None: nothing is said of a judge."""
    kept: float | None = None
    """Of good answers, the share that the judge calls good."""

    @property
    def bad_before(self) -> float:
        """The base, given or assumed."""
        return 1 - (self.kept or 1.0) + self.youden * min(2 * self.flip, 0.5) if self.base is None else self.base

    @property
    def correlation(self) -> float:
        """The icc; 0 for prompts that are alone."""
        return self.icc or 0.0

    @property
    def youden(self) -> float:
        """The judge's J; 1 where nothing is said of one."""
        return 1.0 if self.found is None or self.kept is None else self.found + self.kept - 1

    def room(self, outcome: Outcome) -> float:
        """How far the margin lies from the model that must pass, or from the one that must fail."""
        return self.margin - self.worse if outcome == "pass" else self.regression - self.margin


def faults(assumed: Assumed) -> list[str]:
    """All that cannot be planned for, a line each."""
    found = [*_shares(assumed), *_numbers(assumed), *_judge(assumed)]
    return found or list(_answers(assumed))


def _shares(of: Assumed) -> Iterator[str]:
    yield from _outside(of.margin, 0, 1, "margin", "a share of prompts above 0, such as 0.02")
    if not 0 <= of.flip <= 0.5:
        yield f"flip {of.flip:g} is not from 0 to 0.5: it is the share that changes one way, and as many change back"
    yield from _outside(of.regression, 0, 1, "regression", "a share of prompts above 0, such as 0.03")
    if not 0 <= of.worse < of.margin and 0 < of.margin < 1:
        yield f"worse {of.worse:g} is not from 0 to below the margin {of.margin:g}: such a model should not pass"
    if of.base is not None and not 0 <= of.base <= 1:
        yield f"base {of.base:g} is not a rate from 0 to 1"
    yield from _outside(of.power, 0.5, 1, "power", "a probability between 0.5 and 1, such as 0.8")
    yield from _outside(of.level, 0.5, 1, "level", "a probability between 0.5 and 1, such as 0.95")


def _outside(value: float, low: float, high: float, name: str, says: str) -> Iterator[str]:
    if not low < value < high:
        yield f"{name} {value:g} is not {says}"


def _numbers(of: Assumed) -> Iterator[str]:
    for name, number in (("metrics", of.metrics), ("cluster size", of.size)):
        if number < 1:
            yield f"{name} {number} is below 1"
    if of.samples is not None and not 1 <= of.samples <= MOST_SAMPLES:
        yield f"samples {of.samples} is not from 1 to {MOST_SAMPLES}"
    if of.samples is not None and of.prompts is not None:
        yield "prompts and samples are both given: one of them is what is asked for"
    if of.prompts is not None and of.prompts < 2 * max(1, of.size):
        yield f"prompts {of.prompts} is fewer than two clusters"
    if of.size > 1 and of.icc is None:
        yield "cluster size without icc: 0 where its prompts change independently, 1 where all change together"
    if of.icc is not None and (of.size == 1 or not 0 <= of.icc <= 1):
        yield f"icc {of.icc:g} is not from 0 to 1 of prompts in clusters of 2 or more"
    if of.size * (of.samples or 1) > LARGEST_CLUSTER:
        yield f"clusters of {of.size} prompts and {of.samples or 1} samples are above {LARGEST_CLUSTER} answers"


def _answers(of: Assumed) -> Iterator[str]:
    base, most = of.bad_before, max(of.worse, of.regression)
    if of.kept is not None and base < 1 - of.kept - 1e-12:
        yield f"base {base:g} is below 1 - specificity: as the judge reads, so many good answers are bad"
    if base < of.flip - 1e-12:
        yield f"base {base:g} is below flip {of.flip:g}: what becomes good was bad before"
    if base + of.flip + most > 1:
        yield f"base {base:g}, flip {of.flip:g} and a worsening of {most:g} are more prompts than there are"
    elif (of.samples or 1) > 1 or of.prompts is not None:
        steady = base / (1 - most)
        if of.flip / (1 - most) > steady * (1 - steady) + 1e-12:
            yield (
                f"flip {of.flip:g} is more than sampling can do at base {base:g} (at most rate · (1 - rate)), so that "
                "samples cannot average it away"
            )


def _judge(of: Assumed) -> Iterator[str]:
    if (of.found is None) != (of.kept is None):
        yield "sensitivity and specificity of a judge belong together, and one is missing"
    for name, value in (("sensitivity", of.found), ("specificity", of.kept)):
        if value is not None and not 0 <= value <= 1:
            yield f"{name} {value:g} is not from 0 to 1"
    if of.youden <= LEAST_YOUDEN:
        yield f"sensitivity and specificity sum to {1 + of.youden:g}: such a judge hardly knows more than chance"
