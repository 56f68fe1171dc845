"""`holdfast mix`: the data with refusals and old rows mixed in, as a file."""

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.console import err, out, say_json, say_next
from holdfast.cli.sources import sources_of
from holdfast.data import read_together, write_rows
from holdfast.errors import OutputError
from holdfast.mix import STYLES, Mix, mix
from holdfast.store import write_lines


def command(
    data: Annotated[str, typer.Argument(help="A file, folder or hub id of training rows.")],
    file: Annotated[Path, typer.Option("--out", help="The JSONL file to write.")],
    safety: Annotated[float, typer.Option(min=0, help="Refusals: a number of rows, or a share below 1.")] = 0.05,
    style: Annotated[str, typer.Option(help=f"How they are worded: {', '.join(STYLES)}.")] = "template",
    rehearsal: Annotated[float, typer.Option(min=0, help="Old rows: a number, or a share below 1.")] = 0,
    refusals: Annotated[Path | None, typer.Option(help="Rows to draw refusals from.")] = None,
    old: Annotated[Path | None, typer.Option(help="Rows to draw old rows from.")] = None,
    world: Annotated[int | None, typer.Option("--world", min=0, help="Draw both from this Harbor world.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Mix refusals and old rows into a data set, and write it."""
    if file.exists():
        raise OutputError(f"{str(file)!r} already exists.", "Nothing was overwritten.", "Give another --out.")
    own = world
    if world is None and refusals is None and old is None:
        own = 0
        err.print("No --refusals and no --old: drawing from Harbor's world 0, which means nothing to another model.")
    sources = sources_of(own, refusals, old, style)
    mixture = mix(read_together(data).examples, Mix(safety, style, rehearsal, seed), sources)
    write_lines(file, write_rows(mixture.examples))
    if as_json:
        say_json({"rows": len(mixture.examples), "sources": dict(mixture.sources)})
        return
    counts = ", ".join(f"{count} {name}" for name, count in mixture.sources.items())
    out.print(f"{len(mixture.examples)} rows ({counts}) in {file}", markup=False)
    say_next(f"holdfast audit {file}")
