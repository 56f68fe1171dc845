"""What stands beside a metric's limits, in sentences: the worst category, the noise, the judge. Decides nothing."""

from collections.abc import Iterator

from holdfast.compare.results import JudgePart, MetricChange, Noise, WorstGroup
from holdfast.report.wording import count, percent, points, size, span

SOURCES = {
    "own": "its error rates on each model's answers",
    "transported": "its error rates on other models' answers, taken to be alike on both sides",
    "labels": "labels of a random sample of these answers",
}
"""How the judge's error came into the limits."""


def remarks(change: MetricChange) -> Iterator[str]:
    """A sentence for each thing that is known; nothing for what was not measured."""
    if change.worst_group and change.verdict != "fail":
        yield _worst(change.worst_group)
    if change.noise:
        yield _noise(change.noise)
    if change.judge:
        yield _judge(change.judge, change.margin)


def _worst(worst: WorstGroup) -> str:
    limit = f"worsening at most {points(worst.upper)} points, a limit that holds for {count(worst.groups)} at once"
    return f"worst category: {worst.group}, {limit}"


def _noise(noise: Noise) -> str:
    how = "the base measured again" if noise.source == "again" else "the base's own samples"
    turned = (
        "" if noise.newly_worse is None else f", newly worse {noise.newly_worse}, newly better {noise.newly_better}"
    )
    return f"with no training, from {how}: {percent(noise.flips)} of answers flip ({span(noise.interval)}){turned}"


def _judge(judge: JudgePart, margin: float) -> str:
    on = "" if judge.labels is None else f" ({count(judge.labels)} of them)"
    part = f"alone ±{size(judge.alone)} points, however many prompts are asked"
    told = f"the judge's error is in the limits, by {SOURCES[judge.source]}{on}: {part}"
    if judge.alone <= margin / 2 or judge.labels_needed is None:
        return told
    return f"{told}; about {count(judge.labels_needed)} labels would make that half of the margin"
