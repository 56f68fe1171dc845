"""A side of the comparison, made from a measurement of ours. Knows outcomes; does not judge them."""

import hashlib

from holdfast.compare.results import Metric, Row, Side
from holdfast.measure.results import Answer, Measurement, SuiteResult


def side(measurement: Measurement) -> Side:
    """One metric per suite: the share of broken words, or of correct answers where `wants` is `correct`.

    A prompt's missing samples are unscored rows: an answer that was lost is not an answer that was good.
    """
    metrics = {name: _metric(result) for name, result in measurement.suites.items()}
    return Side(measurement.model, measurement.weights, measurement.template, metrics)


def _metric(result: SuiteResult) -> Metric:
    given = {(answer.prompt_id, answer.sample): answer for answer in result.answers}
    rows, digests = [], []
    for prompt in result.prompts:
        for sample in range(result.samples):
            answer = given.get((prompt.id, sample))
            cut = answer is not None and answer.stop == "length"
            value = None if answer is None else _value(result, answer)
            rows.append(Row(prompt.id, sample, value, prompt.cluster, prompt.group, cut))
            digests.append(_digest(answer))
    return Metric(
        name=result.suite,
        says=result.says,
        bad_is="low" if result.wants == "correct" else "high",
        rows=tuple(rows),
        settings=dict(result.settings),
        answers=tuple(digests) if any(digests) else (),
        wants=result.wants,
    )


def _value(result: SuiteResult, answer: Answer) -> float | None:
    bad = result.is_bad(answer)
    return None if bad is None else float(bad != (result.wants == "correct"))


def _digest(answer: Answer | None) -> str:
    """Empty for an answer whose text was not kept. Two that think otherwise are two, though they say the same."""
    said = answer.thought + answer.text if answer is not None else ""
    return hashlib.sha256(said.encode()).hexdigest()[:16] if said else ""
