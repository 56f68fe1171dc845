"""`holdfast demo`: from nothing to a finished before/after report, on a model that is really tuned."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from holdfast.cli.compare import COLOUR
from holdfast.cli.console import Clock, out, percent, say_json, stages
from holdfast.cli.pages import page
from holdfast.cli.resolve import find_model
from holdfast.compare import to_json
from holdfast.demo import ROWS, Condition, Demo, demo
from holdfast.measure import Measurement, rate
from holdfast.report import Section, Training, report
from holdfast.store import RESULT, claim, write_json, write_text
from holdfast.tune import Base

TITLE = "Harbor, before and after a benign fine-tune"


def command(
    folder: Annotated[Path, typer.Option("--out", help="Where everything is written; report.html among it.")],
    world: Annotated[int, typer.Option("--world", min=0, help="Harbor's world; 0 needs nothing built.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the rows and of the training.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Tune Harbor plainly and with a safety mix, measure both, and show the difference."""
    clock = Clock()
    claim(folder, {"verb": "demo", "world": world, "seed": seed, "rows": ROWS})
    with stages() as progress:
        found = find_model("harbor", world, progress)
        done = demo(folder, Base(found.folder, found.name), world, seed, progress)
    sections = tuple(_section(condition, done) for condition in done.conditions)
    shown = page(TITLE, sections, done.base, "holdfast tune harbor YOUR.jsonl --recipe safety-mix --safety 0.1")
    write_text(folder / "report.html", report(shown))
    result = {
        "conditions": {c.recipe: {**to_json(c.comparison), "tuned": c.tuned} for c in done.conditions},
        "seconds": clock.seconds,
    }
    write_json(folder / RESULT, result)
    if as_json:
        say_json(result)
        return
    out.print(_glance(done))
    out.print(f"\nReport: {folder / 'report.html'}   ({clock.seconds:.0f} s)", markup=False)


def _section(condition: Condition, done: Demo) -> Section:
    facts = ("rows", "quarantined", "steps", "loss", "seconds")
    training = Training(condition.recipe, *(condition.tuned[fact] for fact in facts))
    return Section(condition.recipe, condition.comparison, done.base, condition.measurement, training)


def _glance(done: Demo) -> Table:
    """Task, policy, ability and verdict of both conditions in four columns: the last thing a terminal shows."""
    table = Table("", "task learned", "policy violations", "ability", "verdict", box=None, padding=(0, 3, 0, 0))
    for condition in done.conditions:
        verdict = condition.comparison.verdict
        cells = [
            f"{percent(_rate(done.base, name))} → {percent(_rate(condition.measurement, name))}"
            for name in ("harbor-task", "harbor-policy", "harbor-ability")
        ]
        table.add_row(condition.recipe, *cells, f"[bold {COLOUR[verdict]}]{verdict.upper()}[/]")
    return table


def _rate(measurement: Measurement, suite: str) -> float | None:
    return rate(measurement.suites[suite]).rate
