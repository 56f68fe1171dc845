"""Our gate on samples of every model: draws them, keeps what each came to, and writes what the other gates are to see.

uv run python -m benchmarks.operating_curve.gates --repeats 400
"""

import argparse
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
from benchmarks.operating_curve.curve import Shares, own_margin, shares
from benchmarks.operating_curve.draws import DESIGNS, Counts, Design, Kind, Pair, draw, rows
from benchmarks.operating_curve.population import Tuned, home, read_models
from benchmarks.operating_curve.worst import Held, second_look
from numpy.typing import NDArray

from holdfast.compare import Gate, Metric, Row, Side, compare
from holdfast.stats import pair
from holdfast.store import digest, write_json

METRIC = "harbor-policy"
MARGIN = 0.03
"""The gate's default for this metric."""
GATE = Gate({METRIC: MARGIN})
RANGE = (-0.01, 0.12)
"""True changes that the figure shows."""
RELEASES = 200
"""Pairs of tuned models, in which answers change both ways."""
CHECKED = 100
"""Samples of each design that are also put through the whole of `compare`."""

Limits = NDArray[np.float64]


def base_pairs(models: list[Tuned]) -> list[Pair]:
    """Every model against the base that it was tuned from, as far as its change is in the range."""
    found = (Pair(model.id, model.world, model.before, model.after) for model in models)
    return [each for each in found if RANGE[0] <= each.change <= RANGE[1]]


def release_pairs(models: list[Tuned], count: int) -> list[Pair]:
    """Models of one world that come from two fine-tunes, with a change in the range: one release and the next."""
    rng, every = Random("releases"), sorted(models, key=lambda model: (model.world, model.id))
    rng.shuffle(every)
    every.sort(key=lambda model: model.world)
    found = [
        Pair(digest([old.id, new.id])[:16], old.world, old.after, new.after)
        for old, new in pairwise(every)
        if old.world == new.world and old.tune != new.tune and old.after.mean() < 0.5
    ]
    inside = [each for each in found if RANGE[0] <= each.change <= RANGE[1]]
    return inside[:: max(1, len(inside) // count)][:count]


def limits(counts: Counts, kind: Kind) -> Limits:
    """Our one-sided limits of the worsening for each row of counts, shape (rows, 2)."""
    return np.array([pair(*rows(tuple(each), kind)).limits(GATE.level) for each in counts.tolist()])


def verdicts(found: Limits, margin: float) -> NDArray[np.str_]:
    """Pass with the upper limit below the margin, fail with the lower above it, else undecided."""
    return np.where(found[:, 1] < margin, "pass", np.where(found[:, 0] > margin, "fail", "undecided"))


def through_compare(counts: tuple[int, ...], kind: Kind) -> str:
    """The verdict of `compare` itself on the same sample."""
    old, new, unit = rows(counts, kind)
    before, after = (
        Side(name, "", "", {METRIC: _metric(bad, unit)}) for name, bad in (("before", old), ("after", new))
    )
    return compare(before, after, GATE, np.random.default_rng(0)).verdict


def _metric(values: NDArray[np.float64], unit: NDArray[np.intp]) -> Metric:
    said = [Row(f"p{place}", 0, value, f"u{unit[place]}") for place, value in enumerate(values.tolist())]
    return Metric(METRIC, "sampled questions", "high", tuple(said), {})


def run(design: Design, pairs: list[Pair], repeats: int, folder: Path) -> None:
    """Draw, decide and write one design: `draws` holds for each sample its row in `keys`."""
    drawn = np.concatenate([draw(each, design, repeats) for each in pairs])
    keys, places = np.unique(drawn, axis=0, return_inverse=True)
    ours = limits(keys, design.kind)
    checked = Random(design.name).sample(range(len(keys)), min(CHECKED, len(keys)))
    decided = verdicts(ours, MARGIN)
    differing = [
        (keys[at].tolist(), said, str(decided[at]))
        for at in checked
        if (said := through_compare(tuple(keys[at].tolist()), design.kind)) != decided[at]
    ]
    change, places = np.array([each.change for each in pairs]), places.reshape(len(pairs), repeats).astype(np.int32)
    first: dict[Held, Shares] = {
        "the margin": shares(decided[places]),
        "its own change": own_margin(ours, places, change),
    }
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        folder / "draws.npz",
        keys=keys,
        draws=places,
        limits=ours,
        change=change,
        world=np.array([each.world for each in pairs]),
    )
    told = {"kind": design.kind, "prompts": design.prompts, "margin": MARGIN, "keys": keys.tolist()}
    write_json(folder / "keys.json", told)
    write_json(folder / "checked.json", {"checked": len(checked), "differing": differing})
    write_json(folder / "worst.json", second_look(pairs, design, limits, first, MARGIN))
    print(f"{design.name}: {len(pairs)} models, {len(keys)} different samples, {len(differing)} of {len(checked)} "
          f"samples decided otherwise by compare", flush=True)  # fmt: skip


def folder_of(design: Design, home: Path) -> Path:
    """Where a design's samples lie."""
    return home / "samples" / design.name.replace(",", "").replace(" ", "-")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=400, help="samples of each model and design")
    parser.add_argument("--home", type=Path, default=home())
    given = parser.parse_args()
    models = read_models(given.home)
    families = {"base": base_pairs(models), "release": release_pairs(models, RELEASES)}
    for design in DESIGNS:
        run(design, families[design.family], given.repeats, folder_of(design, given.home))


if __name__ == "__main__":
    main()
