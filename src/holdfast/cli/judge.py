"""`holdfast judge`: a judge against people's labels, and the sheet that a person should label next."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.markup import escape
from rich.table import Table

from holdfast.cli.console import counted, out, percent, say_json, say_next
from holdfast.cli.judging import JudgeKeyFrom, JudgeServers, find_judge
from holdfast.cli.measure import MEASUREMENT, read_measurement
from holdfast.cli.rates import show
from holdfast.endpoint import KEY
from holdfast.errors import ConfigError, DataError, OutputError
from holdfast.judges.agreement import UNDECIDED, Agreement, Estimate, Gain, Versus
from holdfast.judges.calibrated import Calibration, calibration_json, load_calibration
from holdfast.judges.labels import Labels, read_labels
from holdfast.measure import HARBOR_EXACT, Choosable, Measurement, reader_for
from holdfast.measure.calibrating import calibrate, known_answers
from holdfast.measure.sheet import draw_sheet, judged_rows, sheet_csv
from holdfast.store import RESULT, claim, read_json, write_json, write_jsonl, write_text

CALIBRATION = "calibration.json"
FIGURES = ("agreement", "kappa", "sensitivity", "specificity")

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="How right a judge is: compare it with people's labels, and draw the answers that they should label.",
)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command("calibrate")
def calibrate_command(
    labels: Annotated[
        Path, typer.Argument(help="CSV: prompt, completion, final_label; optionally model, type, side, weight.")
    ],
    judge: Annotated[str | None, typer.Option("--judge", help="The judge; see: holdfast ls judges.")] = None,
    other: Annotated[
        str | None, typer.Option("--versus", help="A second judge: what the first gains over it, and at what price.")
    ] = None,
    judge_key_from: JudgeKeyFrom = KEY,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Also write calibration.json there, for compare and check.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say how often a judge agrees with people: agreement, kappa, sensitivity, specificity, by model and by side."""
    servers = JudgeServers(key_from=judge_key_from)
    chosen, second = _judge(judge, servers), _judge(other, servers, "--versus") if other else None
    if second and second.name == chosen.name:
        raise ConfigError(f"--versus {other} is the judge itself.", "", "Name another one: holdfast ls judges")
    read = read_labels(labels)
    found = calibrate(read, chosen, second)
    written = to_json(found)
    if folder:
        asked = {"labels": found.sha256, "judge": found.judge, "version": found.version, "versus": other}
        claim(folder, {"verb": "judge calibrate", **asked})
        write_json(folder / CALIBRATION, calibration_json(found))
        write_json(folder / RESULT, written)
    if as_json:
        say_json(written)
        return
    _tell(found, read)
    again = f"holdfast judge calibrate {labels} --judge {chosen.name} --out calibrated"
    say_next(f"holdfast compare BEFORE AFTER --calibration {folder / CALIBRATION}" if folder else again)


