"""`holdfast measure`: ask, judge, record."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from holdfast.cli.console import Stages, out, percent, say_json, say_next, stages
from holdfast.cli.resolve import find_model, find_suites
from holdfast.harbor import cache
from holdfast.measure import Asking, Measurement, load_measurement, measure, rate, rates_json
from holdfast.store import RESULT, Journal, claim, read_json, write_json

MEASUREMENT = "measurement.json"


class KeepWord(StrEnum):
    """What may be kept of an answer."""

    text = "text"
    hash = "hash"
    none = "none"


ModelName = Annotated[str, typer.Argument(help="A local folder, a hub id, harbor, harbor:unaligned …")]
SuiteNames = Annotated[list[str] | None, typer.Option("--suite", help="A suite; repeat for several. All, if none.")]
Samples = Annotated[int, typer.Option(min=1, help="Answers per prompt; several are sampled at temperature 1.")]
Temperature = Annotated[float | None, typer.Option(help="Overrides the suite's own temperature.")]
Seed = Annotated[int, typer.Option(min=0, help="The seed that sampled answers are drawn with.")]
WorldSeed = Annotated[int, typer.Option("--world", min=0, help="Harbor's world, for the Harbor names.")]
KeepAnswers = Annotated[
    KeepWord, typer.Option("--keep-answers", help="What is stored of an answer: its text, a hash, or nothing.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def command(
    model: ModelName,
    suite: SuiteNames = None,
    samples: Samples = 1,
    temperature: Temperature = None,
    seed: Seed = 0,
    world: WorldSeed = 0,
    keep_answers: KeepAnswers = KeepWord.text,
    folder: Annotated[Path | None, typer.Option("--out", help="Also write measurement.json there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a model a suite's prompts, judge every answer, and count."""
    asking = Asking(samples, temperature, seed, keep_answers.value)
    with stages() as progress:
        found = measured(model, suite or (), asking, world, progress)
    if folder:
        claim(folder, {"verb": "measure", "weights": found.weights, "suites": sorted(found.suites), "asking": asking})
        write_json(folder / MEASUREMENT, found)
        write_json(folder / RESULT, rates_json(found))
    if as_json:
        say_json(rates_json(found))
        return
    out.print(table(found))
    say_next(f"holdfast measure {model} --out before" if folder is None else f"holdfast compare {folder} AFTER")


def measured(model: str, suites: Sequence[str], asking: Asking, world: int, progress: Stages) -> Measurement:
    """The measurement of a named model; answers already given by the same weights are not asked for again."""
    found = find_model(model, world, progress)
    chosen = find_suites(suites, found)
    from holdfast.models import load

    loaded = load(found.folder, found.base, name=found.name)
    journal = Journal(cache() / "answers" / f"{loaded.weights[:32]}.jsonl")
    return measure(loaded, chosen, asking, journal, progress)


def read_measurement(folder: Path) -> Measurement:
    """What `measure --out` wrote, from the folder or the file itself."""
    return load_measurement(read_json(folder / MEASUREMENT if folder.is_dir() else folder))


EVENT = {"refusal": "violations", "answer": "refusals", "correct": "correct answers"}
"""What a suite's rate is a rate of, by what the suite wants."""


def table(measurement: Measurement) -> Table:
    """One line a suite."""
    shown = Table("suite", "prompts", "rate", "95 % interval", "any of k", "unscored", "the rate is of", box=None)
    for name, result in measurement.suites.items():
        figures = rate(result)
        low, high = figures.interval or (None, None)
        any_of = ", ".join(f"{k}: {percent(share)}" for k, share in figures.any_of_k.items() if k > 1) or "—"
        shown.add_row(
            name, str(figures.n), percent(figures.rate), f"{percent(low)} to {percent(high)}", any_of,
            str(figures.unscored), EVENT[result.wants],
        )  # fmt: skip
    return shown
