"""Names → models that answer: each found before any is loaded, and each network loaded once."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from holdfast.cli.console import Stages
from holdfast.cli.measure import Reading, opened
from holdfast.cli.resolve import Found, find_tuned
from holdfast.cli.serving import Serving, check_served, find_served
from holdfast.models import LocalModel, Model, ServedModel


def open_models(
    names: Sequence[str], world: int | None, serving: Serving, reading: Reading, progress: Stages
) -> list[Model]:
    """The models of one name or of two, in their order; an adapter goes on the first, where it was made on that.

    Raises:
        ConfigError: what is said of served models, or of how weights are read, does not fit them.
        ModelError: a name is no model, or its folder does not load.
    """
    served = [find_served(name, world, serving) for name in names]
    check_served(serving, served, (), reading != Reading())
    found: list[Found | ServedModel] = []
    for name, there in zip(names, served, strict=True):
        before = next((each for each in found if isinstance(each, Found)), None)
        found.append(there.model if there else find_tuned(name, before, world or 0, progress))
    progress("loading", 0, len(found))
    models = _loaded(found, reading)
    progress("loading", len(found), len(found))
    return models


def _loaded(found: Sequence[Found | ServedModel], reading: Reading) -> list[Model]:
    match found:
        case [Found() as first, Found() as second]:
            return [*_pair(first, second, reading)]
        case _:
            return [opened(each, reading) if isinstance(each, Found) else each for each in found]


def _pair(first: Found, second: Found, reading: Reading) -> tuple[LocalModel, LocalModel]:
    """Two models; one that is named twice, and a base and an adapter on it, as one network."""
    (folder, base), (other, below) = _folders(first), _folders(second)
    if (folder, base) == (other, below):
        model = opened(first, reading)
        return model, replace(model, name=second.name)
    if below == folder and base is None:
        return _both(first, second, reading)
    if base == other and below is None:
        model, tuned = _both(second, first, reading)
        return tuned, model
    return opened(first, reading), opened(second, reading)


def _both(base: Found, adapter: Found, reading: Reading) -> tuple[LocalModel, LocalModel]:
    from holdfast.models import load_both

    names = (base.name, adapter.name)
    return load_both(base.folder, adapter.folder, reading.place, names, dtype=reading.dtype, bits=reading.bits)


def _folders(found: Found) -> tuple[Path, Path | None]:
    """A model's folder, and that of its base where it is an adapter."""
    return found.folder.resolve(), found.base.resolve() if found.base else None
