"""One cell simulated and counted: how often the gate erred, and how often each interval missed."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from math import sqrt
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from benchmarks.gate_errors.cells import Cell, Family
from benchmarks.gate_errors.covering import beside, rates, worst_category
from benchmarks.gate_errors.deciding import LimitsOf, decide, family_fails, limits
from benchmarks.gate_errors.through import differs
from benchmarks.gate_errors.worlds import Data, draw

import holdfast.stats
from holdfast.stats import mcnemar

NOMINAL = 0.05
SHOWN = 1_000
"""Data sets on which the bootstrap runs at most: it resamples each of them 10,000 times."""
UNCHANGED = 5
"""One in so many data sets is drawn again without any change."""
THROUGH = 4
"""Data sets that also go through the whole of `compare`."""
ERRORS = ("false pass", "false fail")
PRINTED = (
    "worst category", "before", "after", "category", "noise, own samples", "noise, asked again",
)  # fmt: skip
BESIDE = ("corrected, before", "corrected, after", "newcombe", "student", "bootstrap")
"""Shown beside the limits or nowhere: they decide nothing, and a cell does not fail by them."""


@dataclass(frozen=True)
class Share:
    """How often something happened."""

    value: float
    of: int

    @property
    def error(self) -> float:
        """Monte-Carlo standard error."""
        return sqrt(self.value * (1 - self.value) / self.of)

    @property
    def too_often(self) -> bool:
        """Whether it is above 5 % by more than three standard errors of a true 5 %."""
        return self.value > NOMINAL + 3 * sqrt(NOMINAL * (1 - NOMINAL) / self.of)


@dataclass(frozen=True)
class Tally:
    """What a cell came to."""

    cell: Cell
    repeats: int
    seed: int
    shares: dict[str, Share]
    differing: tuple[str, ...]
    """What `compare` said otherwise, of the data sets that went through it."""
    seconds: float

    @property
    def faults(self) -> list[str]:
        """What happens too often, of what may not."""
        return [name for name in (*ERRORS, *PRINTED) if name in self.shares and self.shares[name].too_often]

    def line(self, sources: str) -> dict[str, Any]:
        """As it is kept; `sources` tells the code that it was counted with."""
        return {**asdict(self), "name": self.cell.name, "sources": sources}


def from_line(line: dict[str, Any]) -> Tally:
    """From what was kept."""
    cell = Cell(**{**line["cell"], "judge": tuple(line["cell"]["judge"])})
    shares = {name: Share(**share) for name, share in line["shares"].items()}
    return Tally(cell, line["repeats"], line["seed"], shares, tuple(line["differing"]), line["seconds"])


def simulate(cell: Cell, repeats: int, seed: int = 0, limits_of: LimitsOf = limits, through: int = THROUGH) -> Tally:
    """Draw a cell's data sets and count; each hangs on the seed, the cell and its own number alone."""
    started, counts, differing = process_time(), defaultdict[str, list[float]](list), []
    key = int.from_bytes(sha256(cell.name.encode()).digest()[:8], "big")
    for at in range(repeats):
        rng = np.random.default_rng([seed, key, at])
        metrics = [draw(cell, rng) for _ in range(cell.metrics)]
        for name, missed in _events(cell, metrics, rng, limits_of):
            counts[name].append(missed)
        if at < min(repeats, SHOWN) and limits_of is limits and _plain(cell):
            for name, missed in beside(cell, metrics[0], rng).items():
                counts[name].append(missed)
        if at < repeats // UNCHANGED:
            for name, happened in _unchanged(cell, rng, limits_of):
                counts[name].append(happened)
        if at < through:
            differing += [f"data set {at}: {told}" for told in differs(cell, metrics)]
    shares = {name: Share(float(np.mean(each)), len(each)) for name, each in counts.items()}
    return Tally(cell, repeats, seed, shares, tuple(differing), round(process_time() - started, 2))


def _plain(cell: Cell) -> bool:
    return cell.family in ("single", "clustered", "sampled", "groups")


def _events(
    cell: Cell, metrics: list[Data], rng: np.random.Generator, limits_of: LimitsOf
) -> Iterator[tuple[str, float]]:
    found = [decide(cell, data, limits_of) for data in metrics]
    # Fewest are passed where every metric is at its margin, most where the others have not changed at all.
    clear = [decide(cell, draw(cell, rng, 0.0), limits_of) for _ in metrics[1:]]
    yield "false pass", float(all(each.upper < cell.margin for each in (found[0], *clear)))
    yield "false fail", float(family_fails(found, cell.margin) if len(found) > 1 else found[0].lower > cell.margin)
    if limits_of is limits:
        yield from rates(cell, metrics[0]).items()
        if cell.groups:
            yield from worst_category(cell, metrics[0]).items()


def _unchanged(cell: Cell, rng: np.random.Generator, limits_of: LimitsOf) -> Iterator[tuple[str, float]]:
    metrics = [draw(cell, rng, 0.0) for _ in range(cell.metrics)]
    found = [decide(cell, data, limits_of) for data in metrics]
    yield "pass, unchanged", float(all(each.upper < cell.margin for each in found))
    if cell.family == "single":
        change = metrics[0].afters[0] - metrics[0].before
        yield "mcnemar, unchanged", float(mcnemar(int((change > 0).sum()), int((change < 0).sum())) <= NOMINAL)


def sources(family: Family) -> str:
    """A digest of the code whose error a family shows, so that a changed method is run again."""
    own: dict[str, tuple[str, ...]] = {
        "shared": ("judged.py", "error_rates.py"),
        "own": ("judged.py", "error_rates.py"),
        "labels": ("ppi.py",),
        "seeds": ("seeds.py",),
        "several": ("pvalues.py",),
    }
    folder, here = Path(holdfast.stats.__file__).parent, Path(__file__).parent
    files = [folder / name for name in ("paired.py", "proportion.py", *own.get(family, ()))]
    files += [here / name for name in ("worlds.py", "deciding.py", "covering.py", "tally.py")]
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
