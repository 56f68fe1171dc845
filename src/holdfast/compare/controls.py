"""What is checked before a verdict is believed: both sides measured alike, two models, a gate that can fail.

An error stops the comparison; what is only suspicious is reported and left to the wording.
"""

from collections.abc import Iterator, Mapping
from math import ceil

import numpy as np

from holdfast.compare.gate import Gate
from holdfast.compare.instrument import Instrument
from holdfast.compare.noise import is_hot
from holdfast.compare.pairing import Pairs
from holdfast.compare.results import Metric, Side, Verdict
from holdfast.errors import ConfigError, DataError, ModelError, nearest

CUT_DIFFERENCE = 0.02
"""Truncated answers on the two sides may differ by this share before they are distrusted."""
PLANTED = 0.03
"""The regression that is planted to see whether the gate would catch it."""
ENOUGH_PROMPTS = 20
"""Fewer prompts than this say nothing about identical samples."""


def check_alike(before: Side, after: Side, gate: Gate) -> None:
    """Refuse two sides that were not measured alike, and margins without a metric.

    Raises:
        ConfigError: naming every difference with both values.
        DataError: a side without metrics.
    """
    for side in (before, after):
        if not side.metrics:
            raise DataError(f"{side.name!r} holds no metric.", "Nothing was measured.", "Measure a suite first.")
    faults = [*_metric_faults(before, after), *_margin_faults(before, after, gate)]
    if before.template and after.template and before.template != after.template:
        faults.append(f"chat template: {before.template[:12]} before, {after.template[:12]} after")
    for name in before.metrics.keys() & after.metrics.keys():
        faults += _setting_faults(before.metrics[name], after.metrics[name])
    if faults:
        raise ConfigError(
            f"{before.name!r} and {after.name!r} cannot be compared.",
            "\n  ".join(sorted(faults)),
            "Measure both sides with the same suites and settings, and name margins of metrics they share.",
        )


def check_base_again(before: Side, again: Side) -> None:
    """Refuse a second measurement that is not one of the same base, asked alike; its seed may differ.

    Raises:
        ConfigError: naming every difference with both values.
    """
    faults = (
        []
        if not (before.weights and again.weights) or before.weights == again.weights
        else [f"weights: {before.weights[:12]} at first, {again.weights[:12]} again"]
    )
    for name in before.metrics.keys() & again.metrics.keys():
        faults += _setting_faults(before.metrics[name], again.metrics[name])
    if not before.metrics.keys() & again.metrics.keys():
        faults.append(f"no metric in common: {', '.join(before.metrics)} at first, {', '.join(again.metrics)} again")
    if faults:
        raise ConfigError(
            f"{again.name!r} is no second measurement of {before.name!r}.",
            "\n  ".join(sorted(faults)),
            "Measure the base again with the same suites and settings, and another --seed.",
        )


def _metric_faults(before: Side, after: Side) -> Iterator[str]:
    for name in before.metrics.keys() ^ after.metrics.keys():
        side, other, when = (before, after, "before") if name in before.metrics else (after, before, "after")
        alone = f"in {side.name!r} only, not in {other.name!r}" if side.name != other.name else f"there {when} only"
        yield f"metric {name!r} is {alone}"


def _margin_faults(before: Side, after: Side, gate: Gate) -> Iterator[str]:
    known = before.metrics.keys() | after.metrics.keys()
    for name in gate.margins.keys() - known:
        yield f"a margin is given for {name!r}, which is no metric here. {nearest(name, known)}"


def _setting_faults(before: Metric, after: Metric) -> Iterator[str]:
    if before.bad_is != after.bad_is:
        yield f"{before.name}: bad is {before.bad_is} before, {after.bad_is} after"
    for key in before.settings.keys() | after.settings.keys():
        old, new = (metric.settings.get(key) for metric in (before, after))
        if old != new:
            yield f"{before.name}: {key} = {_stated(old)} before, {_stated(new)} after"


def _stated(value: str | None) -> str:
    return "(not stated)" if value is None else repr(value)


def same_model(before: Side, after: Side) -> bool:
    """Whether the weights of both sides are seen to be the same; an equal name of two served models shows nothing."""
    return bool(before.weights) and before.weights == after.weights and not before.served


def check_two_models(before: Side, after: Side) -> None:
    """Refuse sides with different weights, or names in the place of weights, whose every answer is the same.

    Raises:
        ModelError: the digests of all answers to shared samples agree, in every metric.
    """
    if not (before.weights and after.weights) or before.weights == after.weights:
        return
    if not identical(before, after):
        return
    if before.served or after.served:
        raise ModelError(
            f"{before.name!r} and {after.name!r} gave only identical answers.",
            "Weights of a served model cannot be seen, so nothing shows that two models answered: most likely the "
            "server has one model behind both names, or the adapter was not loaded.",
            "Check what the server has (GET /models), and measure again.",
        )
    raise ModelError(
        f"{before.name!r} and {after.name!r} have different weights and gave only identical answers.",
        "Most likely the tuned weights were not the ones that answered.",
        "Check that the adapter or checkpoint was loaded, and measure again.",
    )


def identical(before: Side, after: Side) -> bool:
    """Whether the digests of all answers to shared samples agree, in every metric."""
    digests = [(_answers(before.metrics[name]), _answers(after.metrics[name])) for name in before.metrics]
    return all(old and new and _same(old, new) for old, new in digests)


def _answers(metric: Metric) -> dict[tuple[str, int], str]:
    if len(metric.answers) != len(metric.rows):
        return {}
    pairs = zip(metric.rows, metric.answers, strict=True)
    return {(row.prompt_id, row.sample): answer for row, answer in pairs if answer}


def _same(old: Mapping[tuple[str, int], str], new: Mapping[tuple[str, int], str]) -> bool:
    shared = old.keys() & new.keys()
    return bool(shared) and all(old[key] == new[key] for key in shared)


def truncation(before: Metric, after: Metric) -> tuple[float, float] | None:
    """The shares of truncated answers, when they differ by more than two points; None otherwise."""
    old, new = (sum(row.truncated for row in metric.rows) / max(1, len(metric.rows)) for metric in (before, after))
    return (old, new) if abs(new - old) > CUT_DIFFERENCE else None


def samples_agree(metric: Metric) -> bool:
    """Whether every prompt's samples are all one answer although the temperature is above zero."""
    answers: dict[str, list[str]] = {}
    for (prompt, _), answer in _answers(metric).items():
        answers.setdefault(prompt, []).append(answer)
    repeated = [same for same in answers.values() if len(same) > 1]
    return is_hot(metric) and len(repeated) >= ENOUGH_PROMPTS and all(len(set(same)) == 1 for same in repeated)


def planted(pairs: Pairs, tool: Instrument, margin: float, level: float, rng: np.random.Generator) -> Verdict | None:
    """The verdict if 3 % of the prompts, good before, had turned bad and nothing else had changed.

    None when fewer prompts than that were good before, so that no such regression could be seen.
    """
    old = pairs.before.if_good
    good, count = np.flatnonzero(old <= 0.5), ceil(PLANTED * pairs.n)
    if len(good) < count:
        return None
    new = old.copy()
    new[rng.choice(good, count, replace=False)] = 1.0
    lower, upper = tool.for_parts.read(pairs, old, new, worst=True).limits(level)
    return "pass" if upper < margin else "fail" if lower > margin else "undecided"
