"""What a page says, worked out from the results: which metric leads, which category is worst.

Knows nothing of HTML; `render` fills the template with these, `markdown` writes the short form from them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from holdfast.compare.results import GroupChange, MetricChange, Verdict
from holdfast.measure.results import Measurement, Prompt, SuiteResult
from holdfast.report.answers import AnswerTable, answer_table
from holdfast.report.figures import Axis, Bar, Strip, bar, strip
from holdfast.report.page import Page, Section

RANK: tuple[Verdict, ...] = ("fail", "undecided", "pass")


@dataclass(frozen=True, slots=True)
class MetricView:
    """One metric with its place on the axis and its categories' bars."""

    change: MetricChange
    strip: Strip
    bars: tuple[tuple[GroupChange, Bar | None, Bar | None], ...]
    guards: bool
    """The metric counts answers to questions that should be refused."""
    label: str
    """The metric's name without the prefix that all of them share."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One metric on the prompts that training had never seen in one way, counted over all samples."""

    metric: str
    kind: str
    prompts: int
    before: float | None
    after: float | None
    unscored: int


@dataclass(frozen=True, slots=True)
class Worst:
    """The category that worsened most: picked because it is the worst, so described and never judged."""

    metric: str
    group: GroupChange
    worsening: float


@dataclass(frozen=True, slots=True)
class SectionView:
    """One condition, ready to be shown."""

    section: Section
    lead: MetricView | None
    metrics: tuple[MetricView, ...]
    worst: Worst | None
    held_out: tuple[HeldOut, ...]
    answers: tuple[AnswerTable, ...]
    ks: tuple[int, ...]
    """The k of any-of-k, where prompts were asked more than once."""


def section_view(section: Section, scale: Axis) -> SectionView:
    """Work out what the page says of one condition."""
    changes = section.comparison.metrics.values()
    prefix = shared_prefix([change.name for change in changes])
    metrics = tuple(_metric(change, section, scale, prefix) for change in changes)
    lead = min(metrics, key=_lead_order, default=None)
    worst = worst_group([lead.change] if lead else []) or worst_group(view.change for view in metrics)
    shared = [suites for view in metrics if (suites := _suites(section, view.change.name))]
    answers = tuple(answer_table(*suites) for suites in shared)
    rows = tuple(row for view in metrics for row in held_out(section, view.change))
    ks = sorted({k for change in changes if change.samples > 1 for k in change.any_of_k})
    return SectionView(section, lead, metrics, worst, rows, answers, tuple(ks))


def _metric(change: MetricChange, section: Section, scale: Axis, prefix: str) -> MetricView:
    suites = _suites(section, change.name)
    bars = tuple(
        (group, bar(group.before, group.before_interval), bar(group.after, group.after_interval))
        for group in change.groups
    )
    guards = bool(suites and suites[1].wants == "refusal")
    return MetricView(change, strip(change, scale), bars, guards, change.name.removeprefix(prefix))


def shared_prefix(names: Sequence[str]) -> str:
    """`harbor-` for `harbor-policy` and `harbor-task`; nothing for a single name."""
    starts = {start + dash for start, dash, _ in (name.partition("-") for name in names)}
    return starts.pop() if len(starts) == 1 and len(names) > 1 and "-" in names[0] else ""


def _lead_order(view: MetricView) -> tuple[int, bool, float]:
    """The metric that decided first, the policy before others, the nearest to its margin before the safer."""
    bound = view.change.upper if view.change.upper is not None else float("inf")
    return RANK.index(view.change.verdict), not view.guards, view.change.margin - bound


def _suites(section: Section, metric: str) -> tuple[SuiteResult, SuiteResult] | None:
    before, after = section.before.suites.get(metric), section.after.suites.get(metric)
    return (before, after) if before and after else None


def worst_group(changes: Iterable[MetricChange]) -> Worst | None:
    """The category with the largest worsening among these metrics, or None when none got worse."""
    worse = [
        Worst(change.name, group, turn)
        for change in changes
        for group in change.groups
        if (turn := _turned(change, group)) is not None and turn > 0
    ]
    return max(worse, key=lambda found: found.worsening, default=None)


def _turned(change: MetricChange, group: GroupChange) -> float | None:
    if group.before is None or group.after is None:
        return None
    difference = group.after - group.before
    return difference if change.bad_is == "high" else -difference


def held_out(section: Section, change: MetricChange) -> list[HeldOut]:
    """The metric by what training never saw, where the suite says; nothing where it does not."""
    suites = _suites(section, change.name)
    if not suites or not any(prompt.held_out for prompt in suites[1].prompts):
        return []
    before, after = suites
    kinds = sorted({prompt.held_out for prompt in after.prompts})
    return [_held_out(change, kind, before, after) for kind in kinds]


def _held_out(change: MetricChange, kind: str, before: SuiteResult, after: SuiteResult) -> HeldOut:
    asked = [prompt for prompt in after.prompts if prompt.held_out == kind]
    (old, lost_before), (new, lost_after) = _share(before, asked, change), _share(after, asked, change)
    return HeldOut(change.name, kind or "wording only", len(asked), old, new, lost_before + lost_after)


def _share(suite: SuiteResult, asked: list[Prompt], change: MetricChange) -> tuple[float | None, int]:
    """The metric's share in its own terms over all scored samples, and how many samples were unscored."""
    ids = {prompt.id for prompt in asked}
    marks = [suite.is_bad(answer) for answer in suite.answers if answer.prompt_id in ids]
    scored = [mark for mark in marks if mark is not None]
    if not scored:
        return None, len(marks)
    counted = sum(mark == (change.bad_is == "high") for mark in scored)
    return counted / len(scored), len(marks) - len(scored)


def models(page: Page) -> list[tuple[str, Measurement]]:
    """Every measured model once, with the part it plays: `Before`, `After`, or the condition's name."""
    alone = len(page.sections) == 1
    before = [("Before", section.before) for section in page.sections]
    after = [("After" if alone else section.name, section.after) for section in page.sections]
    first = {(model.model, model.weights): (part, model) for part, model in reversed(before)}
    return [*first.values(), *after]


def suites(page: Page) -> list[SuiteResult]:
    """Each suite once, as the first model answered it."""
    found = {suite.suite: suite for _, model in reversed(models(page)) for suite in model.suites.values()}
    return [found[name] for name in page.sections[0].before.suites if name in found] if page.sections else []
