"""`holdfast audit`: what a fine-tuning file would do to a model, before any GPU runs. Needs no torch."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.markup import escape
from rich.table import Table

from holdfast.audit import CHECKS, Audit, Sample, Settings, audit, stratified_sample
from holdfast.cli.auditing import (
    GuardWords,
    datasets_of,
    digest_of,
    guard_of,
    nearness_of,
    restored_ids,
    view_of,
    workers_of,
)
from holdfast.cli.console import Clock, counted, out, say_json, say_next, stages
from holdfast.data import Dataset, read_eval_set, write_rows
from holdfast.errors import ConfigError, nearest
from holdfast.harbor import policy_of
from holdfast.report import AuditPage, audit_page
from holdfast.scope import INSTRUMENTS
from holdfast.store import claim, digest, digest_files, read_json, write_json, write_jsonl, write_lines, write_text

FAILED = 1
AUDIT, SAMPLE = "audit.json", "sample.jsonl"


def command(
    data: Annotated[list[str], typer.Argument(help="Files, folders or hub ids (owner/name) of training rows.")],
    against: Annotated[list[Path] | None, typer.Option(help="An evaluation set; repeat for several.")] = None,
    row_format: Annotated[
        str, typer.Option("--format", help="Read every row as this format, and not as what it looks like.")
    ] = "",
    fail_on: Annotated[list[str] | None, typer.Option("--fail-on", help="Exit 1 when this check finds a row.")] = None,
    encoder: Annotated[
        str, typer.Option(help="How questions are compared: auto, ngrams, wordllama, or an encoder's folder.")
    ] = "auto",
    threshold: Annotated[float, typer.Option(help="Cosine above which two questions may be the same.")] = 0.9,
    floor: Annotated[float | None, typer.Option(help="Cosine above which pairs are remembered; 0.85.")] = None,
    approximate: Annotated[
        bool, typer.Option("--approximate", help="Compare within cells only: faster, with its measured recall.")
    ] = False,
    guard: Annotated[
        str | None, typer.Option(help="A guard model: endpoint:MODEL@URL, or a local folder or hub id.")
    ] = None,
    guard_style: Annotated[str | None, typer.Option(help="How the guard is asked and read; told by its name.")] = None,
    guard_rows: Annotated[int | None, typer.Option(min=1, help="Rows the guard reads, the suspect first; all.")] = None,
    send_rows: Annotated[bool, typer.Option("--send-rows", help="Rows may leave this machine for the guard.")] = False,
    model: Annotated[str | None, typer.Option(help="Show what training this model will see of the rows.")] = None,
    max_length: Annotated[int, typer.Option(min=2, help="Tokens after which training cuts a row.")] = 1024,
    serving: Annotated[str | None, typer.Option(help="The system prompt that the model will be served with.")] = None,
    service: Annotated[str, typer.Option(help="Hold the file to this service's upload rules (openai).")] = "",
    restore: Annotated[Path | None, typer.Option(help="Ids of rows to bring back, one a line.")] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Also draw so many kept rows of each category (needs --out).")
    ] = None,
    category: Annotated[str, typer.Option(help="The field that names a row's category; else its file.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="The seed of everything that is drawn.")] = 0,
    world: Annotated[
        int | None, typer.Option("--world", min=0, help="Also hold the rows to this Harbor world's policy.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Threads; as many as there are cores.")] = None,
    ray: Annotated[str | None, typer.Option(help="Work on this Ray cluster; `local` starts one here.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Write kept.jsonl, quarantine.jsonl, audit.json, audit.html.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Read training files, find what would hurt, and set it aside with reasons."""
    clock = Clock()
    _refuse(fail_on or (), {"against": against, "guard": guard, "view": model, "service": service}, sample, folder)
    near = nearness_of(encoder, threshold, floor, np.random.default_rng(seed) if approximate else None)
    words = GuardWords(guard, guard_style, send_rows) if guard else None
    with stages() as progress:
        sets = datasets_of(data, row_format, progress)
        restored = restored_ids(restore, sets)
        asked = {
            "verb": "audit", "data": digest_of(sets), "format": row_format, "against": digest_files(against or []),
            "encoder": near.encoder.name, "floor": near.floor, "approximate": approximate, "seed": seed,
            "guard": [guard, guard_style, guard_rows], "model": [model, max_length, serving], "service": service,
            "world": world,
        }  # fmt: skip
        near = replace(near, known=_links(folder, asked))
        items = [read_eval_set(path) for path in against or ()]
        settings = Settings(
            items, policy_of(world), near, guard_of(words, progress), guard_rows,
            view_of(model, max_length, serving, progress), service, restored, seed, workers_of(ray, jobs),
        )  # fmt: skip
        found = audit(sets, settings, progress)
        drawn = stratified_sample(found, sample, category, np.random.default_rng(seed)) if sample else None
    stay_out = sorted(restored & {each.row.id for each in found.quarantined})
    result = {**found.to_json(), **_read_as(sets), "not_restored": stay_out, "seconds": clock.seconds}
    if folder:
        save(folder, asked, found, result, drawn)
        today = date.today().isoformat()
        page = AuditPage(found, CHECKS, tuple(sets), INSTRUMENTS, version("holdfast"), today)
        write_text(folder / "audit.html", audit_page(page))
    if as_json:
        say_json(result)
    else:
        tell(found, sets, result, folder, drawn)
    if any(result["findings"].get(name) for name in fail_on or ()):
        raise typer.Exit(FAILED)


