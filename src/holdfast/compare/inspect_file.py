"""What a log of Inspect's holds, read with the standard library: a zip of JSON files (`.eval`), or one JSON file.

Knows how logs of versions 1 and 2 are laid out; knows no task and no scorer. Nothing is unpacked to the disk, and no
name in a log is used as a path.
"""

import json
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from pydantic import ValidationError

from holdfast.compare.inspect_shapes import Header, Sample
from holdfast.errors import DataError

ZIP = b"PK\x03\x04"
SAMPLE = re.compile(r"samples/.+_epoch_\d+\.json", re.DOTALL)
ZSTANDARD = 93
"""The method by which newer versions of Inspect pack their logs. Python's own `zipfile` cannot read it before 3.14."""
LOCAL_HEADER = 30
"""Bytes before a member's name: APPNOTE.TXT of the zip format, 4.3.7."""
MOST_MEMBER, MOST_IN_ALL = 1 << 28, 1 << 34
"""Bytes that one member of a log, and all that are read, may unpack to."""
VERSIONS = (1, 2)
LONE_SCORE = "88F74D2C"
"""The name of a score in logs of version 1, which had one a sample."""


@dataclass(frozen=True, slots=True)
class InspectLog:
    """A whole log: every sample that should be there, once, in the order of the dataset."""

    path: Path
    header: Header
    samples: tuple[Sample, ...]


def read_log(path: Path) -> InspectLog:
    """Read a log, `.eval` or JSON.

    Raises:
        DataError: it is no log, it is torn, too large when unpacked, packed in a way that cannot be read here, or of a
            version that is not known; it holds no samples, not all of them, or one twice.
    """
    try:
        with path.open("rb") as file:
            is_zip = file.read(len(ZIP)) == ZIP
            file.seek(0)
            header, samples = _zipped(file) if is_zip else _plain(file)
            made = Header.model_validate(header)
            if made.version not in VERSIONS:
                raise ValueError(f"its version is {made.version}, and those that are known are 1 and 2")
            log = InspectLog(path, made, tuple(map(_sample, samples)))
    except OSError as error:
        raise DataError(f"{str(path)!r} cannot be read.", str(error), "Give a log of Inspect's.") from error
    except (ValueError, BadZipFile, KeyError, EOFError, RecursionError, NotImplementedError, RuntimeError) as error:
        raise _no_log(path, error) from error
    except (struct.error, zlib.error, OverflowError) as error:
        raise _no_log(path, error) from error
    return _whole(log)


def parse(data: bytes | str, what: str) -> Any:
    """A JSON value; NaN, which Inspect writes for an answer that could not be scored, is one.

    Raises:
        ValueError: it is none, or it is nested too deeply.
    """
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ValueError(f"{what} is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"{what} is no JSON, or breaks off: {error}") from error


def _no_log(path: Path, error: Exception) -> DataError:
    why = str(error)
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}."
    mend = "Write it again with inspect-ai: inspect log convert LOG --to json --output-dir DIR"
    return DataError(f"{str(path)!r} is no log of Inspect's that can be read.", why, mend)


def _plain(file: IO[bytes]) -> tuple[Any, Iterable[Any]]:
    log = parse(file.read(), "the file")
    if not isinstance(log, dict) or not isinstance(log.get("eval"), dict):
        raise ValueError("it has no key 'eval'")
    return log, log.get("samples") or ()


def _zipped(file: IO[bytes]) -> tuple[Any, Iterable[Any]]:
    with ZipFile(file) as packed:
        members = {info.filename: info for info in packed.infolist()}  # of one name the last one counts
        samples = [info for name, info in members.items() if SAMPLE.fullmatch(name)]
        header = members.get("header.json") or members.get("_journal/start.json")
        if header is None:
            raise ValueError("it has no header.json")
        if not samples and any(name.endswith("/sample.json") for name in members):
            raise ValueError("its samples are in pieces, each in several files")
        if (size := sum(info.file_size for info in (header, *samples))) > MOST_IN_ALL:
            raise ValueError(f"its samples unpack to {size:,} bytes, more than {MOST_IN_ALL:,}")
        # One at a time: most of a sample is its events, which are not kept.
        return _member(packed, file, header), [_sample(_member(packed, file, info)) for info in samples]


