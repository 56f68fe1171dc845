"""`holdfast check`: measure both models, compare, report. The verb that most people use."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from holdfast.cli.compare import EXIT, Calibrations, table, tell
from holdfast.cli.console import Clock, Stages, err, out, say_json, say_next, stages
from holdfast.cli.gating import GateFile, Margins, gate_of
from holdfast.cli.judge import read_calibration
from holdfast.cli.judging import (
    JudgeKeyFrom,
    JudgeNames,
    JudgeServers,
    beside_json,
    check_subject,
    find_judges,
    tell_judges,
)
from holdfast.cli.kept import KeepBase, KeptBase, check_apart, local_base, served_base
from holdfast.cli.measure import (
    MEASUREMENT,
    Bits,
    Device,
    DeviceWord,
    Dtype,
    DtypeWord,
    KeepAnswers,
    KeepWord,
    MaxTokens,
    Reading,
    Ready,
    Samples,
    Seed,
    SuiteNames,
    System,
    WorldSeed,
    measured,
    opened,
    ready,
)
from holdfast.cli.outputs import Junit, Outputs, Summary
from holdfast.cli.pages import page
from holdfast.cli.rates import tell_thoughts
from holdfast.cli.resolve import Found, Served, find_model, find_suites, find_tuned, out_folder
from holdfast.cli.serving import (
    Concurrency,
    KeyFrom,
    Retries,
    Serving,
    Timeout,
    Vouch,
    check_served,
    find_served,
    finish,
    measure_served,
)
from holdfast.cli.suites import Judging, asked_of
from holdfast.compare import Comparison, Gate, Known, compare, side, to_json
from holdfast.endpoint import KEY
from holdfast.errors import ConfigError, nearest
from holdfast.measure import Asking, Choosable, Measurement, Suite
from holdfast.models import LocalModel
from holdfast.report import Section, report
from holdfast.store import RESULT, check_own, claim, read_json, write_json, write_text
from holdfast.tune import CARD


def command(
    base: Annotated[str, typer.Argument(help="The model before.")],
    tuned: Annotated[str, typer.Argument(help="The model after.")],
    suite: SuiteNames = None,
    margin: Margins = None,
    gate: GateFile = None,
    calibration: Calibrations = None,
    samples: Samples = 1,
    seed: Seed = 0,
    world: WorldSeed = None,
    keep_answers: KeepAnswers = KeepWord.text,
    system: System = "",
    judge: JudgeNames = None,
    judge_key_from: JudgeKeyFrom = KEY,
    max_tokens: MaxTokens = None,
    device: Device = DeviceWord.auto,
    dtype: Dtype = DtypeWord.auto,
    bits: Bits = 0,
    vouch: Vouch = "",
    key_from: KeyFrom = KEY,
    concurrency: Concurrency = 8,
    retries: Retries = 5,
    timeout: Timeout = 120.0,
    keep_base: KeepBase = None,
    junit: Junit = None,
    summary: Summary = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Where report.html is written; under runs/, if none.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Measure two models, compare them, write a report; exit 0 pass, 1 fail, 3 undecided."""
    known = [read_calibration(path) for path in calibration or ()]
    set_so, clock, reading = gate_of(margin or (), gate), Clock(), Reading(device.value, dtype.value, bits)
    names, serving = {"before": base, "after": tuned}, Serving(vouch, key_from, concurrency, retries, timeout)
    served = {when: model for when, name in names.items() if (model := find_served(name, world, serving))}
    check_served(serving, [served.get(when) for when in names], suite or (), reading != Reading())
    judges = find_judges(judge or (), JudgeServers(serving, judge_key_from))
    judging = Judging(judges, max_tokens, keep_answers.value)
    outputs = Outputs(junit, summary)
    check_apart(keep_base, folder)
    if folder:
        check_own(folder)
    for subject in served.values():
        check_subject(judges, subject.model)
    with stages() as progress:
        # A name that is no model is told before anything is measured.
        found = _found({when: name for when, name in names.items() if when not in served}, world or 0, progress)
        asking = Asking(samples, None, seed, keep_answers.value, system or serves_with(found.get("after")))
        suites = {when: find_suites(suite or (), model, judging) for when, model in served.items()}
        asked_each = {when: ready(each, suite or (), asking, judging) for when, each in found.items()}
        kept = _kept(keep_base, asked_each.get("before"), served.get("before"), suites, asking, reading)
        already = _already(kept, judges)
        fresh = {when: each for when, each in asked_each.items() if when not in already}
        done = already | _measured_here(fresh, asking, reading, judging, kept, progress)
        weights = {when: (served[when].model if when in served else done[when]).weights for when in names}
        told = asked_of(next(iter(suites.values())) if served else done["before"].suites.values(), judging)
        asked = {"verb": "check", **weights, "asking": asking, **told, "gate": asdict(set_so)}
        target = out_folder(folder, "check", served["after"].model.model if "after" in served else tuned, asked)
        if served:  # what is paid for is kept in the folder, so it is claimed before anything is asked
            check_margins(set_so, told["suites"])
            claim(target, asked)
        for when in [each for each in served if each not in already]:
            done[when] = measure_served(served[when].model, suites[when], asking, folder, progress.under(when))
            _keep(kept, when, done[when])
    before, after = done["before"], done["after"]
    result = compare(side(before), side(after), set_so, np.random.default_rng(seed), Known(known))
    claim(target, asked)
    write_json(target / "before" / MEASUREMENT, before)
    write_json(target / "after" / MEASUREMENT, after)
    shown = page(
        f"{base} and {tuned}",
        (Section(tuned, result, before, after),),
        before,
        f"holdfast compare {target}/before {target}/after",
    )
    write_text(target / "report.html", report(shown))
    second = {when: found for when, each in done.items() if (found := beside_json(each))}
    more: dict[str, Any] = {"beside": second} if second else {}
    more |= {"kept_base": {"file": str(kept.file), "reused": bool(already)}} if kept else {}
    written = {**to_json(result), **more, "seconds": clock.seconds, "out": str(target)}
    write_json(target / RESULT, written)
    outputs.write(result, lambda: shown)
    for model in served.values():
        finish(model.model, folder, after.suites, asking)
    if as_json:
        say_json(written)
    else:
        _tell(result, done, target)
    raise typer.Exit(EXIT[result.verdict])


