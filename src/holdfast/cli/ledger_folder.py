"""The ledger's folder: a line a release, and beside it what was kept of each measurement, every file by its digest.

A measurement is written before the line that names it, so a kill leaves at most a file that no line names.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from holdfast.compare import Side
from holdfast.errors import DataError, OutputError
from holdfast.judges.calibrated import Calibration, calibration_json, load_calibration
from holdfast.ledger import Entry, keep, read_entries, restore, to_line
from holdfast.store import Journal, alone, digest, plain, write_jsonl, write_text

LINES, MEASURED, PROMPTS, CALIBRATIONS = "ledger.jsonl", "measured", "prompts", "calibrations"
UNKEPT = ".lock\n.*.jsonl.*\n"
"""What no commit should hold: the lock, and what a kill leaves of a file that was being written."""
WAIT = 30.0
"""Seconds that an `add` waits for another one to end."""


class LedgerFolder:
    """What stands on the disk, as the ledger's room asks for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._taken: dict[tuple[str, str], list[Any]] = {}

    @property
    def exists(self) -> bool:
        """Whether anything was ever added."""
        return (self.folder / LINES).is_file()

    def read(self) -> tuple[list[Entry], list[str]]:
        """The entries, and everything that does not fit its digest."""
        try:
            lines = list(Journal(self.folder / LINES).rows())
        except RecursionError:
            return [], [f"{self.folder / LINES} holds a line that is nested too deep to be read."]
        entries, faults = read_entries(lines)
        return entries, [*faults, *self._faults(entries)]

    def _faults(self, entries: Sequence[Entry]) -> Iterator[str]:
        whole: dict[str, bool] = {}
        for entry in entries:
            try:
                rows = self._rows(MEASURED, entry.measurement)
                for row in rows[1:]:
                    if row["prompts"] not in whole:
                        self._rows(PROMPTS, row["prompts"])
                        whole[row["prompts"]] = True
                self.calibrations(entry)
            except DataError as error:
                yield f"{entry.release}: {error.what}"

    def side(self, entry: Entry) -> Side:
        """What was kept of an entry's measurement.

        Raises:
            DataError: a file is missing, or is not as it was written.
        """
        return self._side(entry.model, entry.measurement)

    def _side(self, name: str, measurement: str) -> Side:
        return restore(name, self._rows(MEASURED, measurement), lambda table: self._rows(PROMPTS, table))

    def calibrations(self, entry: Entry) -> Sequence[Calibration]:
        """Those that were given with an entry.

        Raises:
            DataError: a file is missing, or is not as it was written.
        """
        return [load_calibration(sha256, self._rows(CALIBRATIONS, sha256)[0]) for sha256 in entry.calibrations]

    def _file(self, kind: str, sha256: str) -> Path:
        return self.folder / kind / f"{sha256}.jsonl"

    def _rows(self, kind: str, sha256: str) -> list[Any]:
        if (kind, sha256) in self._taken:
            return self._taken[kind, sha256]
        path, mend = self._file(kind, sha256), "Bring the folder back as it was, from git or a copy."
        if not path.is_file():
            raise DataError(f"{str(path)!r} is missing.", "The ledger names it.", mend)
        try:
            rows = list(Journal(path).rows())
        except RecursionError:
            rows = []
        if digest(rows) != sha256:
            raise DataError(
                f"{str(path)!r} is not as it was written.", "Its content does not fit the digest that names it.", mend
            )
        return rows

    def take(self, side: Side) -> tuple[str, Side]:
        """What will be kept of a side once a line names it: its digest, and what comes back of it."""
        kept = keep(side)
        self._taken |= {(PROMPTS, sha256): table for sha256, table in kept.prompts.items()}
        self._taken[MEASURED, kept.digest] = kept.rows
        return kept.digest, self._side(side.name, kept.digest)

    def take_calibrations(self, given: Sequence[Calibration]) -> dict[str, Calibration]:
        """Calibrations by digest, to be kept once a line names them."""
        found = {}
        for calibration in given:
            rows = [plain(calibration_json(calibration))]
            self._taken[CALIBRATIONS, digest(rows)] = rows
            found[digest(rows)] = calibration
        return found

    def append(self, entries: Sequence[Entry]) -> None:
        """Keep what was taken, then add the lines that name it.

        Raises:
            OutputError: the disk refuses it.
        """
        write_text(self.folder / ".gitignore", UNKEPT)
        for (kind, sha256), rows in self._taken.items():
            write_jsonl(self._file(kind, sha256), rows)
        Journal(self.folder / LINES).append([to_line(entry) for entry in entries])

    @contextmanager
    def alone(self, wait: float = WAIT) -> Iterator[None]:
        """Be the only one that adds; another `add` is waited for.

        Raises:
            OutputError: it is a file, or another `add` does not end.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise OutputError(f"{str(self.folder)!r} is a file.", "A ledger is a folder.", "Give another --ledger.")
        self.folder.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + wait
        with ExitStack() as held:
            while True:
                try:
                    held.enter_context(alone(self.folder))
                    break
                except OutputError as error:
                    if time.monotonic() > until:
                        raise OutputError(
                            f"Another `ledger add` is at work in {str(self.folder)!r}.",
                            f"It did not end in {wait:g} seconds.",
                            "Run this one again when it has.",
                        ) from error
                    time.sleep(0.1)
            yield