def _sample(plain: Any) -> Sample:
    if isinstance(plain, Sample):
        return plain
    if isinstance(plain, dict) and "score" in plain and "scores" not in plain:
        plain = {**plain, "scores": {LONE_SCORE: plain["score"]}}
    return Sample.model_validate(plain)


def _member(packed: ZipFile, file: IO[bytes], info: ZipInfo) -> Any:
    if info.file_size > MOST_MEMBER:
        raise ValueError(f"{info.filename!r} unpacks to {info.file_size:,} bytes, more than {MOST_MEMBER:,}")
    if info.compress_type == ZSTANDARD:
        return parse(_unpacked(_raw(file, info), info), repr(info.filename))
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ValueError(f"{info.filename!r} is packed by method {info.compress_type}, which Inspect does not use")
    with packed.open(info) as member:  # it reads no more than the size that was checked
        return parse(member.read(), repr(info.filename))


def _raw(file: IO[bytes], info: ZipInfo) -> bytes:
    file.seek(info.header_offset)
    head = file.read(LOCAL_HEADER)
    if not head.startswith(ZIP) or info.flag_bits & 1:
        raise BadZipFile(f"{info.filename!r} is torn or encrypted")
    file.seek(sum(struct.unpack("<HH", head[26:])), 1)  # the name, and what else is told of the member
    return file.read(info.compress_size)


def _unpacked(raw: bytes, info: ZipInfo) -> bytes:
    zstandard = import_module("zstandard")
    try:
        data = (
            zstandard.ZstdDecompressor().stream_reader(BytesIO(raw), read_across_frames=True).read(info.file_size + 1)
        )
    except zstandard.ZstdError as error:
        raise BadZipFile(f"{info.filename!r} cannot be unpacked: {error}") from error
    if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
        raise BadZipFile(f"{info.filename!r} is torn")
    return bytes(data)


def _whole(log: InspectLog) -> InspectLog:
    path, spec = log.path, log.header.eval
    status = f"Its status is {log.header.status!r}."
    if not log.samples:
        mend = f"inspect eval-retry {path}  or, where they were left out:  inspect eval … --log-samples"
        raise DataError(f"{str(path)!r} holds no samples.", status, mend)
    there = Counter((str(sample.id), sample.epoch) for sample in log.samples)
    if twice := [key for key, count in there.items() if count > 1]:
        id, epoch = twice[0]
        raise DataError(
            f"{str(path)!r} has {len(twice)} samples twice.", f"The first is {id!r}, epoch {epoch}.",
            "Give every sample of the dataset an id of its own.",
        )  # fmt: skip
    ids = [str(id) for id in spec.dataset.sample_ids or _ids(log)]
    asked = {(id, epoch) for id in ids for epoch in range(1, spec.epochs + 1)}
    missing = max(len(asked - there.keys()), _counted(log) - len(there))
    if missing > 0:
        raise DataError(
            f"{str(path)!r} is not whole: of {missing + len(there)} samples {missing} are not there.",
            status, f"inspect eval-retry {path}",
        )  # fmt: skip
    place = {id: number for number, id in enumerate(dict.fromkeys(ids))}
    ordered = sorted(log.samples, key=lambda sample: (place.get(str(sample.id), len(place)), sample.epoch))
    return InspectLog(path, log.header, tuple(ordered))


def _ids(log: InspectLog) -> Iterator[str]:
    """Those that are there, where the log does not say which should be."""
    return iter(sorted({str(sample.id) for sample in log.samples}))


def _counted(log: InspectLog) -> int:
    """How many samples a finished log says that it has."""
    return log.header.results.total_samples if log.header.results else 0
