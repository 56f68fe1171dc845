"""`holdfast audit`: what a fine-tuning file would do to a model, before any GPU runs. Needs no torch."""

from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from holdfast.audit import CHECKS, Audit, audit
from holdfast.cli.console import Clock, out, say_json, say_next, stages
from holdfast.data import read, read_eval_set, write_rows
from holdfast.errors import ConfigError, nearest
from holdfast.harbor import policy_of
from holdfast.report import audit_page
from holdfast.store import claim, digest_files, write_json, write_jsonl, write_text

FAILED = 1


def command(
    data: Annotated[list[Path], typer.Argument(help="Files of Alpaca, prompt/completion or messages rows.")],
    against: Annotated[list[Path] | None, typer.Option(help="An evaluation set; repeat for several.")] = None,
    fail_on: Annotated[list[str] | None, typer.Option("--fail-on", help="Exit 1 when this check finds a row.")] = None,
    world: Annotated[
        int | None, typer.Option("--world", min=0, help="Also hold the rows to this Harbor world's policy.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Write kept.jsonl, quarantine.jsonl, audit.json, audit.html.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Read training files, find what would hurt, and set it aside with reasons."""
    known = [check.name for check in CHECKS]
    wrong = [name for name in fail_on or () if name not in known]
    if wrong:
        raise ConfigError(
            f"There is no check {', '.join(map(repr, wrong))}.", nearest(wrong[0], known), "holdfast ls checks"
        )
    clock = Clock()
    with stages() as progress:
        progress("reading", 0, 1)
        sets = [read(path) for path in data]
        items = [read_eval_set(path) for path in against or ()]
        progress("reading", 1, 1)
        found = audit(sets, items, policy_of(world), lambda name: progress(name, 0, 1))
    result = {**found.to_json(), "seconds": clock.seconds}
    if folder:
        claim(
            folder,
            {"verb": "audit", "data": digest_files(data), "against": digest_files(against or []), "world": world},
        )
        save(folder, found, result)
        sources = tuple(path.name for path in data)
        page = audit_page(found, CHECKS, sources, version("holdfast"), date.today().isoformat())
        write_text(folder / "audit.html", page)
    if as_json:
        say_json(result)
    else:
        tell(found, result, folder)
    if any(result["findings"][name] for name in fail_on or ()):
        raise typer.Exit(FAILED)


def save(folder: Path, found: Audit, result: dict[str, Any]) -> None:
    """The rows that stay, as they were; those that go, marked; the findings."""
    write_text(folder / "kept.jsonl", "".join(f"{row}\n" for row in write_rows(found.kept)))
    write_jsonl(folder / "quarantine.jsonl", found.quarantine_rows())
    write_json(folder / "audit.json", result)


def tell(found: Audit, result: dict[str, Any], folder: Path | None) -> None:
    """Counts per check with its first finding, what an audit cannot see, and the next command."""
    out.print(
        f"{result['rows']} rows: {result['kept']} kept, {result['quarantined']} quarantined ({result['seconds']} s)\n"
    )
    shown = Table("check", "found", "for example", box=None)
    for check in CHECKS:
        first = next((finding for finding in found.findings if finding.check == check.name), None)
        example = f"{Path(first.row).name}: {first.reason}" if first else ""
        shown.add_row(check.name, str(found.counts[check.name]), escape(example))
    out.print(shown)
    out.print(f"\n{found.cannot_see}", style="dim", markup=False)
    say_next(f"holdfast tune MODEL {folder}/kept.jsonl" if folder else "the same with --out DIR writes kept.jsonl")
