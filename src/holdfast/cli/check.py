"""`holdfast check`: measure both models, compare, report. The verb that most people use."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from holdfast.cli.compare import EXIT, Margins, margins, table, tell
from holdfast.cli.console import Clock, out, say_json, say_next, stages
from holdfast.cli.measure import MEASUREMENT, KeepAnswers, KeepWord, Samples, Seed, SuiteNames, WorldSeed, measured
from holdfast.cli.pages import page
from holdfast.cli.resolve import find_model, out_folder
from holdfast.compare import Gate, compare, side, to_json
from holdfast.measure import Asking
from holdfast.report import Section, report
from holdfast.store import RESULT, claim, write_json, write_text


def command(
    base: Annotated[str, typer.Argument(help="The model before.")],
    tuned: Annotated[str, typer.Argument(help="The model after.")],
    suite: SuiteNames = None,
    margin: Margins = None,
    samples: Samples = 1,
    seed: Seed = 0,
    world: WorldSeed = 0,
    keep_answers: KeepAnswers = KeepWord.text,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Where report.html is written; under runs/, if none.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Measure two models, compare them, write a report; exit 0 pass, 1 fail, 3 undecided."""
    gate, asking, clock = Gate(margins(margin or ())), Asking(samples, None, seed, keep_answers.value), Clock()
    with stages() as progress:
        for name in (base, tuned):  # a name that is no model is told before anything is measured
            find_model(name, world, progress)
        before = measured(base, suite or (), asking, world, progress.under("before"))
        after = measured(tuned, suite or (), asking, world, progress.under("after"))
    result = compare(side(before), side(after), gate, np.random.default_rng(seed))
    asked = {"verb": "check", "before": before.weights, "after": after.weights, "asking": asking,
             "suites": sorted(before.suites), "margins": dict(gate.margins)}  # fmt: skip
    target = out_folder(folder, "check", tuned, asked)
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
    written = {**to_json(result), "seconds": clock.seconds, "out": str(target)}
    write_json(target / RESULT, written)
    if as_json:
        say_json(written)
    else:
        out.print(table(result))
        tell(result)
        out.print(f"\nReport: {target / 'report.html'}", markup=False)
        say_next(f"holdfast compare {target}/before {target}/after --margin harbor-policy=0.02")
    raise typer.Exit(EXIT[result.verdict])
