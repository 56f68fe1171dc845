"""`holdfast study`: a grid of recipes, worlds and seeds, run where it stopped, as tables with intervals."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from holdfast.cli.console import counted, err, out, say_json, say_next
from holdfast.errors import ConfigError
from holdfast.harbor import SHAPES
from holdfast.store import RESULT, alone, claim, write_json, write_text
from holdfast.study import (
    PRESETS,
    Extent,
    Preset,
    Standing,
    Studied,
    extent_of,
    find_preset,
    markdown,
    narrow,
    quickly,
    study,
    to_json,
)

TABLES = "tables.md"
OFTEN = 30.0
"""Seconds between two lines of progress where there is no terminal."""

app = typer.Typer(help="Compare recipes over worlds and seeds.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="See: holdfast study ls.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command("ls")
def ls(as_json: AsJson = False) -> None:
    """List the studies, one sentence each."""
    if as_json:
        say_json({"presets": [{"name": preset.name, "says": preset.says} for preset in PRESETS]})
        return
    table = Table.grid(padding=(0, 2))
    for preset in PRESETS:
        table.add_row(preset.name, preset.says)
    out.print(table)


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show what a study consists of: doses, worlds, seeds, and every trial of every condition."""
    preset = find_preset(name)
    if as_json:
        say_json(_described(preset))
        return
    out.print(f"{preset.name}: {preset.says}", markup=False)
    for size, dose in preset.doses.items():
        out.print(f"{size}: {dose.rows} rows, {_words(dose.training)}", markup=False)
    out.print(f"tuned in worlds {_numbers(preset.tuning_worlds)}, seeds {_numbers(preset.tuning_seeds)}")
    out.print(f"evaluated in worlds {_numbers(preset.worlds)}, seeds {_numbers(preset.seeds)}")
    out.print(f"{', '.join(preset.headline)} in worlds {_numbers(preset.headline_worlds)}", markup=False)
    table = Table("condition", "recipe", "trials", box=None, padding=(0, 2, 0, 0))
    for one in preset.trials:
        trials = [_words(values) or "as it is" for values in one.candidates]
        trials += [f"α {' '.join(f'{alpha:g}' for alpha in one.alphas)}"] if one.alphas else []
        trials += [f"chosen by the drift of {one.drift_of}"] if one.drift_of else []
        table.add_row(one.name, one.recipe, "; ".join(trials))
    for control in preset.controls:
        table.add_row(control.name, f"{control.of} as chosen", _words(control.changes))
    out.print(table)


@app.command("run")
def run(
    name: Name,
    quick: Annotated[bool, typer.Option("--quick", help="Two worlds, one seed, few conditions and trials.")] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes, which share the cores; one a core if not given.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Where cells and tables are kept; under runs/, if none.")
    ] = None,
    worlds: Annotated[str, typer.Option(help="Evaluate in these worlds: 1,2,3.")] = "",
    seeds: Annotated[str, typer.Option(help="With these seeds: 0,1.")] = "",
    size: Annotated[str, typer.Option(help="Only this size of Harbor.")] = "",
    only: Annotated[list[str] | None, typer.Option(help="Only this condition, and plain; may be given again.")] = None,
    as_json: AsJson = False,
) -> int:
    """Run what is missing of a study and print its tables."""
    asked = find_preset(name)
    asked = quickly(asked, only or ()) if quick else asked
    if size and size not in SHAPES:
        raise ConfigError(f"There is no size {size!r}.", f"Known: {', '.join(SHAPES)}.")
    chosen = narrow(asked, _list("worlds", worlds), _list("seeds", seeds), size or None, only or ())
    home = folder or Path("runs") / f"study--{name}"
    jobs = jobs or os.cpu_count() or 1
    claim(home, {"verb": "study", "name": name})
    _announce(extent_of(chosen, home, jobs), jobs)
    with alone(home), _watching() as progress:
        done = study(chosen, home, jobs, progress)
    shown = markdown(done)
    write_json(home / RESULT, to_json(done))
    write_text(home / TABLES, shown)
    _mourn(done)
    if as_json:
        say_json({**to_json(done), "out": str(home)})
    else:
        out.print(shown, markup=False)
        say_next(f"holdfast study run {name} --out {home}" if done.done < done.cells else f"less {home / TABLES}")
    return _code(done)


def _code(done: Studied) -> int:
    """0 when every cell is done, 4 when one failed by a fault of ours, 2 when all that failed say their own mend."""
    if not done.failures:
        return 0
    return 4 if any(failure.ours for failure in done.failures) else 2


def _mourn(done: Studied) -> None:
    for failure in done.failures:
        print(f"Error: {failure.label}: {failure.why}", file=sys.stderr)


def _announce(extent: Extent, jobs: int) -> None:
    left = f", about {duration(extent.seconds)} left" if extent.done < extent.cells else ""
    processes = "1 process" if jobs == 1 else f"{jobs} processes"
    print(f"{counted(extent.cells, 'cell')}, {extent.done} done{left} ({processes})", file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Seconds in the unit that a person would use."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextmanager
def _watching() -> Iterator[Any]:
    """Progress with the time left: bars on a terminal, elsewhere a line now and then."""
    if not err.is_terminal:
        yield _Lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=err) as bars:
        yield _Bars(bars)


class _Lines:
    def __init__(self) -> None:
        self._last = -OFTEN

    def __call__(self, step: str, standing: Standing) -> None:
        now = time.monotonic()
        if standing.done in (0, standing.total) or now - self._last >= OFTEN:
            self._last = now
            print(f"{step}: {standing.done} of {standing.total}{_left(standing)}", file=sys.stderr, flush=True)


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars, self._tasks = bars, dict[str, TaskID]()

    def __call__(self, step: str, standing: Standing) -> None:
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=standing.total, left="")
        self._bars.update(self._tasks[step], completed=standing.done, left=_left(standing))


def _left(standing: Standing) -> str:
    return f", about {duration(standing.left)} left" if standing.left else ""


def _list(name: str, text: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    wrong = [word for word in words if not word.isdecimal()]
    if wrong:
        raise ConfigError(
            f"--{name} {text}: {wrong[0]!r} is no whole number from 0.", mend=f"For example --{name} 1,2,3"
        )
    return tuple(dict.fromkeys(map(int, words)))


def _described(preset: Preset) -> dict[str, Any]:
    return {
        "name": preset.name,
        "says": preset.says,
        "doses": preset.doses,
        "worlds": preset.worlds,
        "headline_worlds": preset.headline_worlds,
        "tuning_worlds": preset.tuning_worlds,
        "seeds": preset.seeds,
        "tuning_seeds": preset.tuning_seeds,
        "trials": preset.trials,
        "controls": preset.controls,
        "headline": preset.headline,
    }


def _words(values: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _numbers(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
