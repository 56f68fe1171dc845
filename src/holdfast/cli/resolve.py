"""Words on the command line → things: models, worlds, suites, output folders."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.cli.console import Stages
from holdfast.errors import ConfigError, ModelError, nearest
from holdfast.harbor import harbor_name, locate, world_of
from holdfast.measure import SUITES, Suite
from holdfast.store import digest, read_json
from holdfast.tune import CARD
from holdfast.world import make_world


@dataclass(frozen=True, slots=True)
class Found:
    """A model that was named and found."""

    name: str
    folder: Path
    base: Path | None
    """The base's folder when `folder` holds an adapter."""
    world: int | None
    """Its Harbor world; None for any other model."""


def find_model(name: str, world: int, stages: Stages) -> Found:
    """The model of this name: Harbor's, a local folder, or a hub id.

    Raises:
        ModelError: nothing of that name is a model.
    """
    harbor = harbor_name(name, world)
    if harbor:
        return Found(str(harbor), locate(harbor, stages), None, harbor.world)
    folder = Path(name)
    if folder.exists():
        return _tuned(name, folder, stages) if (folder / CARD).exists() else _plain(name, folder)
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return _from_hub(name)
    raise ModelError(
        f"There is no model {name!r}.",
        "It is no folder here, no Harbor name and no hub id (owner/name).",
        "holdfast world show  lists Harbor's names.",
    )


def _plain(name: str, folder: Path) -> Found:
    return Found(name, folder, None, world_of(folder) if folder.is_dir() else None)


def _tuned(name: str, folder: Path, stages: Stages) -> Found:
    """A folder that `tune` wrote: its base and its world stand on its card."""
    card = read_json(folder / CARD)
    base = find_model(card["base"], 0, stages)
    return Found(name, folder, base.folder if card["kind"] == "lora" else None, base.world)


def _from_hub(name: str) -> Found:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError as missing:
        raise ModelError(f"{name!r} is a hub id.", str(missing), "pip install 'holdfast[tune]'") from missing
    try:
        # Weights as safetensors, configuration and tokenizer; never a pickle, never code.
        wanted = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt"]
        return Found(name, Path(snapshot_download(name, allow_patterns=wanted)), None, None)
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"The model {name!r} could not be fetched from the hub.",
            str(error).splitlines()[0],
            "Check the name and the connection, or give a local folder.",
        ) from error


def find_suites(names: Sequence[str], found: Found) -> list[Suite]:
    """The suites of these names for this model; all of Harbor's when none is named.

    Raises:
        ConfigError: a name is no suite, or the suite is Harbor's and the model is not.
    """
    known = {suite.name: suite for suite in SUITES}
    wrong = [name for name in names if name not in known]
    if wrong:
        raise ConfigError(
            f"There is no suite {', '.join(map(repr, wrong))}.", nearest(wrong[0], known), "holdfast ls suites"
        )
    if found.world is None:
        raise ConfigError(
            f"Harbor's suites ask about Harbor's world, and {found.name!r} is no Harbor model.",
            "Its answers would mean nothing.",
            "Measure harbor, or a model tuned from it.",
        )
    world = make_world(found.world)
    return [known[name].make(world) for name in names or known]


def out_folder(given: Path | None, verb: str, name: str, asked: Any) -> Path:
    """The folder that was given, or one under `runs/` whose name follows from what was asked."""
    return given or Path("runs") / f"{verb}--{Path(name).stem.replace(':', '-')}--{digest(asked)[:8]}"
