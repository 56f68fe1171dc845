"""What a recipe is: a way to fine-tune, in at most three moves. Knows neither TRL nor any one recipe."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.data import Example
from holdfast.mix import Mixture, Sources
from holdfast.tune.settings import Settings

Before = Callable[[Any, Sequence[Example], Sources, int], Mixture]
"""(settings, examples, sources, seed) -> what is trained on."""

During = Callable[[Any], Sequence[Any]]
"""settings -> transformers `TrainerCallback`s that act on each step."""

After = Callable[[Any, Any], None]
"""(settings, network) -> nothing: changes the trained weights in place, before they are saved."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A way to fine-tune. A move that a recipe does not make is None."""

    name: str
    says: str
    """One sentence: what it does."""
    settings: type[Settings] = Settings
    """What can be set, each with a docstring. Strengths are at least 0, and at 0 the recipe is `plain`."""
    before: Before | None = None
    during: During | None = None
    after: After | None = None
    paper: str = ""
    """Where it was published."""
