"""Words on the command line → what an audit is given: rows, encoder, guard, a model's view, restored ids."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from socket import create_connection

import numpy as np

from holdfast.audit import Nearness, TrainingView
from holdfast.cli.console import Stages
from holdfast.cli.resolve import find_model
from holdfast.data import Dataset, read_all
from holdfast.errors import ConfigError, DataError
from holdfast.harbor import cache
from holdfast.judges import EndpointGuard, Guard, LocalGuard, Remembered
from holdfast.store import Journal, digest, digest_files, read_json
from holdfast.vectors import encoder_named
from holdfast.workers import Here, OnRay, Threads, Workers

ENDPOINT = "endpoint:"
REACH = 5.0
"""Seconds in which a cluster must answer."""
VERDICTS = "verdicts"


@dataclass(frozen=True, slots=True)
class GuardWords:
    """A guard as it was named."""

    name: str
    """`endpoint:MODEL@URL`, or a model's folder, hub id or Harbor name."""
    style: str | None
    send: bool
    """Whether the user said that rows may leave this machine."""


def datasets_of(names: Sequence[str], row_format: str, progress: Stages) -> list[Dataset]:
    """Every data set of the files, folders and hub ids that were named."""
    found: list[Dataset] = []
    places: dict[Path, str] = {}
    for at, name in enumerate(names):
        progress("reading", at, len(names))
        found += read_all(name, row_format)
    for each in found:
        place = Path(each.name).resolve()
        if place in places and place.is_file():
            raise DataError(f"{each.name!r} and {places[place]!r} are one file.", "", "Name it once.")
        places[place] = each.name
    progress("reading", len(names), len(names))
    return found


def digest_of(sets: Sequence[Dataset]) -> str:
    """What was read: the files' digest, and the names of what is no file."""
    files = [path for dataset in sets if (path := Path(dataset.name)).is_file()]
    others = [dataset.name for dataset in sets if not Path(dataset.name).is_file()]
    return " ".join([digest_files(files), *others])


def nearness_of(encoder: str, threshold: float, floor: float | None, rng: np.random.Generator | None) -> Nearness:
    """The encoder and the cosines that count.

    Raises:
        ConfigError: a number that is no cosine, or an unknown encoder.
    """
    low = min(threshold, Nearness().floor) if floor is None else floor
    wrong = [
        f"{name} = {value:g}" for name, value in (("--threshold", threshold), ("--floor", low)) if not 0 < value < 1
    ]
    wrong += [f"--floor = {low:g} above --threshold = {threshold:g}"] if low > threshold else []
    if wrong:
        raise ConfigError(f"No such cosine: {'; '.join(wrong)}.", "It lies between 0 and 1.", "For example 0.9.")
    return Nearness(encoder_named(encoder), threshold, low, rng)


def guard_of(words: GuardWords | None, stages: Stages) -> Guard | None:
    """The guard; it remembers its verdicts in the cache, so that none is paid for twice."""
    if words is None:
        return None
    guard: EndpointGuard | LocalGuard
    if words.name.startswith(ENDPOINT):
        model, at, url = words.name.removeprefix(ENDPOINT).partition("@")
        if not (model and at and url):
            raise ConfigError(
                f"{words.name!r} names no endpoint.", "It needs a model and an address.",
                "--guard endpoint:MODEL@http://HOST:PORT/v1",
            )  # fmt: skip
        guard = EndpointGuard(model, url, words.send, words.style)
    else:
        from holdfast.models import load

        found = find_model(words.name, 0, stages)
        guard = LocalGuard(load(found.folder, found.base, name=found.name), words.style)
    return Remembered(guard, Journal(cache() / VERDICTS / f"{digest(guard.name)[:32]}.jsonl"))


def view_of(model: str | None, max_length: int, serving: str | None, stages: Stages) -> TrainingView | None:
    """A model's tokenizer and template, with how it will be tuned and served."""
    if model is None:
        if serving is not None:
            raise ConfigError("--serving says how a model is asked, and none was named.", "", "Add --model MODEL.")
        return None
    from holdfast.models import read_tokenizer

    found = find_model(model, 0, stages)
    folder = found.base or found.folder
    reads = (
        read_json(folder / "config.json").get("max_position_embeddings") if (folder / "config.json").exists() else None
    )
    most = min(max_length, reads) if isinstance(reads, int) else max_length
    return TrainingView(found.name, read_tokenizer(folder), most, serving)


def restored_ids(path: Path | None, sets: Sequence[Dataset]) -> frozenset[str]:
    """The row ids in a file, one a line; empty lines and lines that begin with # say nothing.

    Raises:
        DataError: the file is missing, or names a row that was not read.
    """
    if path is None:
        return frozenset()
    if not path.is_file():
        raise DataError(f"There is no file {str(path)!r}.", "It should hold a row's id a line.", "Check --restore.")
    lines = (line.strip() for line in path.read_text(encoding="utf-8-sig", errors="surrogateescape").split("\n"))
    wanted = [line for line in lines if line and not line.startswith("#")]
    known = {row.id for dataset in sets for row in dataset.examples}
    known |= {fault.id for dataset in sets for fault in dataset.faults}
    if wrong := [name for name in wanted if name not in known]:
        raise DataError(
            f"{str(path)!r} names {len(wrong)} {'row that was' if len(wrong) == 1 else 'rows that were'} not read:"
            f" {', '.join(wrong[:3])}.",
            f"Near it: {', '.join(get_close_matches(wrong[0], known)) or 'none'}." if len(known) < 10_000 else "",
            "Ids stand in quarantine.jsonl, as the data was named there.",
        )
    return frozenset(wanted)


def workers_of(ray: str | None, jobs: int | None) -> Workers:
    """Threads of this process, or tasks on Ray."""
    if ray is not None:
        return OnRay.started(None if ray == "local" else _reached(ray))
    count = jobs or os.cpu_count() or 1
    return Threads(count) if count > 1 else Here()


def _reached(address: str) -> str:
    """The address of a cluster that answers: Ray itself would wait for one for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        if address != "auto":
            create_connection((host, int(port)), timeout=REACH).close()
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"No Ray cluster answers at {address!r}.", f"{error}.", "Give HOST:PORT of its head, or --ray local."
        ) from error
    return address
