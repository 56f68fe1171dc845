"""A file's bytes, piece by piece and line by line, unpacked where it is compressed. Knows nothing of rows."""

import bz2
import gzip
import lzma
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from holdfast.errors import DataError

PIECE = 1 << 18
PACKINGS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
ENDINGS = (".gz", ".gzip", ".bz2", ".xz", ".lzma", ".zst", ".zstd")
"""What compression adds to a name; below it the name may still say CSV."""


class Torn(Exception):
    """The file ends, or cannot be unpacked, in the middle; `held` is what came after the last whole line."""

    def __init__(self, why: str, held: bytes = b"") -> None:
        self.why, self.held = why, held
        super().__init__(f"the file breaks off here: {why}")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be read, from its start and as often as wanted."""

    path: Path
    packing: str
    """`gzip`, `bzip2`, `xz`, `zstd`, or nothing."""
    head: bytes
    """Its first bytes, unpacked, without a byte-order mark."""

    @property
    def suffix(self) -> str:
        """The name's ending in lower case, below that of a compression."""
        path = self.path.with_suffix("") if self.path.suffix.lower() in ENDINGS else self.path
        return path.suffix.lower()

    def pieces(self) -> Iterator[bytes]:
        """The unpacked bytes, without a byte-order mark.

        Raises:
            Torn: after all that could be read.
        """
        pieces = _pieces(self.path, self.packing)
        yield next(pieces, b"").removeprefix(BOM_UTF8)
        yield from pieces

    def lines(self) -> Iterator[bytes]:
        r"""The unpacked lines, without the `\n` that ends each.

        Raises:
            Torn: after the last whole line.
        """
        held: list[bytes] = []
        try:
            for piece in self.pieces():
                first, *others = piece.split(b"\n")
                held.append(first)
                if others:
                    yield b"".join(held)
                    held = [others.pop()]
                    yield from others
        except Torn as torn:
            raise Torn(torn.why, b"".join(held)) from torn
        if last := b"".join(held):
            yield last

    def text(self) -> tuple[str, str]:
        """The whole text, and why it breaks off, if it does. Bytes that are not UTF-8 become lone surrogates."""
        read, why = [], ""
        try:
            for piece in self.pieces():
                read.append(piece)
        except Torn as torn:
            why = str(torn)
        return b"".join(read).decode(errors="surrogateescape"), why


def open_source(path: Path) -> Source:
    """A file, ready to be read, its compression known by its first bytes.

    Raises:
        DataError: no such file, a folder, an empty file, one that cannot be opened, or `zstandard` is missing.
    """
    if not path.is_file():
        raise _missing(path)
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise DataError(f"{str(path)!r} cannot be opened.", f"{error.strerror}.", "Check its rights.") from error
    packing = next((name for magic, name in PACKINGS.items() if start.startswith(magic)), "")
    try:
        head = next(_pieces(path, packing), b"").removeprefix(BOM_UTF8)
    except Torn as torn:
        raise DataError(
            f"{str(path)!r} cannot be unpacked.", f"It is {packing}, and {torn}.", "Fetch or pack the file again."
        ) from torn
    if not head:
        raise is_empty(path)
    return Source(path, packing, head)


def is_empty(path: Path) -> DataError:
    """The error for a file without one row."""
    return DataError(f"{str(path)!r} is empty.", "There is no row to read.", "Check the path.")


def refuse_binary(source: Source) -> None:
    """Refuse what is no text in UTF-8.

    NULs within the first line mean another encoding or a binary file; NULs elsewhere are a damaged stretch of
    a text file, which the row that holds them answers for.

    Raises:
        DataError: UTF-16, UTF-32 or a binary file.
    """
    first = source.head[:4096].partition(b"\n")[0].strip(b"\0\r\n")
    wide = source.head.startswith((BOM_UTF16_BE, BOM_UTF16_LE))
    if wide or b"\0" in first:
        raise DataError(
            f"{str(source.path)!r} is not text in UTF-8.",
            "It begins as UTF-16 does." if wide else "Its first line holds NUL bytes, as UTF-16 and binary files do.",
            "Convert it, for example with: iconv -f UTF-16 -t UTF-8 OLD > NEW" if wide else "Convert it to JSONL.",
        )


def extra(package: str, what: str) -> ModuleType:
    """A package of the extra `files`.

    Raises:
        DataError: it is not installed.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise DataError(
            f"{what} cannot be read.",
            f"That needs the package {package.partition('.')[0]}.",
            "pip install 'holdfast[files]'",
        ) from error


def _missing(path: Path) -> DataError:
    if path.is_dir():
        return DataError(f"{str(path)!r} is a folder.", "A data file was expected.", "Name a file in it.")
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, names)
    why = f"Near it: {', '.join(near)}." if near else ""
    return DataError(f"There is no file {str(path)!r}.", why, "Check the path.")


def _pieces(path: Path, packing: str) -> Iterator[bytes]:
    if packing == "zstd":
        yield from _zstd(path)
        return
    openers: dict[str, Callable[..., Any]] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
    try:
        # `read1` gives what there is: a plain `read` would lose what was unpacked before the file breaks off.
        with openers[packing](path, "rb") if packing else path.open("rb") as file:
            while piece := file.read1(PIECE):
                yield piece
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise Torn(str(error)) from error


def _zstd(path: Path) -> Iterator[bytes]:
    """Frame by frame: the package's own stream reader ends without a word where a file breaks off."""
    zstandard = extra("zstandard", f"{str(path)!r} (zstd)")
    frame = None
    try:
        with path.open("rb") as file:
            while packed := file.read(PIECE):
                while packed:
                    frame = frame or zstandard.ZstdDecompressor().decompressobj()
                    if piece := frame.decompress(packed):
                        yield piece
                    packed = frame.unused_data if frame.eof else b""
                    frame = None if frame.eof else frame
    except (OSError, zstandard.ZstdError) as error:
        raise Torn(str(error)) from error
    if frame:
        raise Torn("it ended before the end of its last frame")
