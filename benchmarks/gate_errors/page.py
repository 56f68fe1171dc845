"""The page: what was counted, as Markdown, by the template beside this file."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.gate_errors.cells import FAMILIES, WORST
from benchmarks.gate_errors.tally import BESIDE, ERRORS, PRINTED, Share, Tally
from jinja2 import Environment, StrictUndefined

WHAT = {
    "before": "rate before",
    "after": "rate after",
    "category": "rate after, of one category",
    "worst category": "bound on the worst category, below the worst one's truth",
    "noise, own samples": "noise floor, from the base's own samples",
    "noise, asked again": "noise floor, from a second measurement",
    "corrected, before": "rate before with the judge's error taken out (Lee and others)",
    "corrected, after": "the same, after",
    "newcombe": "Newcombe's paired interval",
    "student": "Student's on the clustered mean",
    "bootstrap": "percentiles of resampled clusters",
    "mcnemar, unchanged": "McNemar's p ≤ 0.05 where nothing changed",
}


def whole(found: Sequence[Tally], cells: int, seed: int, made: date) -> str:
    """The page of all cells that were counted, of so many in the grid."""
    if not found:
        raise SystemExit("No cell was counted yet by the code as it is: run without --page first.")
    template = (Path(__file__).parent / "page.md.jinja").read_text(encoding="utf-8")
    repeats = sorted({each.repeats for each in found}, reverse=True)
    return Environment(undefined=StrictUndefined, keep_trailing_newline=True).from_string(template).render(
        made=made,
        version=version("holdfast"),
        seed=seed,
        counted=len(found),
        cells=cells,
        repeats=", ".join(f"{sum(each.repeats == n for each in found)} cells with {n:,}" for n in repeats),
        most=f"{repeats[0]:,}",
        limit=f"{100 * (0.05 + 3 * (0.05 * 0.95 / repeats[0]) ** 0.5):.2f} %",
        minutes=round(sum(each.seconds for each in found) / 60),
        checked=4 * len(found),
        differing=sum(len(each.differing) for each in found),
        failing=list(_failing(found)),
        worst={name: _worst(found, name) for name in ERRORS},
        beside_design=len(WORST),
        unmoved=sum(not each.shares["pass, unchanged"].value for each in found),
        families=_table(_FAMILY, _families(found)),
        printed=_table(_INTERVAL, _intervals(found, PRINTED)),
        beside=_table(_INTERVAL, _intervals(found, (*BESIDE, "mcnemar, unchanged"))),
        every=_table(_EVERY, ([each.cell.name, *map(_of(each), (*ERRORS, "pass, unchanged"))] for each in found)),
    )  # fmt: skip


_FAMILY = (
    "family", "cells", "false pass, mean", "worst", "false fail, mean", "worst", "cells that fail",
    "passes unchanged, median",
)  # fmt: skip
_INTERVAL = ("interval", "cells", "misses, mean", "worst", "where", "cells above the limit")
_EVERY = ("cell", "false pass", "false fail", "passes unchanged")


def _failing(found: Sequence[Tally]) -> Iterator[str]:
    """Each cell that fails, with what happens too often in it."""
    for each in found:
        if each.faults:
            yield f"`{each.cell.name}`: " + ", ".join(
                f"{WHAT.get(name, name)} {_share(each.shares[name])}" for name in each.faults
            )


def _worst(found: Sequence[Tally], name: str) -> dict[str, str]:
    most = max((each for each in found if name in each.shares), key=lambda each: each.shares[name].value)
    return {"share": _share(most.shares[name]), "cell": most.cell.name}


def _families(found: Sequence[Tally]) -> Iterator[list[Any]]:
    for family, says in FAMILIES.items():
        own = [each for each in found if each.cell.family == family]
        if own:
            parts = [part for name in ERRORS for part in (_mean(own, name), _worst(own, name)["share"])]
            failing = sum(any(name in each.faults for name in ERRORS) for each in own)
            passing = np.median([each.shares["pass, unchanged"].value for each in own])
            yield [f"`{family}`: {says[0].lower()}{says[1:]}", len(own), *parts, failing, f"{100 * passing:.0f} %"]


def _intervals(found: Sequence[Tally], names: Iterable[str]) -> Iterator[list[Any]]:
    for name in names:
        own = [each for each in found if name in each.shares]
        if own:
            most, above = _worst(own, name), sum(each.shares[name].too_often for each in own)
            yield [WHAT[name], len(own), _mean(own, name), most["share"], f"`{most['cell']}`", above]


def _mean(found: Sequence[Tally], name: str) -> str:
    return f"{100 * np.mean([each.shares[name].value for each in found]):.1f} %"


def _of(each: Tally) -> Callable[[str], str]:
    return lambda name: f"{100 * each.shares[name].value:.2f}" + ("!" if name in each.faults else "")


def _share(share: Share) -> str:
    return f"{100 * share.value:.2f} % (± {100 * share.error:.2f})"


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
