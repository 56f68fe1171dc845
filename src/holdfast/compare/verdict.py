"""The gate: pairs every metric, and says pass, fail or undecided with the reason.

Pass needs every metric's one-sided upper limit below its margin (intersection-union: no correction); fail
needs one metric whose Holm-adjusted p-value rejects "at most the margin". An improvement never fails.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.compare.calibrating import calibrated
from holdfast.compare.change import Context, describe
from holdfast.compare.controls import (
    check_alike,
    check_base_again,
    check_two_models,
    planted,
    same_model,
    truncation,
)
from holdfast.compare.evidence import Evidence, weigh
from holdfast.compare.gate import Gate
from holdfast.compare.instrument import Instrument, Sampled, instrument
from holdfast.compare.labelled import check_labels
from holdfast.compare.noise import noise_floor
from holdfast.compare.pairing import Pairs, pair_rows
from holdfast.compare.results import Comparison, MetricChange, Side, Verdict
from holdfast.compare.several import check_seeds, merged
from holdfast.compare.wording import metric_notes, planted_notes, seeds_say, sentence, served_notes
from holdfast.judges.calibrated import Calibration
from holdfast.judges.labels import Labels
from holdfast.stats import holm


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the two sides."""

    calibrations: Sequence[Calibration] = ()
    """How right the judges are on which models' answers."""
    labels: Sequence[Labels] = ()
    """Sheets of these very answers that people labelled."""
    again: Side | None = None
    """The base, measured a second time."""


@dataclass(frozen=True, slots=True)
class _Case:
    """What is compared, and by what."""

    before: Side
    afters: tuple[Side, ...]
    after: Side
    """All of them as one."""
    gate: Gate
    known: Known


@dataclass(frozen=True, slots=True)
class _Read:
    """One metric, paired and weighed."""

    pairs: Pairs
    tool: Instrument
    evidence: Evidence
    cut: tuple[float, float] | None


def compare(
    before: Side, after: Side | Sequence[Side], gate: Gate, rng: np.random.Generator, known: Known | None = None
) -> Comparison:
    """Compare a base with a tuned model, metric by metric, and decide.

    `rng` chooses the prompts of the planted regression and the bootstrap's resamples; it never touches the verdict.

    Args:
        before: the base.
        after: the tuned model; or five and more, one a training seed, which are then a random factor.
        gate: the margins and the level.
        rng: a generator of random numbers.
        known: labels, calibrations, the base measured again.

    Raises:
        ConfigError: the sides were measured differently, or a margin names no metric, or a calibration does not fit the
            judges, every fault at once; two to four tuned models.
        DataError: a metric has no prompt on both sides, or prompts whose clusters disagree; labels of other answers.
        ModelError: different weights, or names of served models, and identical answers throughout.
    """
    known = known or Known()
    afters = (after,) if isinstance(after, Side) else tuple(after)
    check_seeds(afters)
    for each in afters:
        check_alike(before, each, gate)
        check_two_models(before, each)
        check_labels(before, each, known.labels)
    if known.again:
        check_base_again(before, known.again)
    case = _Case(before, afters, merged(afters), gate, known)
    reads = {name: _read(case, name) for name in before.metrics}
    adjusted = holm([read.evidence.p for read in reads.values()])
    verdicts = {name: read.evidence.verdict(float(p)) for (name, read), p in zip(reads.items(), adjusted, strict=True)}
    changes = {name: _describe(case, name, read, verdicts[name], rng.spawn(2)) for name, read in reads.items()}
    same = all(same_model(before, each) for each in afters)
    verdict = "pass" if same else _overall(changes)
    labelled = frozenset(name for name, read in reads.items() if isinstance(read.tool, Sampled))
    return Comparison(
        verdict=verdict,
        sentence=sentence(verdict, changes, gate.level, same_model=same),
        before=before,
        after=case.after,
        metrics=changes,
        same_model=same,
        notes=tuple(_notes(case, reads, changes)),
        seeds=seeds_say(len(afters)),
        calibration=calibrated(before, case.after, known.calibrations, labelled),
        tuned=afters,
    )


def _read(case: _Case, name: str) -> _Read:
    old, new = case.before.metrics[name], case.after.metrics[name]
    cut = truncation(old, new)
    distrust = cut is not None
    pairs = pair_rows(old, new, distrust_cut=distrust)
    several = [pair_rows(old, side.metrics[name], distrust_cut=distrust) for side in case.afters]
    labels = case.known.labels if len(case.afters) == 1 else ()
    tool = instrument((case.before, old), (case.after, new), pairs, labels, case.known.calibrations)
    return _Read(pairs, tool, weigh(tool, pairs, several, case.gate.margin(old), case.gate.level), cut)


def _describe(
    case: _Case, name: str, read: _Read, verdict: Verdict, rngs: Sequence[np.random.Generator]
) -> MetricChange:
    old, gate = case.before.metrics[name], case.gate
    again = case.known.again.metrics.get(name) if case.known.again else None
    context = Context(
        tool=read.tool,
        seeds=len(case.afters),
        noise=noise_floor(old, again, read.pairs),
        planted=planted(read.pairs, read.tool, gate.margin(old), gate.level, rngs[0]),
        rng=rngs[1],
    )
    return describe(old, read.pairs, read.evidence, verdict, context)


def _notes(case: _Case, reads: Mapping[str, _Read], changes: Mapping[str, MetricChange]) -> Iterator[str]:
    yield from served_notes(case.before, case.after)
    for name, read in reads.items():
        yield from metric_notes(case.before.metrics[name], case.after.metrics[name], read.pairs, read.cut)
    yield from planted_notes(changes)


def _overall(changes: Mapping[str, MetricChange]) -> Verdict:
    verdicts = {change.verdict for change in changes.values()}
    if "fail" in verdicts:
        return "fail"
    return "pass" if verdicts == {"pass"} else "undecided"
