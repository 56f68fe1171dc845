"""A side of the comparison, read from a CSV table that any tool can write. Knows nothing of models."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from holdfast.compare.results import BadIs, Metric, Row, Side
from holdfast.errors import DataError

NEEDED = ("prompt_id", "sample", "value")
OPTIONAL = ("metric", "cluster", "group")
FAULTS_SHOWN = 5
MEND = (
    "Write one line per sample: prompt_id,sample,value[,metric][,cluster][,group], with value from 0 to 1 "
    "and left empty where an answer could not be scored."
)


def read_csv(path: Path, bad_is: BadIs = "high") -> Side:
    """Read `prompt_id,sample,value[,metric][,cluster][,group]`; without that column the metric is `value`.

    A value is a number from 0 to 1, or empty when the answer could not be scored; `bad_is` says which end is
    bad, for all metrics of the file. Other columns and a byte-order mark are ignored.

    Raises:
        DataError: no such file, not CSV in UTF-8, a missing column, no rows, or bad lines (the first five are
            named with their column); a sample of a prompt that appears twice is one.
    """
    metrics: dict[str, dict[tuple[str, int], Row]] = {}
    faults = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, header, cells in _lines(file, path):
                try:
                    _add(metrics, _named(header, cells))
                except ValueError as fault:
                    faults.append(f"line {line}: {fault}")
    except OSError as error:
        raise DataError(f"{str(path)!r} cannot be read.", str(error.strerror), "Give a CSV file.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{str(path)!r} is not a CSV file in UTF-8.", str(error), MEND) from error
    if faults:
        more = [f"and {len(faults) - FAULTS_SHOWN} more"] if len(faults) > FAULTS_SHOWN else []
        why = "\n  ".join([*faults[:FAULTS_SHOWN], *more])
        raise DataError(f"{str(path)!r} has lines that cannot be used.", why, MEND)
    if not metrics:
        raise DataError(f"{str(path)!r} has a header and no rows.", "There is nothing to compare.", MEND)
    found = {
        name: Metric(name, f"mean of {name} in {path.name}", bad_is, tuple(rows.values()), {})
        for name, rows in metrics.items()
    }
    return Side(path.stem, "", "", found)


def _lines(file: TextIO, path: Path) -> Iterator[tuple[int, list[str], list[str]]]:
    """Each record's last line number, the columns and the record's cells."""
    reader = csv.reader(file, strict=True)
    header = [name.strip() for name in next(reader, [])]
    faults = [f"column {name!r} is missing" for name in NEEDED if name not in header]
    faults += [f"column {name!r} is there twice" for name in (*NEEDED, *OPTIONAL) if header.count(name) > 1]
    if faults:
        why = f"The first line has {', '.join(map(repr, header)) or 'nothing'}."
        raise DataError(f"{str(path)!r}, line 1: {'; '.join(faults)}.", why, MEND)
    for cells in reader:
        if cells:
            yield reader.line_num, header, [cell.strip() for cell in cells]


def _named(header: list[str], cells: list[str]) -> dict[str, str]:
    # A line too long is most often a decimal comma, and one too short a file that was cut off.
    if len(cells) != len(header):
        raise ValueError(f"it has {len(cells)} cells, the header {len(header)}: {', '.join(header)}")
    return dict(zip(header, cells, strict=True))


def _add(metrics: dict[str, dict[tuple[str, int], Row]], cells: dict[str, str]) -> None:
    prompt, sample, value = cells["prompt_id"], cells["sample"], cells["value"]
    if not prompt:
        raise ValueError("prompt_id is empty")
    if not (sample.isascii() and sample.isdigit()):
        raise ValueError(f"sample is {sample!r}, not a whole number from 0")
    metric, key = cells.get("metric") or "value", (prompt, int(sample))
    rows = metrics.setdefault(metric, {})
    if key in rows:
        raise ValueError(f"prompt_id {prompt!r}, sample {sample} of {metric!r} is there twice")
    rows[key] = Row(*key, _value(value), cells.get("cluster", ""), cells.get("group", ""))


def _value(cell: str) -> float | None:
    if not cell:
        return None
    try:
        number = float(cell)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise ValueError(f"value is {cell!r}, not a number from 0 to 1")
    return number
