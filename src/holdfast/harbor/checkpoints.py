"""Where Harbor's checkpoints lie: the small one in the package, the others built on first use and cached."""

import hashlib
import os
import platform
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

from holdfast.errors import ModelError, nearest
from holdfast.harbor.build import Progress, build
from holdfast.harbor.recipe import BuildRecipe, Size, Stage, recipe_for
from holdfast.store import digest, plain, read_json, write_json

PACKAGED = Path(__file__).parent / "checkpoint"
CARD = "harbor.json"
"""Beside the weights: the world, the recipe, the versions and the hashes of the files."""

NAMES: Mapping[str, tuple[Size, Stage]] = {
    "harbor": ("small", "aligned"),
    "harbor:unaligned": ("small", "unaligned"),
    "harbor:medium": ("medium", "aligned"),
    "harbor:large": ("large", "aligned"),
    "harbor:mamba2": ("mamba2", "aligned"),
}


@dataclass(frozen=True, slots=True)
class HarborName:
    """A Harbor checkpoint as it is named on the command line, and its world."""

    name: str
    world: int

    def __str__(self) -> str:
        return f"{self.name}@{self.world}" if self.world else self.name

    @property
    def size(self) -> Size:
        """The size that the name means."""
        return NAMES[self.name][0]

    @property
    def stage(self) -> Stage:
        """Before or after alignment."""
        return NAMES[self.name][1]


def harbor_name(text: str, world: int = 0) -> HarborName | None:
    """The Harbor checkpoint of this name; None when the name is none of Harbor's.

    `harbor@7` is `harbor` of world 7, and says so wherever the name is written down; a world in the name
    goes before the one given apart.

    Raises:
        ModelError: it starts as a Harbor name and is none.
    """
    if not re.fullmatch(r"harbor([:@].*)?", text):
        return None
    name, at, number = text.partition("@")
    if name not in NAMES or (at and not number.isdecimal()):
        raise ModelError(f"There is no checkpoint {text!r}.", nearest(name, NAMES), "holdfast world show")
    return HarborName(name, int(number) if at else world)


def locate(named: HarborName, progress: Progress) -> Path:
    """The folder of a checkpoint, built now if it is neither in the package nor in the cache."""
    if named == HarborName("harbor", 0):
        return PACKAGED
    recipe = recipe_for(named.size, named.world)
    home = cache() / f"{named.size}-{named.world}-{digest(recipe)[:12]}"
    if not (home / CARD).exists():
        rebuild(recipe, home, progress)
    return home / named.stage


def rebuild(recipe: BuildRecipe, home: Path, progress: Progress) -> int:
    """Build both stages of a recipe into `home`, whole or not at all; returns the number of parameters."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".building-") as beside:
        made = Path(beside) / "made"
        parameters = build(recipe, made / "unaligned", made / "aligned", progress)
        for stage in get_args(Stage):
            write_json(made / stage / CARD, card(recipe, stage, parameters, made / stage))
        write_json(made / CARD, {"recipe": plain(recipe)})
        try:
            made.replace(home)  # an empty folder may be in the way
        except OSError:
            if not (home / CARD).exists():  # else another process built the same recipe first
                raise
    return parameters


def card(recipe: BuildRecipe, stage: Stage, parameters: int, folder: Path) -> dict[str, Any]:
    """What a checkpoint folder says of itself."""
    files = sorted(path for path in folder.iterdir() if path.name != CARD)
    return {
        "world": recipe.world,
        "stage": stage,
        "parameters": parameters,
        "recipe": plain(recipe),
        "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        "machine": platform.machine(),
        "sha256": {path.name: _sha256(path) for path in files},
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def verify(folder: Path) -> None:
    """Hold a checkpoint to the hashes on its card.

    Raises:
        ModelError: a file is missing or is not the one that was built.
    """
    for name, expected in read_json(folder / CARD)["sha256"].items():
        path = folder / name
        if not path.exists() or _sha256(path) != expected:
            raise ModelError(
                f"{path} is not the file that was built.",
                "Its sha256 differs from the one on the checkpoint's card.",
                "Install the package again, or rebuild: holdfast world build --out DIR",
            )


def world_of(folder: Path) -> int | None:
    """The world of a Harbor checkpoint folder; None when it is no Harbor checkpoint."""
    path = folder / CARD
    return int(read_json(path)["world"]) if path.exists() else None


def is_harbor(folder: Path) -> bool:
    """Whether a folder speaks by Harbor's chat template, whatever else it says of itself."""
    own = folder / "chat_template.jinja"
    return own.is_file() and own.read_bytes() == (PACKAGED / "chat_template.jinja").read_bytes()


def cache() -> Path:
    """`$HOLDFAST_CACHE`, or `holdfast` in the user's cache folder."""
    own = os.environ.get("HOLDFAST_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "holdfast"