def _tell(result: Comparison, done: Mapping[str, Measurement], target: Path) -> None:
    out.print(table(result))
    tell(result)
    for when in ("before", "after"):
        tell_judges(done[when], f"{when} · ")
        tell_thoughts(done[when], f"{when} · ")
    out.print(f"\nReport: {target / 'report.html'}", markup=False)
    metric = next(iter(result.metrics))
    say_next(f"holdfast compare {target}/before {target}/after --margin {metric}=0.02")


def _measured_here(
    asked: Mapping[str, Ready],
    asking: Asking,
    reading: Reading,
    judging: Judging,
    kept: KeptBase | None,
    progress: Stages,
) -> dict[str, Measurement]:
    """The measurements of the models on this machine, one after the other."""
    models, done = opened_each([each.found for each in asked.values()], reading), {}
    for when, each in asked.items():
        done[when] = measured(next(models), each, asking, progress.under(when), judging)
        _keep(kept, when, done[when])
    return done


def _kept(
    folder: Path | None,
    here: Ready | None,
    served: Served | None,
    suites: Mapping[str, Sequence[Suite]],
    asking: Asking,
    reading: Reading,
) -> KeptBase | None:
    """Where the base's measurement is kept, if it is: of a model that is `here`, or of a served one and its suites."""
    if folder and here:
        return local_base(folder, here, asking, reading)
    return served_base(folder, served.model, suites["before"], asking) if folder and served else None


def _keep(kept: KeptBase | None, when: str, found: Measurement) -> None:
    if kept and when == "before":
        kept.write(found)


def _already(kept: KeptBase | None, judges: Sequence[Choosable]) -> dict[str, Measurement]:
    """The base's measurement, where an earlier run kept it.

    Raises:
        ConfigError: a judge is the base.
    """
    there = kept.read() if kept else None
    if there is None:
        return {}
    check_subject(judges, there.weights)
    return {"before": there}


def _found(names: Mapping[str, str], world: int, progress: Stages) -> dict[str, Found]:
    """The models that are no served ones; an adapter's base is the model before, where that is what it names.

    Raises:
        ModelError: a name is no model.
    """
    before = find_model(names["before"], world, progress) if "before" in names else None
    found = {"before": before} if before else {}
    return found | {"after": find_tuned(names["after"], before, world, progress)} if "after" in names else found


def opened_each(sides: Sequence[Found], reading: Reading) -> Iterator[LocalModel]:
    """The models in turn: a base and an adapter on it as one network, whose weights are read once; of any others one
    is let go of before the next is read, if nobody else holds it.
    """
    from holdfast.models import is_switched, load_both

    if len(sides) == 2:
        first, second = sides
        if second.base == first.folder and is_switched(first.folder, second.folder):
            yield from load_both(
                first.folder, second.folder, reading.place, (first.name, second.name),
                dtype=reading.dtype, bits=reading.bits,
            )  # fmt: skip
            return
    for found in sides:
        yield opened(found, reading)


def check_margins(gate: Gate, metrics: Sequence[str]) -> None:
    """Refuse a margin of no metric before anything is paid for.

    Raises:
        ConfigError: with every such margin.
    """
    if wrong := sorted(gate.margins.keys() - set(metrics)):
        raise ConfigError(
            f"A margin is given for {', '.join(map(repr, wrong))}, and nothing is measured by that name.",
            nearest(wrong[0], metrics),
            "Name the suites that are measured.",
        )


def serves_with(found: Found | None) -> str:
    """The system prompt that a checkpoint says it is served with, said aloud; empty where it says none."""
    card = found.folder / CARD if found else None
    prompt = str(read_json(card).get("serve_with", "")) if card and card.exists() else ""
    if prompt:
        err.print(f"Both models are asked under the system prompt of {card}: {prompt!r}", markup=False)
    return prompt
