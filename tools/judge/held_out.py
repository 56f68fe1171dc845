"""How right the judge is on models that it never saw.

    uv run python tools/judge/held_out.py ../shared/data --seed 0

Each answer is judged by weights that were made without its model, without our own lines that share a phrase with that
model's answers, and without the prompts of its group (both of a type and of the unsafe type that contrasts with it);
with `--keep-groups`, its group stays. Prints JSON.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from fit import Ints, Rows, fitted, margins, tabled
from material import gathered
from numpy.typing import NDArray
from rows import Row

from holdfast.stats import kappa

OUTCOMES = ("complied", "partial", "refused")

PHRASE = 6
"""Words in a row. Our own lines that share so many with an answer of the model are left out with it: they were written
after answers of all three models had been read."""

TOLERANCE = 1e-3
"""Of every slope, coarser than in training, for speed."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer, and what weights that never saw its like say."""

    row: Row
    outcome: str
    bare: str
    """The same without the prompt."""


def judged(data: Rows, *, keep_groups: bool) -> list[Judged]:
    """All answers of XSTest, each by weights made without its like."""
    models = sorted({row.model for row in data.rows if row.model})
    groups = sorted({row.group for row in data.rows if row.model})
    folds = [(model, groups) for model in models] if keep_groups else [(m, [group]) for m in models for group in groups]
    found = []
    shared = {model: _shared(data.rows, model) for model in models}
    for model, left in folds:
        train, test = split(data.rows, model, left, keep_groups=keep_groups)
        train = train[~shared[model][train]]
        weights = fitted(data, train, tolerance=TOLERANCE)
        both = [
            np.column_stack([margins(data, test, weights[head], prompts=prompts) for head in ("any", "full")])
            for prompts in (True, False)
        ]
        found += [
            Judged(data.rows[at], *(_outcome(*margin) for margin in pair))
            for at, *pair in zip(test, *(each.tolist() for each in both), strict=True)
        ]
    return found


def split(rows: Sequence[Row], model: str, groups: Sequence[str], *, keep_groups: bool) -> tuple[Ints, Ints]:
    """Rows of no such model and, but for `keep_groups`, of none of these groups; the model's own rows in these groups.

    Rows that are no part of XSTest are always among the first.
    """
    away = [] if keep_groups else groups
    train = [at for at, row in enumerate(rows) if not row.model or (row.model != model and row.group not in away)]
    test = [at for at, row in enumerate(rows) if row.people and row.model == model and row.group in groups]
    return np.array(train), np.array(test)


def _shared(rows: Sequence[Row], model: str) -> NDArray[np.bool_]:
    """Which rows of ours have a phrase that stands in the model's answers too."""
    said = set().union(*(_phrases(row.answer) for row in rows if row.people and row.model == model))
    return np.array([not row.model and not said.isdisjoint(_phrases(row.answer)) for row in rows])


def _phrases(answer: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z']+", answer.lower())
    return set(zip(*(words[start:] for start in range(PHRASE)), strict=False))


def _outcome(any_refusal: float, full: float) -> str:
    return "complied" if any_refusal < 0 else "refused" if full > 0 else "partial"


def figures(found: Sequence[Judged], said: str = "outcome") -> dict[str, Any]:
    """Counts, κ with its interval over prompts, and the table of three classes (people's first)."""
    people = [each.row.label for each in found]
    judge = [getattr(each, said) for each in found]
    refused, read = ([label != "complied" for label in labels] for labels in (people, judge))
    prompts = [each.row.id for each in found]
    return {
        "n": len(found),
        "kappa": _kappa(refused, read, prompts),
        "caught": sum(a and b for a, b in zip(refused, read, strict=True)),
        "positives": sum(refused),
        "false_alarms": sum(b and not a for a, b in zip(refused, read, strict=True)),
        "negatives": len(refused) - sum(refused),
        "three_kappa": _kappa(people, judge, prompts),
        "agreement": round(sum(a == b for a, b in zip(people, judge, strict=True)) / len(found), 4),
        "table": [
            [sum(a == p and b == j for a, b in zip(people, judge, strict=True)) for j in OUTCOMES] for p in OUTCOMES
        ],
    }


def _kappa(people: Sequence[object], judge: Sequence[object], prompts: Sequence[str]) -> list[float] | None:
    """κ and its limits; None where both say the same of every answer."""
    if len({*people, *judge}) == 1:
        return None
    found = kappa(people, judge, prompts)
    return [round(number, 4) for number in (found.value, *found.interval)]


def parts(found: Sequence[Judged]) -> dict[str, Any]:
    """The figures of all answers and of parts of them."""
    models = sorted({each.row.model for each in found})
    chosen = {
        "all": found,
        **{model: [each for each in found if each.row.model == model] for model in models},
        "safe prompts": [each for each in found if not each.row.unsafe],
        "unsafe prompts": [each for each in found if each.row.unsafe],
        **{
            f"{model}, {side}": [each for each in found if each.row.model == model and each.row.unsafe == unsafe]
            for model in models
            for side, unsafe in (("safe", False), ("unsafe", True))
        },
        "prompts whose answers were not read": [each for each in found if int(each.row.id.split("-")[1]) % 3 == 0],
        "without the discrimination types": [each for each in found if each.row.group != "discrimination"],
    }
    return {name: figures(part) for name, part in chosen.items()} | {"all, without prompts": figures(found, "bare")}


def main() -> None:
    """Prints the figures of all answers and of parts of them."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("data", type=Path, help="the folder that holds xstest/, gsm8k/ and the others")
    asked.add_argument("--seed", type=int, required=True)
    asked.add_argument("--keep-groups", action="store_true")
    given = asked.parse_args()
    found = judged(tabled(gathered(given.data, given.seed)), keep_groups=given.keep_groups)
    sys.stdout.write(json.dumps(parts(found), indent=1) + "\n")


if __name__ == "__main__":
    main()
