"""Words on the command line → things: models, worlds, suites, output folders."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.cli.console import Stages, err
from holdfast.cli.suites import Judging, suites_of
from holdfast.endpoint import ENDPOINT, read_endpoint
from holdfast.errors import ModelError
from holdfast.harbor import harbor_name, locate, world_of
from holdfast.measure import Suite
from holdfast.models import ADAPTER, CARD, ServedModel, digest_weights, is_adapter, named_base, read_card
from holdfast.store import digest


@dataclass(frozen=True, slots=True)
class Found:
    """A model that was named and found."""

    name: str
    folder: Path
    base: Path | None
    """The base's folder when `folder` holds an adapter."""
    world: int | None
    """Its Harbor world; None for any other model."""


@dataclass(frozen=True, slots=True)
class Served:
    """A model behind an endpoint that was named."""

    model: ServedModel
    world: int | None
    """The Harbor world that it is said to know; None where none is said."""

    @property
    def name(self) -> str:
        """As it was named."""
        return self.model.name


def find_model(name: str, world: int, stages: Stages) -> Found:
    """The model of this name: Harbor's, a local folder, or a hub id.

    Raises:
        ModelError: nothing of that name is a model.
    """
    if name.startswith(ENDPOINT):
        raise ModelError(
            f"The model {read_endpoint(name)[0]!r} is served, and this needs its files.",
            "A server gives answers; its weights and its tokenizer cannot be seen.",
            "Give a folder, a hub id or a Harbor name; `measure`, `check` and `ask` take endpoints.",
        )
    harbor = harbor_name(name, world)
    if harbor:
        return Found(str(harbor), locate(harbor, stages), None, harbor.world)
    folder = Path(name)
    if folder.exists():
        return _adapter(name, folder, stages) if is_adapter(folder) else _whole(name, folder)
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return _from_hub(name)
    raise ModelError(
        f"There is no model {name!r}.",
        "It is no folder here, no Harbor name and no hub id (owner/name).",
        "holdfast world show  lists Harbor's names.",
    )


def find_tuned(name: str, before: Found | None, world: int, stages: Stages) -> Found:
    """As `find_model`; but an adapter that was made on the model `before`, or whose own base is nowhere here and not
    known by its weights, is one on that model. Told aloud where the two do not say the same.

    Raises:
        ModelError: as `find_model`.
    """
    folder = Path(name)
    if not before or not is_adapter(folder) or is_adapter(before.folder):
        return find_model(name, world, stages)
    card = read_card(folder)
    named = card["base"] if card else named_base(folder)
    on_before = Found(name, folder, before.folder, before.world)
    if named == before.name or (Path(named).is_dir() and Path(named).samefile(before.folder)):
        return on_before  # whether it still is that model is looked at when it is read
    if card and card["base_weights"] == digest_weights(before.folder):
        return on_before
    if not card and not Path(named).is_dir():
        err.print(f"The base of {name}, {named!r}, is not here: {before.name} is taken for it.", markup=False)
        return on_before
    found = find_model(name, world, stages)
    err.print(f"{name} is an adapter on {named!r}, and measured on that and not on {before.name}.", markup=False)
    return found


def _whole(name: str, folder: Path) -> Found:
    """A whole model; one that `tune` wrote is of its base's world, whether or not that base is still there."""
    return Found(name, folder, None, _world(folder))


def _world(folder: Path) -> int | None:
    passed: set[Path] = set()
    while (card := read_card(folder)) and (place := folder.resolve()) not in passed:
        passed.add(place)
        if harbor := harbor_name(card["base"]):
            return harbor.world
        folder = Path(card["base"])
    return world_of(folder) if folder.is_dir() else None


def _adapter(name: str, folder: Path, stages: Stages) -> Found:
    """An adapter: its base stands on the card that `tune` wrote, or in PEFT's own file."""
    card = read_card(folder)
    named = card["base"] if card else named_base(folder)
    try:
        if is_adapter(Path(named)):
            raise ModelError("That is an adapter itself.")
        base = find_model(named, 0, stages)
    except ModelError as error:
        check = f"holdfast check BASE {name}  finds a base that was moved; or write " if card else "Write "
        where = f"`base` in {folder / CARD}" if card else f"`base_model_name_or_path` in {folder / ADAPTER}"
        raise ModelError(
            f"{name!r} is an adapter, and its base {named!r} is not here.",
            " ".join(part for part in (error.what, error.why) if part),
            f"{check}where the base is as {where}",
        ) from error
    return Found(name, folder, base.folder, base.world)


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


def find_suites(words: Sequence[str], found: Found | Served, judging: Judging | None = None) -> list[Suite]:
    """The suites that these words name for this model: see `suites_of`."""
    return suites_of(words, found.name, found.world, judging or Judging())


def out_folder(given: Path | None, verb: str, name: str, asked: Any) -> Path:
    """The folder that was given, or one under `runs/` whose name follows from what was asked."""
    return given or Path("runs") / f"{verb}--{Path(name).stem.replace(':', '-')}--{digest(asked)[:8]}"
