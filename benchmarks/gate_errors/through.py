"""The same data set through the whole of `holdfast.compare`: rows, calibrations and sheets as a user gives them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from benchmarks.gate_errors.cells import Cell
from benchmarks.gate_errors.covering import category_bound, noise, rate_interval
from benchmarks.gate_errors.deciding import decide, family_fails
from benchmarks.gate_errors.worlds import Data, Floats, Places

from holdfast.compare import Comparison, Gate, Known, Metric, Row, Side, compare, side
from holdfast.judges.agreement import agree
from holdfast.judges.calibrated import Calibration, ModelAgreement
from holdfast.judges.labels import Label, Labels, Word
from holdfast.measure import Answer, Measurement, Prompt, SuiteResult
from holdfast.measure.judge_errors import judge_errors
from holdfast.stats import ErrorRates

JUDGE = {"judge": "simulated", "judge_version": "1"}
NAMES = ("before", "after")
WORDS: tuple[Word, Word] = ("refused", "complied")


def differs(cell: Cell, metrics: Sequence[Data]) -> list[str]:
    """What `compare` says otherwise than the decision code and the intervals here; empty where it says the same."""
    calibrations = [calibrations_of(cell, data) for data in metrics]
    metrics = [as_calibrated(data, given) for data, given in zip(metrics, calibrations, strict=True)]
    found = _compared(cell, metrics, calibrations[0])
    own = [decide(cell, data) for data in metrics]
    fails, passes = family_fails(own, cell.margin), all(each.upper < cell.margin for each in own)
    verdict = "fail" if fails else "pass" if passes else "undecided"
    faults = [] if found.verdict == verdict else [f"verdict: {found.verdict} by compare, {verdict} here"]
    for (name, change), data, each in zip(found.metrics.items(), metrics, own, strict=True):
        told: dict[str, tuple[Any, Any]] = {
            "limits": ((change.lower, change.upper), (each.lower, each.upper)),
            "before": (change.before_interval, rate_interval(data.before, data)),
            "after": (change.after_interval, rate_interval(np.concatenate(list(data.afters), axis=1), data)),
        }
        if cell.groups:
            told["worst category"] = (change.worst_group and change.worst_group.upper, category_bound(cell, data))
        if data.again is not None:
            told["noise"] = (change.noise and change.noise.interval, noise(data, data.again))
        faults += [f"{name}, {what}: {said} by compare, {ours} here" for what, (said, ours) in told.items()
                   if said is None or not np.allclose(said, ours, rtol=0, atol=1e-12)]  # fmt: skip
    return faults


def _compared(cell: Cell, metrics: Sequence[Data], calibrations: Sequence[Calibration]) -> Comparison:
    gate = Gate({f"m{at}": cell.margin for at in range(len(metrics))})
    rng = np.random.default_rng(0)
    if metrics[0].labelled is not None:
        first = metrics[0]
        words = (first.before, first.afters[0])
        runs = [measurement(name, each, first.clusters) for name, each in zip(NAMES, words, strict=True)]
        return compare(side(runs[0]), side(runs[1]), gate, rng, Known(labels=[labels_of(first)]))
    before = _side(cell, "before", metrics, [data.before for data in metrics])
    afters = [_side(cell, f"after{at}", metrics, [data.afters[at] for data in metrics]) for at in range(cell.seeds)]
    again = None
    if metrics[0].again is not None:
        again = _side(cell, "before", metrics, [data.again for data in metrics if data.again is not None])
    return compare(before, afters if cell.seeds > 1 else afters[0], gate, rng, Known(calibrations, again=again))


def _side(cell: Cell, name: str, metrics: Sequence[Data], words: Sequence[Floats]) -> Side:
    told = [_metric(cell, f"m{at}", data, said) for at, (data, said) in enumerate(zip(metrics, words, strict=True))]
    return Side(name, "", "", {metric.name: metric for metric in told})


def _metric(cell: Cell, name: str, data: Data, words: Floats) -> Metric:
    judged = data.errors is not None
    rows = [
        Row(f"p{at}", sample, None if np.isnan(value) else value, f"c{cluster}", f"g{group}" if cell.groups else "")
        for at, (said, cluster, group) in enumerate(
            zip(words.tolist(), data.clusters.tolist(), data.groups.tolist(), strict=True)
        )
        for sample, value in enumerate(said)
    ]
    settings = {"temperature": "1"} | (JUDGE if judged else {})
    return Metric(name, "simulated", "high", tuple(rows), settings, wants="refusal" if judged else "")


def calibrations_of(cell: Cell, data: Data) -> list[Calibration]:
    """Labels that show the error rates of the data set: of each model's answers, or of no model named."""
    if data.errors is None:
        return []
    if isinstance(data.errors, ErrorRates):
        return [_calibration(data.errors, cell.labels, {})]
    names = ("before", "after0")
    parts = [_calibration(errors, cell.labels, {}) for errors in data.errors]
    models = {name: ModelAgreement("", part.whole, {}) for name, part in zip(names, parts, strict=True)}
    return [replace(parts[0], models=models)]


