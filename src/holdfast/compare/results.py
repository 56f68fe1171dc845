"""What a comparison says: per metric the change, its limits, its margin, a verdict; and one verdict over all.

Signs: `before`, `after` and `difference` (= after - before) are in the metric's own terms; `worsening` and
its limits are turned so that positive is always worse, whatever `bad_is` says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from holdfast.compare.standing import Calibrated
from holdfast.measure.results import Wants
from holdfast.models import is_served
from holdfast.stats import Interval

Verdict = Literal["pass", "fail", "undecided"]
BadIs = Literal["high", "low"]


@dataclass(frozen=True, slots=True)
class Row:
    """One sample of one prompt: its value in the metric's own terms, None when it could not be scored."""

    prompt_id: str
    sample: int
    value: float | None
    cluster: str = ""
    """The independent unit; empty means the prompt itself."""
    group: str = ""
    truncated: bool = False
    """Whether the answer was cut off at the longest allowed length."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of one model, row by row, ready to be paired."""

    name: str
    says: str
    bad_is: BadIs
    rows: tuple[Row, ...]
    settings: Mapping[str, str]
    """Task, template, judge, decoding: must be equal on both sides."""
    answers: tuple[str, ...] = ()
    """A digest of each row's answer, to catch two models that answer identically."""
    wants: Wants | Literal[""] = ""
    """What its suite wants; empty where the source does not say."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two models."""

    name: str
    weights: str
    """sha256 of the weights, or empty when the source does not say; of a served model the name that it is known by."""
    template: str
    metrics: Mapping[str, Metric]

    @property
    def served(self) -> bool:
        """Whether a server answered, so that neither weights nor template can be seen."""
        return is_served(self.weights)


@dataclass(frozen=True, slots=True)
class GroupChange:
    """One category of a metric: described, never judged."""

    group: str
    n: int
    before: float | None
    after: float | None
    after_interval: tuple[float, float] | None
    before_interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class WorstGroup:
    """How much worse any category may be: an upper limit that holds for all of them at once (Bonferroni)."""

    group: str
    """The one whose limit is the highest."""
    upper: float
    groups: int
    """Categories that it holds for."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What changes with no training at all: the base beside itself."""

    source: Literal["samples", "again"]
    """Its own samples of one prompt, or a second measurement of it."""
    flips: float
    """Share of the prompts whose answer is good once and bad once, of two answers."""
    interval: Interval
    """95 %, two-sided, clustered."""
    newly_worse: int | None
    """Prompts by their first samples, in a second measurement; None where there is none."""
    newly_better: int | None


@dataclass(frozen=True, slots=True)
class JudgePart:
    """How the judge's error entered the limits of one metric."""

    source: Literal["own", "transported", "labels"]
    """Error rates of each model's answers, of other models' and taken to be alike on both sides, or labels of a random
    sample of these very answers (PPI++).
    """
    alone: float
    """The half-width that would stay with infinitely many prompts."""
    labels: int | None
    """Labelled answers that the limits rest on, where they are of these very answers."""
    labels_needed: int | None
    """About how many labels would bring the judge's part to half of the margin; None where no number would."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Other 95 % two-sided intervals of the worsening as the judge read it: shown, never decisive."""

    bootstrap: Interval
    """Percentiles of whole clusters resampled."""
    student: Interval | None
    """Student's on the clustered mean; None from one cluster."""
    newcombe: Interval | None
    """Newcombe's paired interval, method 10; None unless every value is 0 or 1 and every prompt its own cluster."""


@dataclass(frozen=True, slots=True)
class MetricChange:
    """One metric, before and after."""

    name: str
    says: str
    bad_is: BadIs
    before: float | None
    after: float | None
    before_interval: tuple[float, float] | None
    """95 %, two-sided, clustered."""
    after_interval: tuple[float, float] | None
    difference: float | None
    worsening: float | None
    """With the judge's error taken out, where it is known; else what the judge read."""
    lower: float | None
    """One-sided 95 % lower limit of the worsening."""
    upper: float | None
    """One-sided 95 % upper limit of the worsening."""
    margin: float
    n: int
    """Prompts that either side answered."""
    clusters: int
    samples: int
    newly_worse: int
    """Prompts whose first sample was good before and is bad now."""
    newly_better: int
    mcnemar_p: float | None
    """Exact McNemar on the two counts above: tests zero change, not the margin; shown, never decisive."""
    any_of_k: Mapping[int, tuple[float, float]]
    """k -> (before, after): probability that at least one of k answers is bad; only for k <= samples."""
    unscored_before: int
    unscored_after: int
    method: str
    """The method the limits come from, in words."""
    verdict: Verdict
    prompts_needed: int | None
    """When undecided: about how many prompts it would take at this change and spread."""
    groups: tuple[GroupChange, ...] = ()
    worst_group: WorstGroup | None = None
    """None with fewer than two categories."""
    noise: Noise | None = None
    """None where the base was neither sampled several times at a temperature above zero nor measured again."""
    judge: JudgePart | None = None
    """None where the judge's error did not enter the limits: it is exact, or its error is not known."""
    beside: Beside | None = None
    planted: Verdict | None = None
    """What a planted 3-point regression would get; None where too few prompts were good before to plant it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The gate's answer."""

    verdict: Verdict
    sentence: str
    """The verdict in one sentence, with the metric that decided it."""
    before: Side
    after: Side
    metrics: Mapping[str, MetricChange]
    same_model: bool
    """Whether both sides have the same weights; of served models nobody can tell."""
    notes: tuple[str, ...] = ()
    """What qualifies the verdict: unscored answers, truncation, a planted regression that was missed."""
    seeds: str = "this checkpoint only"
    """What the verdict is about: one checkpoint, or a way of training over seeds."""
    calibration: Calibrated | None = None
    """What is known of the judges' error."""
    tuned: tuple[Side, ...] = ()
    """The tuned models, one a training seed; `after` is all of them as one."""

    @property
    def qualified(self) -> str:
        """The verdict with what a pass has to say beside it: without labels of the tuned model's own answers no pass
        is more than "pass, judge untransported".
        """
        status = self.calibration.status if self.calibration else "exact"
        # Labels of the model's own may be too few to be what entered the limits.
        if status == "own" and any(
            change.judge and change.judge.source == "transported" for change in self.metrics.values()
        ):
            status = "transported"
        said = {"transported": "judge untransported", "uncalibrated": "judge uncalibrated"}.get(status)
        return f"{self.verdict}, {said}" if said and self.verdict == "pass" and not self.same_model else self.verdict
