"""The whole flow on Harbor: one benign fine-tune done plainly and done with a safety mix, both held against the base.

Every step is a cell, so a demo that was killed goes on where it stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import numpy as np

from holdfast.cells import run_cell
from holdfast.compare import Comparison, Gate, compare, side
from holdfast.data import Example
from holdfast.harbor import harbor_sources, policy_of, to_example
from holdfast.measure import SUITES, Asking, Measurement, load_measurement, measure
from holdfast.models import load
from holdfast.store import Journal, plain
from holdfast.tune import Base, Plan, find_recipe, plan, tune
from holdfast.world import World, make_world
from holdfast.world.rows import benign

Progress = Callable[[str, int, int], None]

ROWS = 400
"""Benign rows: every fact of the task about eight times, in changing wordings."""
TRAINING = {"lr": 7e-4, "epochs": 10, "batch_size": 32}
CONDITIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "safety-mix": {"safety": 160, "style": "template", "rehearsal": 500},
}
"""Each condition is a recipe and its dose: 160 refusals and 500 old rows beside the 400 of the task."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One way to fine-tune, and what it did."""

    recipe: str
    tuned: dict[str, Any]
    """The fine-tune in numbers."""
    folder: Path
    measurement: Measurement
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Demo:
    """The base and the two conditions."""

    base: Measurement
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class _Stage:
    """What every cell of a demo is given."""

    home: Path
    base: Base
    world: World
    seed: int
    progress: Progress


def demo(home: Path, base: Base, world_seed: int, seed: int, progress: Progress) -> Demo:
    """Run what is missing under `home` and compare; a second call computes nothing anew.

    Raises:
        OutputError: `home` holds a demo of another base, world or seed.
    """
    stage = _Stage(home, base, make_world(world_seed), seed, progress)
    before = _measured(stage, "base", base.folder, base.name)
    return Demo(before, tuple(_condition(stage, name, before) for name in CONDITIONS))


def task_rows(world: World, seed: int) -> tuple[Example, ...]:
    """The benign rows that both conditions are tuned on."""
    drawn = benign(world, ROWS, Random(f"demo-{world.seed}-{seed}"))
    return tuple(to_example(f"harbor:benign:{number}", row) for number, row in enumerate(drawn, 1))


def _condition(stage: _Stage, name: str, before: Measurement) -> Condition:
    chosen = plan(find_recipe(name), {**TRAINING, **CONDITIONS[name], "seed": stage.seed})
    folder = stage.home / name / "model"
    asked = {"cell": "tune", "base": before.weights, "recipe": name, "settings": plain(chosen.settings)}
    tuned = run_cell(folder, asked, lambda out: _tune(stage, chosen, out))
    after = _measured(stage, f"{name}/measured", folder, name)
    # The generator only plants the control regression; the verdict does not depend on it.
    comparison = compare(side(before), side(after), Gate(), np.random.default_rng(stage.seed))
    return Condition(name, tuned, folder, after, comparison)


def _tune(stage: _Stage, chosen: Plan, out: Path) -> dict[str, Any]:
    name, started = chosen.recipe.name, monotonic()
    tuned = tune(
        stage.base, task_rows(stage.world, stage.seed), chosen, out, harbor_sources(stage.world),
        policy_of(stage.world.seed), lambda done, total, _: stage.progress(f"{name} · tuning", done, total),
    )  # fmt: skip
    return {
        "rows": tuned.rows,
        "quarantined": len(tuned.quarantined),
        "steps": tuned.steps,
        "loss": tuned.loss,
        "supervised_tokens": tuned.supervised_tokens,
        "dropped_rows": len(tuned.dropped),
        "sources": dict(tuned.card.sources),
        "seconds": round(monotonic() - started, 2),
    }


def _measured(stage: _Stage, cell: str, folder: Path, name: str) -> Measurement:
    def work(out: Path) -> Measurement:
        suites = [suite.make(stage.world) for suite in SUITES]
        journal = Journal(out / "answers.jsonl")
        return measure(
            load(folder, name=name), suites, Asking(), journal,
            lambda suite, done, total: stage.progress(f"{name} · {suite}", done, total),
        )  # fmt: skip

    asked = {"cell": "measure", "model": name, "world": stage.world.seed}
    return load_measurement(run_cell(stage.home / cell, asked, work))
