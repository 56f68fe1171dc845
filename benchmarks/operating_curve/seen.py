"""What every gate said of the same samples, read from the files of `gates` and `rivals`."""

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.operating_curve.curve import WIDTH, Bin, Shares, between, own_margin, shares
from benchmarks.operating_curve.draws import Design
from benchmarks.operating_curve.gates import MARGIN, folder_of, verdicts
from benchmarks.operating_curve.rivals import name, seen
from numpy.typing import NDArray

OURS = "Holdfast"
RIVALS = ("statgate", "truescore", "evalproof", "modeldiffr")


@dataclass(frozen=True)
class Seen:
    """One gate on the samples of one design; shares by model."""

    gate: str
    version: str
    rule: Shares
    """By its own rule."""
    held: Shares
    """By its interval held against the margin."""
    own: Shares
    """By its interval held against each model's own true change, of the models that are half a point worse or more."""


@dataclass(frozen=True)
class Found:
    """A design with every gate that has seen all of its samples."""

    design: Design
    change: NDArray[np.float64]
    worlds: int
    samples: int
    """Of each model."""
    gates: list[Seen]
    checked: int
    """Samples that `compare` itself decided too."""
    differing: int
    worst: list[dict[str, Any]]
    """Our gate's worst models at a second look."""

    def near(self, found: Shares, points: float) -> Bin | None:
        """The models within a quarter of a point of so many points."""
        return between(self.change, found, self.samples, points / 100 - WIDTH / 2, points / 100 + WIDTH / 2)

    def beyond(self, found: Shares) -> Bin | None:
        """The models that are at the margin or up to half a point worse: a pass is wrong."""
        return between(self.change, found, self.samples, MARGIN, MARGIN + WIDTH)

    def within(self, found: Shares) -> Bin | None:
        """The models that are up to half a point better than the margin: a fail is wrong."""
        return between(self.change, found, self.samples, MARGIN - WIDTH, MARGIN)


def read(design: Design, home: Path) -> Found | None:
    """A design's samples with the gates that have seen all of them; None where none were drawn."""
    folder = folder_of(design, home)
    if not (folder / "draws.npz").exists():
        return None
    with np.load(folder / "draws.npz") as file:
        keys, draws, limits, change, world = (file[n] for n in ("keys", "draws", "limits", "change", "world"))
    gates = [_seen((OURS, version("holdfast")), verdicts(limits, MARGIN), limits, draws, change)]
    for rival in RIVALS:
        path = folder / f"{rival}.json"
        told = _json(path) if path.exists() else {"told": {}}
        named = [told["told"].get(name(seen(key, design.kind))) for key in keys.tolist()]
        if all(named):
            said, interval = np.array([each[0] for each in named]), np.array([each[1:] for each in named])
            gates.append(_seen((rival, told["asked"]["version"]), said, interval, draws, change))
    checked = _json(folder / "checked.json")
    worst = _json(folder / "worst.json")
    worlds = len(set(world.tolist()))
    return Found(
        design, change, worlds, draws.shape[1], gates, checked["checked"], len(checked["differing"]), worst
    )  # fmt: skip


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _seen(
    named: tuple[str, str],
    said: NDArray[np.str_],
    limits: NDArray[np.float64],
    draws: NDArray[np.int32],
    change: NDArray[np.float64],
) -> Seen:
    worse = change >= WIDTH
    own = own_margin(limits, draws[worse], change[worse])
    return Seen(*named, shares(said[draws]), shares(verdicts(limits, MARGIN)[draws]), own)
