"""What a person may name as training data: a file, a folder of files, or a data set on the hub."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from holdfast.data.example import Dataset, Fault
from holdfast.data.factory import described
from holdfast.data.formats import Format, format_named
from holdfast.data.read import MarkedError, dataset_of, read_file
from holdfast.data.rows import Broken, Row, Rows, table_row
from holdfast.data.streams import ENDINGS, extra
from holdfast.errors import DataError

ENDS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".feather")
"""What a data file in a folder is called; a file that is named itself may be called anything."""

NOT_DATA = ("asked.json", "audit.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")
"""What the tools that write data folders add to them, an audit as well."""

HUB_ID = re.compile(r"([\w.-]+/[\w.-]+)(?::([\w.\[\]%+:-]+))?")


def read_all(source: str | Path, format: str = "") -> tuple[Dataset, ...]:
    """Read a file, all data files of a folder (its folders too, in the order of their names), or a hub data set.

    In a folder, hidden files and what is not called as data files are (`ENDS`) are passed over, links to
    folders are not followed, and a file with two names is read once. Where a `dataset_info.json` of
    LLaMA-Factory describes a file, it is read by that. `owner/name`, or `owner/name:split`, that is no path
    here is loaded with `datasets`, the split `train` if none is named; no code of the data set is run.

    Raises:
        DataError: as `read`; a folder without a data file, or without one that can be read; a hub id that cannot
            be loaded.
        ConfigError: there is no such format.
    """
    forced = format_named(format) if format else None
    path = Path(source)
    if path.is_dir():
        return _folder(path, forced)
    if hub := _hub_id(str(source)):
        return (read_hub(hub[1], hub[2] or "train", forced, str(source)),)
    return (read_file(path, forced),)


def _folder(folder: Path, forced: Format | None) -> tuple[Dataset, ...]:
    """All files of a folder; one that cannot be read at all is one fault, unless none can."""
    found: list[Dataset] = []
    failed: list[DataError] = []
    for file in _found(folder):
        try:
            found.append(read_file(file, forced or described(file)))
        except MarkedError:
            raise
        except DataError as error:
            failed.append(error)
            fault = Fault(f"{file}:0", 0, f"the file holds no row that can be read: {error.what}", "")
            found.append(Dataset(str(file), "nothing", (), (fault,), "unreadable"))
    if len(failed) == len(found):
        raise failed[0]
    return tuple(found)


def read_together(source: str | Path) -> Dataset:
    """The rows of `read_all` as one data set; their ids still say which file they came from.

    Raises:
        DataError: as `read_all`.
    """
    sets = read_all(source)
    if len(sets) == 1:
        return sets[0]
    return Dataset(
        str(source),
        " + ".join(sorted({each.format for each in sets})),
        tuple(example for each in sets for example in each.examples),
        tuple(fault for each in sets for fault in each.faults),
        "folder",
    )


def read_hub(location: str, split: str = "train", forced: Format | None = None, name: str = "") -> Dataset:
    """One split of what `datasets.load_dataset` finds at a location: a hub id, or a folder of data files.

    Raises:
        DataError: it cannot be loaded, or `datasets` is missing.
    """
    library = extra("datasets", repr(name or location))
    try:
        loaded = library.load_dataset(location, split=split)
    except Exception as error:  # whatever the network, the hub or a file of a stranger's can raise
        raise DataError(
            f"There is no file or folder {name or location!r}, and the hub did not give a data set of that name.",
            f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            "Check the path, or fetch the data set where there is a network and name its folder.",
        ) from error
    rows = Rows("row", "hub data set", _numbered(loaded), tuple(loaded.column_names))
    return dataset_of(name or location, rows, forced)


def _numbered(loaded: object) -> Iterator[Row | Broken]:
    assert hasattr(loaded, "__iter__")
    for number, row in enumerate(loaded, 1):
        yield table_row(number, row)


def _hub_id(source: str) -> re.Match[str] | None:
    """The parts of a hub id, unless it is a path or was meant as one."""
    path = Path(source)
    if path.exists() or path.parent.is_dir() or path.name.lower().endswith((*ENDS, *ENDINGS)):
        return None
    return HUB_ID.fullmatch(source)


def _found(folder: Path) -> list[Path]:
    files = {file.resolve(): file for file in sorted(_walk(folder), reverse=True)}
    if not files:
        raise DataError(f"There is no data file in {str(folder)!r}.", f"Looked for {', '.join(ENDS)}.", "Name a file.")
    return sorted(files.values())


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(place, name)
            bare = file.with_suffix("") if file.suffix.lower() in ENDINGS else file
            wanted = bare.suffix.lower() in ENDS and name not in NOT_DATA and not name.startswith(".")
            if wanted and file.is_file():
                yield file
