"""Fine-tuning by a recipe: what is mixed in before, what acts during, what is done to the weights after.

A recipe is one file here and one line in `RECIPES`. Does not measure.
"""

from holdfast.errors import ConfigError, nearest
from holdfast.models import CARD
from holdfast.tune.card import Base, Card
from holdfast.tune.fit import Step
from holdfast.tune.plain import PLAIN
from holdfast.tune.plan import Plan, plan
from holdfast.tune.recipe import After, Before, During, Recipe
from holdfast.tune.safety_mix import SAFETY_MIX, SafetyMix
from holdfast.tune.screen import Quarantined
from holdfast.tune.settings import Settings, Training
from holdfast.tune.tuning import Tuned, tune

RECIPES: tuple[Recipe, ...] = (PLAIN, SAFETY_MIX)


def find_recipe(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        ConfigError: there is none; it names the nearest.
    """
    for recipe in RECIPES:
        if recipe.name == name:
            return recipe
    known = [recipe.name for recipe in RECIPES]
    raise ConfigError(f"There is no recipe {name!r}.", nearest(name, known), "See them:  holdfast ls recipes")


__all__ = [
    "CARD",
    "PLAIN",
    "RECIPES",
    "SAFETY_MIX",
    "After",
    "Base",
    "Before",
    "Card",
    "During",
    "Plan",
    "Quarantined",
    "Recipe",
    "SafetyMix",
    "Settings",
    "Step",
    "Training",
    "Tuned",
    "find_recipe",
    "plan",
    "tune",
]
