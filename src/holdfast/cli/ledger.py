"""`holdfast ledger`: the history of releases against the first anchor. Needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli.compare import EXIT, Calibrations
from holdfast.cli.console import err, say_json, say_next
from holdfast.cli.gating import GateFile, Margins, gate_of, parse_margins
from holdfast.cli.judge import read_calibration
from holdfast.cli.ledger_folder import LINES, LedgerFolder
from holdfast.cli.ledger_table import say_table, tell
from holdfast.cli.measure import MEASUREMENT
from holdfast.cli.sides import chosen_of, read_side
from holdfast.compare import Side
from holdfast.compare.chosen import Chosen
from holdfast.errors import ConfigError, DataError
from holdfast.ledger import (
    Entry,
    Kind,
    New,
    add,
    differing,
    margin_changes,
    newest,
    recomputed,
    to_line,
    uses,
    uses_say,
)

app = typer.Typer(
    help="The history of releases against the first anchor.", invoke_without_command=True, rich_markup_mode=None
)

Folder = Annotated[Path, typer.Option("--ledger", help="The ledger's folder; made to be committed to git.")]
Recompute = Annotated[bool, typer.Option("--recompute", help="Compute every verdict again from what was kept.")]
ExitCode = Annotated[
    bool,
    typer.Option("--exit-code", help="Exit 1 or 3 where the newest release fails or is undecided since the anchor."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
BadIsWords = Annotated[
    list[str] | None, typer.Option("--bad-is", help="high or low, or NAME=low: which values are bad, if RUN is silent.")
]
MetricNames = Annotated[list[str] | None, typer.Option("--metric", help="Take this metric of RUN only; repeatable.")]
HERE = Path("ledger")


@dataclass(frozen=True, slots=True)
class History:
    """What is shown."""

    entries: Sequence[Entry]
    faults: Sequence[str]
    says: Sequence[str]

    @property
    def newest(self) -> Entry | None:
        """The newest release or anchor."""
        return newest(self.entries)


@app.callback()
def bare(
    context: typer.Context,
    folder: Folder = HERE,
    margin: Margins = None,
    recompute: Recompute = False,
    exit_code: ExitCode = False,
    as_json: AsJson = False,
) -> None:
    """Show the history of releases against the first anchor: the same as `ledger show`."""
    if context.invoked_subcommand is None:
        show_command(folder, margin, recompute, exit_code, as_json)
    elif folder != HERE or margin or recompute or exit_code or as_json:
        verb = context.invoked_subcommand
        raise ConfigError(f"An option stands before {verb!r}.", "", f"holdfast ledger {verb} … --ledger DIR")


@app.command("show")
def show_command(
    folder: Folder = HERE,
    margin: Margins = None,
    recompute: Recompute = False,
    exit_code: ExitCode = False,
    as_json: AsJson = False,
) -> None:
    """Show every release: against the one before, since the anchor, and how often its prompts have decided."""
    there = LedgerFolder(folder)
    if not there.exists:
        raise DataError(
            f"There is no ledger in {str(folder)!r}.", f"It holds no {LINES}.", "holdfast ledger add RUN --name v1.0"
        )
    entries, faults = there.read()
    says = []
    if recompute or margin:
        _check_whole(folder, faults)
        again = recomputed(entries, there, _known(parse_margins(margin or ()), entries))
        says = [] if margin else list(differing(entries, again))
        entries = again
    shown = History(entries, faults, [*says, *margin_changes(entries), *uses_say(entries)])
    _show(shown, entries, as_json)
    raise typer.Exit(_exit(shown, shown.newest if exit_code else None))


@app.command("add")
def add_command(
    run: Annotated[Path, typer.Argument(help="What `measure --out` or `check --out` wrote, or what compare reads.")],
    name: Annotated[str, typer.Option("--name", help="The release, such as v1.2.")],
    folder: Folder = HERE,
    candidate: Annotated[
        bool, typer.Option("--candidate", help="Measured and not released: it counts, and nothing is compared with it.")
    ] = False,
    new_anchor: Annotated[
        bool, typer.Option("--new-anchor", help="Compare what follows with this one; the old anchor stays in view.")
    ] = False,
    anchor_name: Annotated[
        str | None, typer.Option("--anchor-name", help="Of a check run: what to call its `before`, as the anchor.")
    ] = None,
    margin: Margins = None,
    gate: GateFile = None,
    calibration: Calibrations = None,
    bad_is: BadIsWords = None,
    metric: MetricNames = None,
    as_json: AsJson = False,
) -> None:
    """Add a release and hold it against the anchor; exit 0 pass, 1 fail, 3 undecided. The first one is the anchor."""
    if candidate and new_anchor:
        raise ConfigError("--candidate and --new-anchor exclude each other.", "An anchor was released.", "Give one.")
    before, after = _sides(run, chosen_of(bad_is or (), metric or ()))
    given, known = gate_of(margin or (), gate), [read_calibration(path) for path in calibration or ()]
    there, now = LedgerFolder(folder), datetime.now(UTC)
    with there.alone():
        entries, faults = there.read()
        _check_whole(folder, faults)
        anchors = new_anchor or not entries
        if anchor_name and not (anchors and before):
            raise ConfigError(
                f"--anchor-name {anchor_name}: no anchor is made of a `before` here.",
                "A check run's `before` is the anchor where the ledger is new, or with --new-anchor.",
                "Leave it out.",
            )
        if candidate and anchors and not before:
            raise ConfigError(f"{name!r} would be the anchor.", "The first one is that.", "Leave out --candidate.")
        todo: list[tuple[str, Kind, Side]] = [(name, "candidate" if candidate else "release", after)]
        if anchors:
            todo = [(anchor_name or before.name, "anchor", before), *todo] if before else [(name, "anchor", after)]
        calibrations, added = there.take_calibrations(known), list[Entry]()
        for release, kind, side in todo:
            sha256, kept = there.take(side)
            new = New(release, kind, kept, sha256, now, given, not gate, calibrations)
            added.append(add([*entries, *added], new, there))
        there.append(added)
    every = [*entries, *added]
    shown = History(every, [], [*margin_changes(every), *uses_say(every)])
    _show(shown, added, as_json)
    if not as_json:
        say_next("holdfast ledger" if folder == HERE else f"holdfast ledger --ledger {folder}")
    raise typer.Exit(_exit(shown, added[-1]))


def _sides(run: Path, chosen: Chosen) -> tuple[Side | None, Side]:
    """A check run's two sides, or the one side that anything else is."""
    before, after = run / "before", run / "after"
    if not (run / MEASUREMENT).exists() and all((each / MEASUREMENT).is_file() for each in (before, after)):
        return read_side(before, chosen), read_side(after, chosen)
    return None, read_side(run, chosen)


