"""Runs what is missing and nothing else: a cell is a folder that says what was asked and, last of all, what came out.

Does not know what a cell computes.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from holdfast.store import RESULT, claim, plain, read_json, write_json

Cell = Callable[[Path], Any]
"""Does the work, given the cell's folder; what it returns becomes `result.json`."""


def run_cell(folder: Path, asked: Mapping[str, Any], work: Cell) -> Any:
    """The cell's result as plain JSON: read if it is there, computed and then written if it is not.

    A kill at any moment leaves either no result or a whole one; `asked` decides whether it is the same cell.

    Raises:
        OutputError: the folder holds a cell that was asked for something else.
    """
    if not claim(folder, asked):
        write_json(folder / RESULT, plain(work(folder)))
    return read_json(folder / RESULT)
