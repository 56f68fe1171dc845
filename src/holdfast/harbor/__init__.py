"""Builds Harbor's checkpoints and finds them again."""

from holdfast.harbor.build import Progress
from holdfast.harbor.checkpoints import (
    CARD,
    NAMES,
    PACKAGED,
    HarborName,
    cache,
    harbor_name,
    is_harbor,
    locate,
    rebuild,
    verify,
    world_of,
)
from holdfast.harbor.recipe import SHAPES, BuildRecipe, Size, Stage, recipe_for
from holdfast.harbor.sources import harbor_sources, policy_of, to_example

__all__ = [
    "CARD",
    "NAMES",
    "PACKAGED",
    "SHAPES",
    "BuildRecipe",
    "HarborName",
    "Progress",
    "Size",
    "Stage",
    "cache",
    "harbor_name",
    "harbor_sources",
    "is_harbor",
    "locate",
    "policy_of",
    "rebuild",
    "recipe_for",
    "to_example",
    "verify",
    "world_of",
]