def _check_whole(folder: Path, faults: Sequence[str]) -> None:
    if faults:
        raise DataError(
            f"The ledger in {str(folder)!r} is not as it was written; nothing was changed.",
            "\n  ".join(faults),
            "Bring it back as it was, from git or a copy, or begin another one: --ledger DIR",
        )


def _known(given: Mapping[str, float], entries: Sequence[Entry]) -> Mapping[str, float]:
    metrics = {name for entry in entries for name in entry.margins}
    if wrong := sorted(given.keys() - metrics):
        raise ConfigError(
            f"A margin is given for {', '.join(map(repr, wrong))}, which is no metric here.",
            f"Known: {', '.join(sorted(metrics))}.", "Give margins of metrics in the ledger.",
        )  # fmt: skip
    return given


def _exit(shown: History, decides: Entry | None) -> int:
    if shown.faults:
        return 2
    verdict = decides.verdict if decides else None
    if decides and decides.anchor and verdict is None:
        return 3
    return EXIT[verdict] if verdict else 0


def _show(shown: History, rows: Sequence[Entry], as_json: bool) -> None:
    if as_json:
        say_json(to_json(shown))
        return
    counts = dict(zip((entry.digest for entry in shown.entries), uses(shown.entries), strict=True))
    anchors = sum(entry.kind == "anchor" for entry in shown.entries)
    say_table(rows, [counts[entry.digest] for entry in rows], anchors)
    tell(rows[-1] if rows else None, shown.says)
    for fault in shown.faults:
        err.print(f"Error: {fault}", style="red", markup=False)


def to_json(shown: History) -> dict[str, Any]:
    """The history as plain values; numbers that are missing are null."""
    last = shown.newest
    anchor = next((entry for entry in reversed(shown.entries) if entry.kind == "anchor"), None)
    return {
        "releases": [
            {**to_line(entry), "digest": entry.digest, "verdict": entry.verdict, "uses": count}
            for entry, count in zip(shown.entries, uses(shown.entries), strict=True)
        ],
        "anchor": anchor.release if anchor else None,
        "newest": last.release if last else None,
        "verdict": last.verdict if last else None,
        "says": list(shown.says),
        "faults": list(shown.faults),
        "head": shown.entries[-1].digest if shown.entries else None,
    }
