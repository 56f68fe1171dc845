"""Several tuned models, one a training seed, as one side. Knows rows; compares nothing."""

from collections.abc import Sequence
from dataclasses import replace

from holdfast.compare.results import Metric, Side
from holdfast.errors import ConfigError

FEWEST_SEEDS = 5
"""Fewer cannot carry a bound of a few points: with three, t[2] = 2.9 asks for a standard error of 0.7 points at two."""


def check_seeds(afters: Sequence[Side]) -> None:
    """Refuse a number of tuned models from which neither a checkpoint nor a way of training can be judged.

    Raises:
        ConfigError: none, or two to four; or the same weights twice.
    """
    if len(afters) != 1 and len(afters) < FEWEST_SEEDS:
        raise ConfigError(
            f"{len(afters)} tuned models were given.",
            f"Training seeds are a random factor from {FEWEST_SEEDS} on; fewer say too little of the seeds that were "
            "not tried.",
            "Compare each alone, or train more seeds.",
        )
    known = [side.weights for side in afters if side.weights]
    if twice := sorted({weights[:12] for weights in known if known.count(weights) > 1}):
        raise ConfigError(
            f"The same weights are given more than once: {', '.join(twice)}.",
            "Each tuned model stands for a training seed of its own.",
            "Give each once.",
        )


def merged(afters: Sequence[Side]) -> Side:
    """One side whose samples of a prompt are those of all of them."""
    if len(afters) == 1:
        return afters[0]
    first = afters[0]
    metrics = {name: _merged([side.metrics[name] for side in afters]) for name in first.metrics}
    return Side(f"{first.name} and {len(afters) - 1} more seeds", "", first.template, metrics)


def _merged(metrics: Sequence[Metric]) -> Metric:
    samples = max(1 + max(row.sample for row in metric.rows) for metric in metrics)
    rows = [
        replace(row, sample=row.sample + place * samples) for place, metric in enumerate(metrics) for row in metric.rows
    ]
    answers = [digest for metric in metrics for digest in metric.answers]
    whole = all(len(metric.answers) == len(metric.rows) for metric in metrics)
    return replace(metrics[0], rows=tuple(rows), answers=tuple(answers) if whole else ())
