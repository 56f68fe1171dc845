"""`holdfast compare`: two measurements in, one verdict out. Needs no torch.

What compares is imported where it is used: `compare --help` needs none of it.
"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.gating import GateFile, Margins, gate_of
from holdfast.cli.outputs import Junit, Outputs, ReportFile, Summary, compared_page
from holdfast.cli.sides import chosen_of, read_sides

if TYPE_CHECKING:
    from rich.table import Table

    from holdfast.compare import Comparison, Verdict

EXIT: dict["Verdict", int] = {"pass": 0, "fail": 1, "undecided": 3}

Calibrations = Annotated[
    list[Path] | None,
    typer.Option("--calibration", help="What `judge calibrate --out` wrote; repeat for several judges or models."),
]
Sheets = Annotated[
    list[Path] | None,
    typer.Option("--labels", help="A sheet that `judge label` drew of these very runs, labelled: enters the limits."),
]


def command(
    before: Annotated[
        Path, typer.Argument(help="What `measure --out` wrote, a CSV, a log of Inspect's, or samples of lm-eval.")
    ],
    after: Annotated[
        list[Path], typer.Argument(help="The same for the tuned model; or for five and more, one a training seed.")
    ],
    margin: Margins = None,
    gate: GateFile = None,
    calibration: Calibrations = None,
    labels: Sheets = None,
    again: Annotated[
        Path | None, typer.Option("--again", help="The base measured a second time: what changes with no training.")
    ] = None,
    bad_is: Annotated[
        list[str] | None, typer.Option("--bad-is", help="high or low, or NAME=low: which values are bad.")
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", help="Compare this one only; repeat for several.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the planted regression and the bootstrap.")] = 0,
    junit: Junit = None,
    summary: Summary = None,
    report: ReportFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Compare two measurements; exit 0 pass, 1 fail, 3 undecided."""
    import numpy as np

    from holdfast.cli.console import out, say_json
    from holdfast.cli.judge import read_calibration
    from holdfast.compare import Known, compare, to_json
    from holdfast.judges.labels import read_labels

    chosen, set_so = chosen_of(bad_is or (), metric or ()), gate_of(margin or (), gate)
    outputs = Outputs(junit, summary, report)
    known = [read_calibration(path) for path in calibration or ()]
    sheets = [read_labels(path) for path in labels or ()]
    old, *others = read_sides([before, *after, *([again] if again else [])], chosen)
    tuned, second = (others[:-1], others[-1]) if again else (others, None)
    result = compare(old, tuned, set_so, np.random.default_rng(seed), Known(known, sheets, second))
    command_line = f"holdfast compare {shlex.join(map(str, (before, *after)))}"
    outputs.write(result, lambda: compared_page(result, before, after[0], command_line))
    if as_json:
        say_json(to_json(result))
    else:
        out.print(table(result))
        tell(result)
    raise typer.Exit(EXIT[result.verdict])


def table(result: "Comparison") -> "Table":
    """One line a metric, in points: the change, its limit, its margin, prompts newly worse/newly better, verdict."""
    from rich.markup import escape
    from rich.table import Table

    shown = Table(box=None, padding=(0, 1, 0, 0))
    shown.add_column("metric", overflow="fold")
    for name in ("before→after", "worsening (limit)", "margin", "newly −/+", "verdict"):
        shown.add_column(name, no_wrap=True)
    for change in result.metrics.values():
        limit = f"≥ {points(change.lower)}" if change.verdict == "fail" else f"≤ {points(change.upper)}"
        shown.add_row(
            escape(change.name), f"{points(change.before)}→{points(change.after)}",
            f"{points(change.worsening)} ({limit})", points(change.margin),
            f"{change.newly_worse}/{change.newly_better}",
            f"[{COLOUR[change.verdict]}]{change.verdict}[/]",
        )  # fmt: skip
    return shown


COLOUR: dict["Verdict", str] = {"pass": "green", "fail": "red", "undecided": "yellow"}


def points(value: float | None) -> str:
    """A share in points, or a dash where it is missing."""
    return "—" if value is None else f"{round(100 * value, 1) + 0.0:.1f}"  # 0.0, and not -0.0


def tell(result: "Comparison") -> None:
    """The verdict in a sentence, and what qualifies it; what is known of the judges' error last."""
    from holdfast.cli.console import out
    from holdfast.report.remarks import remarks

    nearest = min(result.metrics.values(), key=lambda change: change.margin - (change.upper or 0))
    for line in remarks(nearest):
        out.print(f"{nearest.name}: {line}", style="dim", markup=False)
    for note in result.notes:
        out.print(f"note: {note}", style="dim", markup=False)
    out.print(f"\n[{COLOUR[result.verdict]} bold]{result.qualified.upper()}[/]  ", end="")
    out.print(result.sentence, markup=False)
    if not result.same_model:
        out.print(f"about: {result.seeds}", style="dim", markup=False)
    for judge in result.calibration.judges if result.calibration else ():
        out.print(f"judge: {judge.says}", style="dim", markup=False)
