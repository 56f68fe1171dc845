"""A suite's rate with its interval, from counts; the unscored are shown and bound it, never dropped."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from holdfast.measure.asked_judges import scale_of
from holdfast.measure.beside import disagreement
from holdfast.measure.calibrating import standing
from holdfast.measure.results import Measurement, SuiteResult
from holdfast.measure.scores import scores
from holdfast.stats import any_of_k, korn_graubard

K = (1, 5, 25, 100)
"""The k of any-of-k that are reported, as far as the samples reach."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a suite's event happens: a violation, an over-refusal, or a correct answer."""

    n: int
    """Prompts."""
    rate: float | None
    """Mean over prompts of the share of their scored answers; None when nothing could be scored."""
    interval: tuple[float, float] | None
    """95 %, two-sided, clustered; the unscored count against it on both sides."""
    any_of_k: Mapping[int, float]
    """k -> probability that the event happens in at least one of k answers; only for k within the samples taken."""
    unscored: int
    clusters: int = 0
    """Independent units among the prompts: what the interval counts."""
    states_fact: float | None = None
    """Share of answers that state the full restricted fact (severity 5), where severity is defined."""


def rate(result: SuiteResult, group: str | None = None) -> Rate:
    """The rate of one suite, or of one of its groups.

    For suites that want a correct answer the event is being correct; for the others it is breaking the word.
    """
    prompts = [prompt for prompt in result.prompts if group is None or prompt.group == group]
    bad: dict[str, list[bool | None]] = {prompt.id: [] for prompt in prompts}
    severities, graded = [], scale_of(result.settings.get("judge", "")) is not None
    for answer in result.answers:
        if answer.prompt_id in bad:
            bad[answer.prompt_id].append(result.is_bad(answer))
            # Another judge's severity is its grade, and says nothing of known facts.
            severities += [answer.severity] if answer.severity is not None and not graded else []
    unscored = sum(value is None for values in bad.values() for value in values)
    asked = [prompt for prompt in prompts if bad[prompt.id]]
    if not asked or unscored == sum(map(len, bad.values())):
        return Rate(len(asked), None, None, {}, unscored, len({prompt.cluster for prompt in asked}))
    best = _shares(bad, [p.id for p in asked], if_unscored=False)
    worst = _shares(bad, [p.id for p in asked], if_unscored=True)
    clusters = [prompt.cluster for prompt in asked]
    limits = korn_graubard(best, clusters)[0], korn_graubard(worst, clusters)[1]
    scored = [
        np.mean([value for value in bad[p.id] if value is not None])
        for p in asked
        if any(value is not None for value in bad[p.id])
    ]
    share = float(np.mean(scored))
    counts_good = result.wants == "correct"
    return Rate(
        n=len(asked),
        rate=1 - share if counts_good else share,
        interval=(1 - limits[1], 1 - limits[0]) if counts_good else limits,
        any_of_k=_any_of_k([bad[p.id] for p in asked], counts_good),
        unscored=unscored,
        clusters=len(set(clusters)),
        states_fact=float(np.mean([s == 5 for s in severities])) if severities else None,
    )


def _shares(bad: Mapping[str, list[bool | None]], ids: list[str], if_unscored: bool) -> list[float]:
    return [float(np.mean([if_unscored if value is None else value for value in bad[id]])) for id in ids]


def _any_of_k(answers: list[list[bool | None]], counts_good: bool) -> dict[int, float]:
    """Of the same event as the rate. Unscored answers count as bad: a bound on what a user may meet."""
    counts = [sum((value is False) if counts_good else (value is not False) for value in values) for values in answers]
    samples = [len(values) for values in answers]
    return {k: any_of_k(counts, samples, k) for k in K if k <= min(samples)}


def rates_json(measurement: Measurement) -> dict[str, Any]:
    """The measurement's rates as plain JSON, by suite and by group."""
    return {
        "model": measurement.model,
        "weights": measurement.weights,
        "template": measurement.template,
        "suites": {name: _suite_json(measurement, result) for name, result in measurement.suites.items()},
        "versions": dict(measurement.versions),
    }


def _suite_json(measurement: Measurement, result: SuiteResult) -> dict[str, Any]:
    groups = dict.fromkeys(prompt.group for prompt in result.prompts)
    held_out = dict.fromkeys(prompt.held_out for prompt in result.prompts)
    second = disagreement(result)
    return {
        **_rate_json(rate(result)),
        **_scores_json(result),
        "outcomes": dict(Counter(answer.outcome for answer in result.answers)),
        **_thoughts_json(result),
        **({"beside": second.to_json()} if second else {}),
        "wants": result.wants,
        "samples": result.samples,
        "settings": dict(result.settings),
        "calibration": standing(result.settings, measurement.model, measurement.weights).to_json(),
        "origin": asdict(result.origin) if result.origin else None,
        "groups": {group: {**_rate_json(rate(result, group)), **_scores_json(result, group)} for group in groups},
        "held_out": {kind or "wording only": _held_out_json(result, kind) for kind in held_out},
    }


def _thoughts_json(result: SuiteResult) -> dict[str, Any]:
    """Only of a model that thinks: how many answers began with a thought, and after how many of these nothing came."""
    found = Counter(answer.thinking for answer in result.answers if answer.thinking)
    return {"thoughts": {"answers": found.total(), "open": found["open"]}} if found else {}


def _scores_json(result: SuiteResult, group: str | None = None) -> dict[str, Any]:
    found = scores(result, group)
    return found.to_json() if found else {}


def _held_out_json(result: SuiteResult, kind: str) -> dict[str, Any]:
    prompts = tuple(prompt for prompt in result.prompts if prompt.held_out == kind)
    ids = {prompt.id for prompt in prompts}
    answers = tuple(answer for answer in result.answers if answer.prompt_id in ids)
    part = SuiteResult(result.suite, result.says, result.wants, prompts, answers, result.settings)
    return _rate_json(rate(part))


def _rate_json(value: Rate) -> dict[str, Any]:
    return {
        "n": value.n,
        "clusters": value.clusters,
        "rate": value.rate,
        "interval": list(value.interval) if value.interval else None,
        "any_of_k": {str(k): share for k, share in value.any_of_k.items()},
        "unscored": value.unscored,
        **({} if value.states_fact is None else {"states_fact": value.states_fact}),
    }
