"""Simulate the grid, a JSON line for each finished cell; or write the page from what is there.

About three quarters of an hour of one core at 10,000 data sets a cell.
"""

import argparse
import json
from datetime import date
from pathlib import Path
from time import process_time

from benchmarks.gate_errors.cells import FAMILIES, Cell, grid
from benchmarks.gate_errors.page import whole
from benchmarks.gate_errors.tally import Tally, from_line, simulate, sources


def read(folder: Path, seed: int) -> list[Tally]:
    """Of each cell of the grid what was counted with the most data sets by the code as it is now."""
    file = folder / "cells.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    best: dict[str, Tally] = {}
    for line in lines:
        found = from_line(line)
        stale = line["seed"] != seed or line["sources"] != sources(found.cell.family)
        if not stale and (found.cell.name not in best or found.repeats >= best[found.cell.name].repeats):
            best[found.cell.name] = found
    return [best[cell.name] for cell in grid() if cell.name in best]


def todo(done: list[Tally], families: list[str], repeats: int) -> list[Cell]:
    """The cells that were not yet counted as often."""
    have = {found.cell.name for found in done if found.repeats >= repeats}
    return [cell for cell in grid() if cell.family in families and cell.name not in have]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of finished cells")
    parser.add_argument("--repeats", type=int, default=10_000, help="data sets a cell")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--families", nargs="+", choices=list(FAMILIES), default=list(FAMILIES))
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="begin no cell after so much processor time"
    )
    parser.add_argument("--page", type=Path, help="write this page from the finished cells, and simulate nothing")
    given = parser.parse_args()
    done = read(given.out, given.seed)
    if given.page:
        given.page.write_text(whole(done, len(list(grid())), given.seed, date.today()), encoding="utf-8")
        return
    given.out.mkdir(parents=True, exist_ok=True)
    now = {family: sources(family) for family in FAMILIES}  # the files may change while this runs
    for cell in todo(done, given.families, given.repeats):
        if process_time() > 60 * given.minutes:
            break
        found = simulate(cell, given.repeats, given.seed)
        with (given.out / "cells.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(found.line(now[cell.family])) + "\n")
        told = ", ".join(f"{name} {found.shares[name].value:.4f}" for name in ("false pass", "false fail"))
        print(f"{found.seconds:6.1f} s  {cell.name}: {told}", *found.faults, *found.differing, sep=" ! ", flush=True)


if __name__ == "__main__":
    main()
