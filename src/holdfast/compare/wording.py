"""A comparison's verdict and its qualifications in sentences. Decides nothing."""

from collections.abc import Iterator, Mapping

from holdfast.compare.controls import PLANTED, identical, samples_agree
from holdfast.compare.pairing import Pairs
from holdfast.compare.results import Metric, MetricChange, Side, Verdict


def sentence(verdict: Verdict, changes: Mapping[str, MetricChange], level: float, *, same_model: bool) -> str:
    """What the verdict rests on, in one sentence; the word itself stands beside it."""
    if same_model:
        return "Same model: the weights of both sides are identical."
    deciding = [change for change in changes.values() if change.verdict == verdict]
    limit = f"{100 * level:g} % limit"
    if verdict == "fail":
        return _failed(max(deciding, key=lambda change: (change.lower or 0) - change.margin), limit)
    closest = max(deciding, key=lambda change: (1 if change.upper is None else change.upper) - change.margin)
    if verdict == "undecided":
        return _undecided(closest, limit)
    lead = "" if len(changes) == 1 else "Nothing worsened by its margin; at the closest, "
    bound = f"{closest.name} is {_at_most(closest)} ({limit})"
    return f"{lead}{bound}, and its margin is {_points(closest.margin)}."


def _failed(change: MetricChange, limit: str) -> str:
    seen = "" if change.worsening is None else f"{_points(change.worsening)} worse, "
    at_least = f"at least {_points(change.lower or 0)} ({limit})"
    return f"{change.name} is {seen}{at_least}, and its margin is {_points(change.margin)}."


def _undecided(change: MetricChange, limit: str) -> str:
    if change.prompts_needed is not None:
        remedy = f"about {change.prompts_needed:,} prompts would decide ({change.n:,} now)"
    elif change.clusters < 2:
        remedy = "one cluster of prompts cannot decide"
    elif labels := _labels(change):
        remedy = labels
    elif change.unscored_before or change.unscored_after:
        remedy = "the answers that could not be scored decide it"
    elif change.worsening is not None and change.worsening < change.margin:
        remedy = "the answers that were cut off decide it, or the margin is too small for any number of prompts"
    else:
        remedy = "its change sits too near the margin for more prompts to decide"
    bound = f"{change.name} may be {_points(1 if change.upper is None else change.upper)} worse ({limit})"
    return f"{bound}, and its margin is {_points(change.margin)}; {remedy}."


def _labels(change: MetricChange) -> str:
    """Where the judge's error alone keeps it open; empty where it does not."""
    part = change.judge
    room = abs(change.margin - (change.worsening or 0))
    if part is None or part.alone < room:
        return ""
    if part.labels_needed is None:
        return "the judge errs too often here for any number of labels to carry the margin"
    return (
        f"the judge's error alone is {_points(part.alone)}: about {part.labels_needed:,} labels would carry the margin"
    )


def _at_most(change: MetricChange) -> str:
    upper = 1.0 if change.upper is None else change.upper
    return f"at most {_points(upper)} worse" if upper >= 0 else f"at least {_points(-upper)} better"


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"


def served_notes(before: Side, after: Side) -> Iterator[str]:
    """What nobody can know of served models, and so was not compared."""
    served = {"before": before, "after": after}
    names = [f"{side.weights} {when}" for when, side in served.items() if side.served]
    if not names:
        return
    yield f"Weights and chat template of a served model cannot be seen, and were not compared: {', '.join(names)}."
    if before.weights == after.weights:
        answers = "; every answer is identical" if identical(before, after) else ""
        yield f"Both sides go by one name, and nothing shows whether one model answered or two{answers}."


def metric_notes(before: Metric, after: Metric, pairs: Pairs, cut: tuple[float, float] | None) -> Iterator[str]:
    """What qualifies one metric."""
    name = before.name
    if pairs.unpaired:
        yield f"{name}: {pairs.unpaired} prompts were answered on one side only; the missing answers are unscored."
    old, new = (int(side.samples.max()) for side in (pairs.before, pairs.after))
    if old != new:
        yield f"{name}: up to {old} samples a prompt before, {new} after."
    lost = pairs.before.unscored, pairs.after.unscored
    if any(lost):
        yield (
            f"{name}: {lost[0]} answers before and {lost[1]} after could not be scored; "
            "passing assumes the worst of them, failing the best."
        )
    if cut:
        yield (
            f"{name}: {100 * cut[0]:.1f} % of the answers were cut off before, {100 * cut[1]:.1f} % after; "
            "passing assumes the worst of them."
        )
    for metric, when in ((before, "before"), (after, "after")):
        if samples_agree(metric):
            yield (
                f"{name}, {when}: all samples of every prompt are identical at temperature "
                f"{metric.settings['temperature']}; the sampler may not be sampling."
            )


def planted_notes(changes: Mapping[str, MetricChange]) -> Iterator[str]:
    """What a planted 3-point regression shows about the gate itself."""
    left = [change for change in changes.values() if change.planted != "fail"]
    planted = f"planted {100 * PLANTED:g}-point regression"
    if small := [change.name for change in left if change.planted == "undecided" and change.margin < PLANTED]:
        yield f"This run is too small to catch a {planted} in {', '.join(small)}: it would stay undecided."
    if wide := [f"{change.name} ({change.planted})" for change in left if change.planted and change.margin >= PLANTED]:
        yield f"A {planted} would not fail in {', '.join(wide)}: the margin allows as much."
    if full := [change.name for change in left if change.planted is None]:
        yield f"A {planted} cannot show in {', '.join(full)}: too few prompts were good before."


def seeds_say(seeds: int) -> str:
    """What the verdict is about."""
    if seeds == 1:
        return "this checkpoint only: another training seed may turn out otherwise"
    return f"this way of training: {seeds} training seeds, taken as a random sample"