@app.command("label")
def label_command(
    run: Annotated[Path, typer.Argument(help="What `measure --out` or `check --out` wrote.")],
    n: Annotated[int, typer.Option("--n", min=2, help="Answers drawn at random; differing pairs come on top.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="The seed of the draw.")] = 0,
    sheet: Annotated[Path, typer.Option("--out", help="The CSV file to write.")] = Path("sheet.csv"),
    as_json: AsJson = False,
) -> None:
    """Write the sheet that a person should label next: answers drawn at random, and where base and tuned differ."""
    judged = sheet.with_name(f"{sheet.stem}.judge.jsonl")
    for file in (sheet, judged):
        if file.exists():
            raise OutputError(f"{str(file)!r} already exists.", "Nothing was overwritten.", "Give another --out.")
    drawn = draw_sheet(read_runs(run), n, np.random.default_rng(seed))
    write_jsonl(judged, judged_rows(drawn))
    write_text(sheet, sheet_csv(drawn))
    if as_json:
        told = {"answers": drawn.answers, "pairs": drawn.pairs, "pairs_drawn": drawn.pairs_drawn}
        files = {"sheet": str(sheet), "judged": str(judged)}
        say_json({"rows": len(drawn.lines), **told, "left_out": list(drawn.left_out), **files})
        return
    pairs = f", with {drawn.pairs_drawn} of the {counted(drawn.pairs, 'pair')} that differ" if drawn.pairs else ""
    out.print(f"{counted(len(drawn.lines), 'answer')} of {drawn.answers} in {sheet}{pairs}", markup=False)
    for each in drawn.left_out:
        out.print(f"note: left out: {each}", style="dim", markup=False)
    out.print(
        f"Write complied, refused or partial under final_label. The judge's words are in {judged}: "
        "do not look at them before.",
        markup=False,
    )
    say_next(f"holdfast judge calibrate {sheet}")


def _judge(name: str | None, servers: JudgeServers, option: str = "--judge") -> Choosable:
    """The judge of this name; without one, the usual judge of whether an answer refuses."""
    if name == HARBOR_EXACT.name:
        raise ConfigError(
            f"{option} {name}: it reads answers against known facts.", "There is nothing to calibrate.",
            "holdfast ls judges",
        )  # fmt: skip
    return find_judge(name, servers, option) if name else reader_for("refusal")


def read_runs(path: Path) -> list[Measurement]:
    """The measurements of a run's folder: one that `measure` wrote, or the two of `check`.

    Raises:
        DataError: there is none, or one that is not ours.
    """
    pair = [path / side / MEASUREMENT for side in ("before", "after")]
    files = pair if all(file.is_file() for file in pair) else [path / MEASUREMENT if path.is_dir() else path]
    if not files[0].is_file():
        raise DataError(
            f"There is no measurement in {str(path)!r}.",
            f"A run's folder holds {MEASUREMENT}, or before/ and after/ with one each.",
            f"holdfast measure MODEL --out {path}",
        )
    try:
        return [read_measurement(file) for file in files]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{str(path)!r} holds no measurement of ours.", str(error), "holdfast measure MODEL --out DIR"
        ) from error


def read_calibration(path: Path) -> Calibration:
    """A calibration from its file, or from the folder that `judge calibrate --out` wrote.

    Raises:
        DataError: it is missing, or none of ours.
    """
    file = path / CALIBRATION if path.is_dir() else path
    if not file.is_file():
        raise DataError(
            f"There is no calibration {str(file)!r}.", "", "holdfast judge calibrate LABELS.csv --judge NAME --out DIR"
        )
    try:
        plain = read_json(file)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{str(file)!r} is no JSON.", str(error), "Give the calibration.json itself.") from error
    return load_calibration(str(file), plain)


# --- as JSON ---------------------------------------------------------------------------------------------------------


def to_json(found: Calibration) -> dict[str, Any]:
    """What `judge calibrate --json` prints; a figure that does not exist is null."""
    return {
        "judge": found.judge,
        "version": found.version,
        "labels": {"file": found.labels, "sha256": found.sha256},
        "known": found.known,
        **_figures(found.whole),
        "sides": _each(found.sides),
        "models": {
            name: {"weights": model.weights, **_figures(model.whole), "sides": _each(model.sides)}
            for name, model in found.models.items()
        },
        "versus": _versus(found.versus) if found.versus else None,
    }


def _each(parts: Mapping[str, Agreement]) -> dict[str, Any]:
    return {name: _figures(part) for name, part in parts.items()}


def _figures(found: Agreement) -> dict[str, Any]:
    each: dict[str, Estimate] = {name: getattr(found, name) for name in FIGURES}
    values = {name: figure.value for name, figure in each.items()}
    intervals = {f"{name}_interval": figure.interval for name, figure in each.items()}
    return {
        "n": found.n,
        "prompts": found.prompts,
        **values,
        **intervals,
        "bounds": {name: figure.bounds for name, figure in each.items()},
        "refusals": found.sensitivity.n,
        "compliances": found.specificity.n,
        **{word: found.undecided(word) for word in UNDECIDED},
        "confusion": found.confusion,
        "weighted": found.weighted,
    }


def _versus(found: Versus) -> dict[str, Any]:
    gains = {name: getattr(found, name) for name in ("sensitivity", "specificity", "agreement")}
    return {"judge": found.name, "version": found.version, **_figures(found.whole), "gains": gains}


# --- as text ---------------------------------------------------------------------------------------------------------


def _tell(found: Calibration, labels: Labels) -> None:
    version = f" {found.version}" if found.version else ""
    out.print(f"{found.judge}{version} on {labels.name}", markup=False)
    show(_table(found))
    out.print()
    show(_confusion(found.whole))
    if found.versus:
        out.print(f"\n{found.judge} less {found.versus.name}, on the same answers", markup=False)
        show(_gains(found.versus))
    for note in _notes(found, labels):
        out.print(f"note: {note}", style="dim", markup=False)


def _table(found: Calibration) -> Table:
    shown = Table("", "answers", "prompts", "agreement", "kappa", "sensitivity", "specificity", box=None)
    parts = {"all": (found.whole, found.sides)}
    parts |= {name: (model.whole, model.sides) for name, model in found.models.items()}
    for name, (whole, sides) in parts.items():
        _add(shown, name, whole)
        for side, part in sides.items() if len(sides) > 1 else ():
            _add(shown, f"  {side}", part)
    if found.versus:
        _add(shown, found.versus.name, found.versus.whole)
    return shown


def _add(shown: Table, name: str, found: Agreement) -> None:
    rates = [_share(figure) for figure in (found.agreement, found.sensitivity, found.specificity)]
    shown.add_row(escape(name), str(found.n), str(found.prompts), rates[0], _kappa(found.kappa), *rates[1:])


def _share(figure: Estimate) -> str:
    if figure.interval is None:
        return "—"
    low, high = (f"{100 * limit:.1f}" for limit in figure.interval)
    return f"{percent(figure.value)} ({low} to {high})"


def _kappa(figure: Estimate) -> str:
    if figure.interval is None:
        return "—"
    low, high = figure.interval
    return f"{'—' if figure.value is None else f'{figure.value:.2f}'} ({low:.2f} to {high:.2f})"


def _confusion(found: Agreement) -> Table:
    labels = list(next(iter(found.confusion.values())))
    shown = Table("the judge says", *(f"people: {label}" for label in labels), box=None)
    for word, counts in found.confusion.items():
        shown.add_row(word, *(str(counts[label]) for label in labels))
    return shown


def _gains(found: Versus) -> Table:
    shown = Table("", "difference in points", "it alone is right", "the other alone", "McNemar p", box=None)
    told: dict[str, Gain] = {name: getattr(found, name) for name in ("sensitivity", "specificity", "agreement")}
    for name, gain in told.items():
        if gain.interval is None:
            shown.add_row(name, "—", "—", "—", "—")
            continue
        low, high = (f"{100 * limit:+.1f}" for limit in gain.interval)
        value = "—" if gain.difference is None else f"{100 * gain.difference:+.1f}"
        p = "<0.001" if gain.mcnemar_p < 0.001 else f"{gain.mcnemar_p:.3f}"
        shown.add_row(name, f"{value} ({low} to {high})", str(gain.gained), str(gain.lost), p)
    return shown


def _notes(found: Calibration, labels: Labels) -> Iterator[str]:
    whole = found.whole
    for name in (found.judge, found.versus.name if found.versus else ""):
        if (count := known_answers(labels, name)) > whole.n / 10:
            yield f"{name} was made from {count} of these answers: the figures flatter it; no comparison takes them."
    lost = {word: whole.undecided(word) for word in UNDECIDED if whole.undecided(word)}
    if lost:
        told = " and ".join(f"{count} {word}" for word, count in lost.items())
        spans = [
            f"{name} {percent(figure.bounds[0])} to {percent(figure.bounds[1])}"
            for name in ("agreement", "sensitivity", "specificity")
            if (figure := getattr(whole, name)).bounds
        ]
        yield f"{told}, left out of the figures and counted against both ends of the intervals: {', '.join(spans)}."
    if whole.kappa.interval is None:
        yield "kappa is missing: the labels are all of one class, and say nothing of agreement beyond chance."
    if whole.weighted:
        stands = sum(row.weight for row in labels.rows)
        yield f"weighted: the figures are those of the {stands:,.0f} answers that the labelled ones stand for."
    if not found.models:
        yield "the file names no model, so a comparison will call the calibration transported."
