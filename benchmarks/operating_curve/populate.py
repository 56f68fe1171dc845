"""Tunes Harbors of many worlds on harmless task rows, a little each, and asks each model every policy question.

    uv run python -m benchmarks.operating_curve.populate --worlds 1,2,3 --tunes 2      # a pilot
    uv run python -m benchmarks.operating_curve.populate                               # 14 worlds, 8 fine-tunes each
    uv run python -m benchmarks.operating_curve.populate --tunes 16                    # more than 1,000 models

A fine-tune is one cell: what is done is not done again, whenever it was stopped. From one fine-tune come several
models, points between the base and the tuned weights, placed so that their true changes spread over 0 to 12 points.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any

import numpy as np
from benchmarks.operating_curve.population import Bits, every_question, home, model_id, packed

from holdfast.cells import run_cell
from holdfast.harbor import HarborName, harbor_sources, locate, policy_of, to_example
from holdfast.measure import Asking, Suite, measure
from holdfast.measure.reading import POLICY, harbor_suite
from holdfast.models import Model, digest_weights, load, open_between
from holdfast.store import RESULT, digest, plain, read_json
from holdfast.tune import Base, find_recipe, plan, tune
from holdfast.world import World, make_world
from holdfast.world.rows import benign

WORLDS = tuple(range(1, 15))
TUNES = 8
LARGEST = 0.12
"""Changes above this are outside the figure."""
PLACES = 8
"""Models that are asked on the way to one fine-tune."""
_LEFT = "model-"
RECIPES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("plain", {}),
    ("plain", {"lora_rank": 8, "lora_alpha": 16}),
    ("gentle", {"slower": 2, "wider": 1}),
    ("safety-mix", {"safety": 10, "rehearsal": 50}),
    ("safety-mix", {"safety": 4, "rehearsal": 0}),
    ("rehearsal", {"rehearsal": 100}),
    ("l2-sp", {"pull": 10.0}),
    ("ema", {"decay": 0.9}),
)


@dataclass(frozen=True)
class Dose:
    """One fine-tune, drawn from its world and number alone."""

    world: int
    number: int
    recipe: str
    values: dict[str, Any]
    rows: int
    seed: int
    targets: tuple[float, ...]
    """True changes to aim at, by the place between the base and the tuned weights."""


def dose(world: int, number: int) -> Dose:
    """The fine-tune of this number: recipes in turn, everything else drawn."""
    rng = Random(f"operating-curve-{world}-{number}")
    recipe, values = RECIPES[number % len(RECIPES)]
    lr = rng.choice((4e-4, 6e-4, 9e-4, 1.3e-3)) * (8 if "lora_rank" in values else 1)
    training = {"lr": lr, "epochs": rng.choice((3, 5, 8)), "batch_size": 32, "seed": number}
    targets = [rng.uniform(0, 0.06) for _ in range(PLACES - 3)] + [rng.uniform(0.06, LARGEST) for _ in range(2)]
    rows = rng.choice((60, 100, 160, 240))
    return Dose(world, number, recipe, {**values, **training}, rows, number, tuple(sorted(targets, reverse=True)))


def next_alpha(known: dict[float, float], target: float) -> float | None:
    """Where the change should be near the target, between the last place below it and the first above.

    Straight between cube roots: a policy breaks slowly at first and then fast. None where the whole way stays below.
    """
    above = [alpha for alpha in sorted(known) if known[alpha] >= target]
    if not above:
        return None
    right = above[0]
    left = max((alpha for alpha in known if alpha < right), default=0.0)
    low, high, wanted = (float(np.cbrt(value)) for value in (known[left], known[right], target))
    share = (wanted - low) / (high - low) if high > low else 0.5
    return round(left + (right - left) * min(max(share, 0.1), 0.9), 4)


def work(chosen: Dose, base: Path, before: Bits, folder: Path) -> dict[str, Any]:
    """Tune, and ask models on the way there; the weights are gone afterwards."""
    world, started = make_world(chosen.world), process_time()
    rows = benign(world, chosen.rows, Random(f"operating-curve-rows-{chosen.world}-{chosen.seed}"))
    examples = [to_example(f"harbor:benign:{number}", row) for number, row in enumerate(rows, 1)]
    setting = plan(find_recipe(chosen.recipe), chosen.values)
    for left in folder.glob(f"{_LEFT}*"):  # by a kill
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=folder, prefix=_LEFT) as out:
        made = tune(
            Base(base, "harbor"), examples, setting, Path(out) / "m", harbor_sources(world), policy_of(world.seed)
        )
        between = open_between(base, made.folder)
        known, asked = {0.0: 0.0}, dict[float, Bits]()
        for target in (1.0, *chosen.targets):
            alpha = 1.0 if target == 1.0 else next_alpha(known, target)
            if alpha is None or alpha in known:
                continue
            asked[alpha] = ask(between.at(alpha), world)
            known[alpha] = float(asked[alpha].mean() - before.mean())
    return {
        "world": chosen.world,
        "tune": f"{chosen.world}-{chosen.number}",
        "recipe": chosen.recipe + (", LoRA" if "lora_rank" in chosen.values else ""),
        "questions": before.size,
        "before": packed(before),
        "places": [
            {"id": model_id(between.base.weights, between.weights, alpha), "alpha": alpha, "after": packed(bits)}
            for alpha, bits in sorted(asked.items())
        ],
        "seconds": round(process_time() - started, 2),
    }


@cache
def whole_suite(world: int) -> Suite:
    """The policy suite with every question that the grammar can make."""
    made = harbor_suite("harbor-policy", "every policy question", "refusal", POLICY, every_question)
    return made(make_world(world))


def ask(model: Model, world: World) -> Bits:
    """Whether each greedy answer breaks the policy, by the judge that knows every fact; shape (facts, wordings)."""
    suite = whole_suite(world.seed)
    found = measure(model, [suite], Asking(keep="none"), _Unkept(), lambda *_: None).suites["harbor-policy"]
    assert [answer.prompt_id for answer in found.answers] == [prompt.id for prompt in suite.prompts]
    return np.array([bool(found.is_bad(answer)) for answer in found.answers]).reshape(len(world.restricted_facts), -1)


class _Unkept:
    def rows(self) -> tuple[dict[str, Any], ...]:
        return ()

    def append(self, rows: list[Any]) -> None:
        pass


def cells(worlds: list[int], tunes: int) -> Iterator[Dose]:
    """Every fine-tune, one of each world before the next: a run that is stopped has all worlds."""
    return (dose(world, number) for number in range(tunes) for world in worlds)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", default=",".join(map(str, WORLDS)))
    parser.add_argument("--tunes", type=int, default=TUNES, help="fine-tunes a world")
    parser.add_argument("--home", type=Path, default=home())
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so many; run again to go on")
    given = parser.parse_args(arguments)
    worlds = [int(world) for world in given.worlds.split(",")]
    versions = {name: version(name) for name in ("holdfast", "torch", "transformers", "trl", "peft")}
    started, grounds = perf_counter(), dict[int, tuple[Path, str, Bits]]()
    for chosen in cells(worlds, given.tunes):
        if perf_counter() - started > 60 * given.minutes:
            print("out of time: the same command goes on from here")
            return
        if chosen.world not in grounds:
            base = locate(HarborName("harbor", chosen.world), lambda *_: None)
            grounds[chosen.world] = base, digest_weights(base), ask(load(base), make_world(chosen.world))
        base, weights, before = grounds[chosen.world]
        asked = {"cell": "operating-curve", "base": weights, "dose": plain(chosen), "versions": versions}
        folder = given.home / "cells" / digest(asked)[:24]
        done = (folder / RESULT).exists()
        result = read_json(folder / RESULT) if done else run_cell(folder, asked, partial(work, chosen, base, before))
        changes = [bin(int(place["after"], 16)).count("1") for place in result["places"]]
        shown = " ".join(f"{100 * count / result['questions'] - 100 * before.mean():.1f}" for count in changes)
        print(f"{perf_counter() - started:6.0f} s  world {chosen.world:2d} #{chosen.number:2d} {result['recipe']:12s} "
              f"{'kept' if done else str(result['seconds']) + ' s':8s} {shown}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
