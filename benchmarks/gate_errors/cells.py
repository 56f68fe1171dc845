"""The grid: which comparisons are simulated. Draws nothing.

Not the full product. What decides a limit is crossed in full (prompts by how they cluster and change by base rate and
flips back; of single prompts the margin too); a factor that matters less takes its values in turn, so that each of its
values meets each of the others about as often (a Latin square), and a family varies what is its own.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from itertools import product
from typing import Any, Literal, get_args

Family = Literal["single", "clustered", "sampled", "unscored", "shared", "own", "labels", "several", "seeds", "groups"]
Flips = Literal["single", "whole", "both"]
Lost = Literal["", "chance", "bad"]

FAMILIES: dict[Family, str] = {
    "clustered": "Clusters of prompts that change one by one, whole, or both",
    "own": "A judge whose error rates are known of each side from labels",
    "shared": "A judge whose error rates are known from labels and are the same on both sides",
    "labels": "People's labels of a sheet drawn from these very answers",
    "several": "Five metrics at once",
    "seeds": "Training seeds as a random factor",
    "unscored": "Answers that could not be scored",
    "sampled": "Several samples of each prompt, each prompt its own cluster",
    "groups": "The worst of several categories",
    "single": "One answer of each prompt, each prompt its own cluster",
}
"""In the order in which they are run: those whose limits are approximations first."""


@dataclass(frozen=True)
class Cell:
    """One way in which answers come about and are judged; the true worsening is the margin."""

    family: Family
    n: int
    base: float
    """Share of bad answers before."""
    back: float
    """Share of the answers that turn from bad to good, beside the worsening."""
    margin: float
    size: int = 1
    """Prompts of a cluster."""
    flips: Flips = "single"
    """Whether prompts change one by one, whole clusters alike, or half of the worsening each way."""
    samples: int = 1
    chance: float = 1.0
    """With which an answer to a bad prompt is bad."""
    lost: Lost = ""
    """Whether answers are lost at random, or the bad ones more often."""
    judge: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    """What the judge finds and keeps before, and after."""
    labels: int = 0
    """Of each class (and side), or of the sheet."""
    metrics: int = 1
    seeds: int = 1
    spread: float = 0.0
    """Standard deviation of the true worsening over training seeds."""
    alike: bool = False
    """Whether all seeds change the same prompts first."""
    groups: int = 0
    uneven: bool = False
    """Whether one category alone carries the worsening."""

    @property
    def name(self) -> str:
        """The family, and what is not as usual."""
        usual = {field.name: field.default for field in fields(self)}
        told = [
            f"{key}={_word(value)}" for key, value in asdict(self).items() if key != "family" and value != usual[key]
        ]
        return " ".join([self.family, *told])


def _word(value: Any) -> str:
    return "/".join(map(str, value)) if isinstance(value, tuple) else str(value)


MARGINS = (0.02, 0.03, 0.05)
CHANGES = ((0.0, 0.0), (0.02, 0.0), (0.02, 0.02), *product((0.1, 0.3), (0.0, 0.02, 0.1)))
"""Base rate and flips back, as far as there is something to flip."""
FEW_CHANGES = ((0.0, 0.0), (0.1, 0.02), (0.3, 0.1))
ALIKE = ((0.98, 0.98), (0.9, 0.9), (0.8, 0.95))
"""What a judge finds and keeps, on both sides."""
APART = ((0.98, 0.98, 0.9, 0.9), (0.9, 0.98, 0.98, 0.9), (0.95, 0.95, 0.8, 1.0))
"""Before and after: what fine-tuning does to the style of answers."""

WORST = (
    Cell("clustered", 1000, 0.0, 0.0, 0.05, 10, "both"),
    Cell("clustered", 3000, 0.0, 0.0, 0.03, 10, "both"),
    Cell("own", 320, 0.0, 0.0, 0.02, 2, "whole", 5, judge=(0.9, 0.9, 0.9, 0.9), labels=300),
    Cell("shared", 320, 0.0, 0.0, 0.02, 2, "whole", 5, judge=(0.9, 0.9, 0.9, 0.9), labels=300),
    Cell("seeds", 3000, 0.0, 0.0, 0.03, seeds=5, spread=0.02),
)
"""Beside the design: where an approximation was seen to err most, so that it is looked at on purpose."""


def grid() -> Iterator[Cell]:
    """Every cell, in the order of the families."""
    made = {
        "clustered": _clustered, "own": _own, "shared": _shared, "labels": _labels, "several": _several,
        "seeds": _seeds, "unscored": _unscored, "sampled": _sampled, "groups": _groups, "single": _single,
    }  # fmt: skip
    for family in FAMILIES:
        yield from made[family]()
        yield from (cell for cell in WORST if cell.family == family)


def _single() -> Iterator[Cell]:
    for n, (base, back), margin in product((100, 320), CHANGES, MARGINS):
        yield Cell("single", n, base, back, margin)
    for (i, n), (c, (base, back)) in product(enumerate((1000, 3000)), enumerate(CHANGES)):
        yield Cell("single", n, base, back, MARGINS[(i + c) % 3])


def _clustered() -> Iterator[Cell]:
    for size, (j, flips) in product((2, 10), enumerate(get_args(Flips))):
        for (i, n), (c, (base, back)) in product(enumerate((100, 320, 1000)), enumerate(FEW_CHANGES)):
            samples, chance = ((1, 1.0), (5, 1.0), (5, 0.5))[(i + 2 * j + c) % 3]
            yield Cell(
                "clustered", n, base, back, MARGINS[(i + j + c) % 3], size, flips, samples=samples, chance=chance
            )


def _sampled() -> Iterator[Cell]:
    for (i, n), (c, (base, back)), chance in product(enumerate((100, 320, 1000)), enumerate(FEW_CHANGES), (1.0, 0.5)):
        if not (chance == 1.0 and c == 2):
            yield Cell("sampled", n, base, back, MARGINS[(i + c) % 3], samples=5, chance=chance)


def _unscored() -> Iterator[Cell]:
    for (i, n), base, size, lost in product(enumerate((320, 1000)), (0.0, 0.1), (1, 2), get_args(Lost)[1:]):
        yield Cell("unscored", n, base, base / 5, MARGINS[1 + (i + size) % 2], size, lost=lost)


def _shared() -> Iterator[Cell]:
    for (i, n), (j, base), (c, judge) in product(enumerate((320, 1000)), enumerate((0.0, 0.1, 0.3)), enumerate(ALIKE)):
        size, samples = ((1, 1), (2, 1), (1, 5))[(i + j + c) % 3]
        margin = MARGINS[(i + 2 * j + c) % 3]
        yield Cell("shared", n, base, base / 5, margin, size, _turn(c), samples, judge=(*judge, *judge), labels=300)


def _own() -> Iterator[Cell]:
    for (j, base), (c, judge), labels in product(enumerate((0.0, 0.1, 0.3)), enumerate(APART), (100, 300)):
        n = (320, 1000)[(j + c + labels // 200) % 2]
        size, samples = ((1, 1), (2, 1), (1, 5))[(j + c) % 3]
        yield Cell(
            "own", n, base, base / 5, MARGINS[(2 * j + c) % 3], size, _turn(c), samples, judge=judge, labels=labels
        )


def _labels() -> Iterator[Cell]:
    pairs = (APART[0], APART[1], (*ALIKE[2], *ALIKE[2]))
    for (j, base), (c, judge), labels in product(enumerate((0.0, 0.1, 0.3)), enumerate(pairs), (100, 300)):
        n = (320, 1000)[(j + c + labels // 200) % 2]
        size, samples = ((1, 1), (2, 1), (1, 5))[(2 * j + c) % 3]
        yield Cell(
            "labels", n, base, base / 5, MARGINS[(j + c) % 3], size, _turn(c), samples, judge=judge, labels=labels
        )


def _turn(at: int) -> Flips:
    return "whole" if at == 1 else "single"


def _several() -> Iterator[Cell]:
    for (i, n), (base, back), size in product(enumerate((100, 320, 1000)), ((0.0, 0.0), (0.1, 0.02)), (1, 2)):
        yield Cell("several", n, base, back, MARGINS[(i + size) % 3], size, metrics=5)


def _seeds() -> Iterator[Cell]:
    for (i, n), seeds, (j, spread), alike in product(
        enumerate((320, 1000)), (5, 10), enumerate((0.0, 0.01, 0.02)), (False, True)
    ):
        base = (0.0, 0.1)[(i + j) % 2]
        yield Cell("seeds", n, base, base / 5, MARGINS[1 + (i + j) % 2], seeds=seeds, spread=spread, alike=alike)


def _groups() -> Iterator[Cell]:
    for (i, n), size, uneven, groups in product(enumerate((320, 1000)), (1, 2), (False, True), (4, 8)):
        margin = 0.03 if groups == 4 else 0.02
        yield Cell("groups", n, 0.1 * i, 0.02 * i, margin, size, groups=groups, uneven=uneven)
