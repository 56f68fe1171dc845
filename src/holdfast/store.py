"""The only room that writes to disk: whole files, journals, run folders, digests.

Does not know what a result means. A file is written beside its place and moved there whole, so a file that
exists is complete, whenever the process was killed.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from holdfast.errors import OutputError

ASKED = "asked.json"
RESULT = "result.json"
LOCK = ".lock"


def plain(value: Any) -> Any:
    """A result as plain JSON values: dataclasses become objects, tuples lists, sets sorted lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def digest(value: Any) -> str:
    """sha256 over a value's canonical JSON."""
    text = json.dumps(plain(value), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_files(paths: list[Path]) -> str:
    """sha256 over the files' names and bytes, in the order of their names."""
    total = hashlib.sha256()
    for path in sorted(paths, key=lambda p: p.name):
        total.update(path.name.encode(errors="surrogateescape"))
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write the file whole or not at all.

    Raises:
        OutputError: the disk refuses it (no right to write, no room, no such place).
    """
    _write(path, (text,))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines as they come, each ended by a line feed: the file is there whole or not at all.

    Bytes that were read as lone surrogates (`surrogateescape`) are written as the bytes that they were.

    Raises:
        OutputError: the disk refuses it.
    """
    _write(path, (f"{line}\n" for line in lines))


def _write(path: Path, parts: Iterable[str]) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        with beside.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.writelines(parts)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OutputError(
            f"{str(path)!r} cannot be written.", f"{error.strerror}.", "Make room for it, or give another --out."
        ) from error


def _sweep(path: Path) -> None:
    """Remove what killed runs left half-written beside the file: their process is gone."""
    for left in path.parent.glob(f".{path.name}.*"):
        owner = left.name.rpartition(".")[2]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists() and Path("/proc").exists():
            left.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, whole or not at all. NaN is refused: a missing number is null."""
    write_text(path, json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_jsonl(path: Path, rows: Iterable[Any]) -> None:
    """Write rows as JSON lines, whole or not at all."""
    write_lines(path, map(json_line, rows))


def json_line(row: Any) -> str:
    """A value as one line of JSON; what is no valid Unicode is escaped, so that the line always is."""
    line = json.dumps(plain(row), ensure_ascii=False)
    return line if _is_unicode(line) else json.dumps(plain(row))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_json(path: Path) -> Any:
    """Read what `write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def claim(folder: Path, asked: Mapping[str, Any]) -> bool:
    """Take an output folder for a run; True when that same run already finished there.

    Raises:
        OutputError: the folder holds another run, or files that are not ours.
    """
    mark, wanted = folder / ASKED, plain(asked)
    if mark.exists():
        there = _asked(mark)
        if there != wanted:
            raise OutputError(
                f"{str(folder)!r} already holds another run.",
                f"It was asked for {_differing(there, wanted)}.",
                "Give another --out, or delete the folder yourself; nothing was overwritten.",
            )
        return (folder / RESULT).exists()
    check_own(folder)
    write_json(mark, wanted)
    return False


def check_own(folder: Path) -> None:
    """Refuse a folder with a user's own files, before anything is computed for it; nothing is written.

    Raises:
        OutputError: it holds files that are not ours.
    """
    if (folder / ASKED).exists():
        return
    if folder.is_file() or (folder.is_dir() and any(map(_foreign, folder.iterdir()))):
        raise OutputError(
            f"{str(folder)!r} is not empty and holds no run of ours.",
            "Writing there could overwrite your files.",
            "Give another --out; nothing was overwritten.",
        )


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only process at work in a claimed folder. The system frees it when the process ends, however it ends.

    Raises:
        OutputError: another process is at work there.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise OutputError(
            f"Another run is at work in {str(folder)!r}.",
            "Two at once would do the same work twice.",
            "Wait for it, or give another --out.",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _asked(mark: Path) -> Mapping[str, Any]:
    try:
        there = read_json(mark)
    except ValueError:
        return {}
    return there if isinstance(there, dict) else {}


def _foreign(path: Path) -> bool:
    """Whether a file is not what a kill leaves of a mark that was being written."""
    return not path.name.startswith(f".{ASKED}.")


def _differing(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    keys = sorted(key for key in there.keys() | wanted.keys() if there.get(key) != wanted.get(key))
    return "; ".join(f"{key} = {there.get(key)!r}, now {wanted.get(key)!r}" for key in keys)


class Journal:
    """Rows kept as they arrive: one JSON line each, flushed, and read back after a kill."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows written so far; a last line that a kill cut short is dropped."""
        if not self.path.exists():
            return
        # A kill may have cut a character in two: such a line is no JSON either.
        for line in self.path.read_text(encoding="utf-8", errors="replace").split("\n"):
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            yield row

    def append(self, rows: list[Any]) -> None:
        """Add rows and push them to the disk before returning."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            cut = end > 0 and file.read(1) != b"\n"
            file.write(b"\n" if cut else b"")
            file.writelines(f"{json_line(row)}\n".encode() for row in rows)
            file.flush()
            os.fsync(file.fileno())