def _refuse(fail_on: Sequence[str], given: dict[str, Any], sample: int | None, folder: Path | None) -> None:
    """Every fault of the words themselves, before a row is read."""
    known = {check.name: check for check in CHECKS}
    wrong = [name for name in fail_on if name not in known]
    if wrong:
        raise ConfigError(
            f"There is no check {', '.join(map(repr, wrong))}.", nearest(wrong[0], known), "holdfast ls checks"
        )
    options = {"against": "--against", "guard": "--guard", "view": "--model", "service": "--service"}
    idle = [name for name in fail_on if (need := known[name].needs) and not given[need]]
    if idle:
        needed = " ".join(sorted({options[known[name].needs] for name in idle}))
        raise ConfigError(
            f"--fail-on {', '.join(idle)} could never fail.", "That check would not run.", f"Add {needed}."
        )
    if sample and folder is None:
        raise ConfigError("--sample draws rows to write.", "There is no folder to write them to.", "Add --out DIR.")


def _links(folder: Path | None, asked: dict[str, Any]) -> dict[str, Any] | None:
    """What the same audit in this folder already knows of the rows' nearness, at any threshold."""
    if folder is None:
        return None
    claim(folder, asked)
    try:
        links: dict[str, Any] = read_json(folder / AUDIT)["figures"]["nearness"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no audit yet, or a file that somebody edited: compare anew
    return links if isinstance(links, dict) and isinstance(links.get("links"), list) else None


def _read_as(sets: Sequence[Dataset]) -> dict[str, Any]:
    shown = [
        {"name": each.name, "container": each.container, "format": each.format, "rows": len(each.examples),
         "unreadable": len(each.faults)}
        for each in sets
    ]  # fmt: skip
    measured = {each.name: [one.to_json() for one in each.measured] for each in INSTRUMENTS}
    return {"read": shown, "instruments": measured}


def save(folder: Path, asked: dict[str, Any], found: Audit, result: dict[str, Any], drawn: Sample | None) -> None:
    """The rows that stay, as they were, and their ids; those that go, marked; the findings last."""
    write_lines(folder / "kept.jsonl", write_rows(found.kept))
    write_lines(folder / "kept_ids.txt", (row.id for row in found.kept))
    write_jsonl(folder / "quarantine.jsonl", found.quarantine_rows())
    # Another run's sample may hold rows that go now.
    (folder / SAMPLE).unlink(missing_ok=True)
    if drawn:
        write_lines(folder / SAMPLE, write_rows(drawn.rows))
        result["sample"] = {"drawn": dict(drawn.drawn), "of": dict(drawn.of)}
    write_json(folder / AUDIT, {**result, "asked": digest(asked)})


def tell(
    found: Audit, sets: Sequence[Dataset], result: dict[str, Any], folder: Path | None, drawn: Sample | None
) -> None:
    """Counts per check with its first finding, what an audit cannot see, and the next command."""
    for each in sets[:10]:
        out.print(
            f"{each.name}: {counted(len(each.examples), 'row')} of {each.format} ({each.container})", markup=False
        )
    if len(sets) > 10:
        out.print(f"… and {len(sets) - 10} more files", markup=False)
    kept, gone = result["kept"], result["quarantined"]
    out.print(f"{counted(result['rows'], 'row')}: {kept} kept, {gone} quarantined ({result['seconds']} s)\n")
    if result["not_restored"]:
        still = ", ".join(result["not_restored"][:5])
        out.print(f"Not brought back, since a check that nobody overrules took them: {still}\n", markup=False)
    shown = Table("check", "found", "for example", box=None)
    for check in CHECKS:
        if check.name in found.counts:
            first = next((finding for finding in found.findings if finding.check == check.name), None)
            example = f"{Path(first.row).name}: {first.reason}" if first else ""
            shown.add_row(check.name, str(found.counts[check.name]), escape(example))
    out.print(shown)
    for why, names in groupby(found.not_run, key=found.not_run.__getitem__):
        out.print(f"not run, since {why}: {', '.join(names)}", markup=False)
    out.print("\n[bold]What the data holds[/bold]")
    for figure in found.figures:
        out.print(f"  {figure.name}: {figure.says}", markup=False)
    out.print("\n[bold]How good the instruments are[/bold]")
    for instrument in INSTRUMENTS:
        out.print(f"  {instrument.name}: {instrument.measured[0].says}", markup=False)
    if drawn:
        counts = ", ".join(f"{name or '(none)'} {n} of {drawn.of[name]}" for name, n in drawn.drawn.items())
        out.print(f"sample.jsonl: {counts}", markup=False)
    out.print(f"\n{found.cannot_see}", style="dim", markup=False)
    say_next(f"holdfast tune MODEL {folder}/kept.jsonl" if folder else "the same with --out DIR writes kept.jsonl")