def _calibration(errors: ErrorRates, labels: int, models: dict[str, ModelAgreement]) -> Calibration:
    truth = [WORDS[1]] * labels + [WORDS[0]] * labels
    found, kept = round(errors.found.value * labels), round(errors.kept.value * labels)
    words = ["complied"] * found + ["refused"] * (labels - found + kept) + ["complied"] * (labels - kept)
    rows = [Label(at, f"prompt {at}", "text", word) for at, word in enumerate(truth)]
    return Calibration("simulated", "1", "labels", "", agree(rows, words), {}, models)


def as_calibrated(data: Data, given: Sequence[Calibration]) -> Data:
    """With the rates that `compare` reads from these calibrations, whose sizes are found by a search of their own."""
    if data.errors is None:
        return data
    known = [judge_errors(JUDGE, "refusal", name, "", given) for name in ("before", "after0")]
    read = [each.rates for each in known if each is not None]
    own = data.errors if isinstance(data.errors, tuple) else (data.errors, data.errors)
    for one, other in zip(read, own, strict=True):
        if not np.allclose(_numbers(one), _numbers(other), rtol=0.02, atol=1e-12):
            raise AssertionError(f"a calibration of {other} was read as {one}")
    return replace(data, errors=(read[0], read[1]) if isinstance(data.errors, tuple) else read[1])


def _numbers(errors: ErrorRates) -> list[float]:
    return [errors.found.value, errors.found.size, errors.kept.value, errors.kept.size]


def measurement(name: str, words: Floats, clusters: Places) -> Measurement:
    """A model with these words of the judge: prompts by samples."""
    prompts = tuple(Prompt(f"p{at}", f"Question {at}?", "", f"c{cluster}") for at, cluster in enumerate(clusters))
    answers = tuple(
        Answer(f"p{at}", sample, f"{name} {at} {sample}", "complied" if bad else "refused")
        for at, row in enumerate(words.tolist())
        for sample, bad in enumerate(row)
    )
    suite = SuiteResult("m0", "simulated", "refusal", prompts, answers, JUDGE)
    return Measurement(name, f"sha-{name}", "t", {"m0": suite}, {})


def labels_of(data: Data) -> Labels:
    """The sheet of the data set as people filled it in."""
    assert data.labelled is not None
    rows = []
    human, weights = data.labelled.human.tolist(), data.labelled.weights.tolist()
    for line, (late, prompt, sample) in enumerate(zip(*(place.tolist() for place in data.drawn), strict=True)):
        name, word = NAMES[late], WORDS[int(human[line])]
        rows.append(
            Label(
                line, f"Question {prompt}?", "text", word, name, f"sha-{name}", side="unsafe", weight=weights[line],
                suite="m0", id=f"p{prompt}", sample=sample,
            )
        )  # fmt: skip
    return Labels("sheet.csv", "", tuple(rows), weighted=True)
