"""Tables: CSV and TSV record by record, Parquet and Arrow batch by batch. Knows nothing of what a row means."""

import csv
from collections import Counter, deque
from collections.abc import Iterator
from io import StringIO
from typing import Any

from holdfast.data.rows import Broken, Row, Rows, table_row
from holdfast.data.streams import Source, Torn, extra
from holdfast.errors import DataError

FIELD = 1 << 26
"""Characters that one CSV field may have; Python's own limit of 131,072 is below a long document."""

ARROW = {b"PAR1": "Parquet", b"ARROW1": "Arrow", b"\xff\xff\xff\xff": "Arrow stream"}
BATCH = 1024


def csv_rows(source: Source) -> Rows:
    """The rows of a CSV or TSV file, by the names in its first line.

    Raises:
        DataError: it has no header, or one with a name twice.
    """
    sign = delimiter(source)
    records = csv_records(source, sign)
    header = next(records, None)
    if not isinstance(header, Row):
        why = header.why if header else ""
        raise DataError("The CSV file has no header.", why, "Name the columns in the first line.")
    twice = [name for name, count in Counter(header.value).items() if name and count > 1]
    if twice:
        raise DataError(f"The CSV file has the column {twice[0]!r} twice.", "Which one counts?", "Rename one of them.")
    return Rows("line", "TSV" if sign == "\t" else "CSV", _named(header.value, records), tuple(header.value))


def delimiter(source: Source) -> str:
    """A tab if the name or the first line says so, else a comma."""
    first = source.head.lstrip().partition(b"\n")[0]
    return "\t" if source.suffix == ".tsv" or (b"\t" in first and b"," not in first) else ","


def csv_records(source: Source, sign: str = ",") -> Iterator[Row | Broken]:
    """A CSV file's records as lists of strings, with the line each begins on; empty lines are passed over.

    A quote that is never closed would swallow the rest: that record is broken, and reading goes on with
    the next line.
    """
    lines, again, held, line = _text_lines(source), deque[str](), list[str](), 1
    reader = _reader(lines, again, held, sign)
    while True:
        try:
            record = _next(reader)
        except csv.Error as error:
            yield Broken(line, f"not valid CSV: {error}", held[0].rstrip("\r\n"))
            again.extendleft(reversed(held[1:]))
            line += 1
            reader = _reader(lines, again, held, sign)
        except Torn as torn:
            left = "".join(held) + torn.held.decode(errors="surrogateescape")
            yield Broken(line, str(torn), left)
            return
        else:
            if record is None:
                return
            if record:
                yield Row(line, record, "".join(held).rstrip("\r\n"))
            line += len(held)
        held.clear()


def arrow_rows(source: Source) -> Rows | None:
    """The rows of a Parquet or Arrow (Feather) file, or nothing if it is none.

    Raises:
        DataError: it cannot be opened, is packed a second time, or `pyarrow` is missing.
    """
    kind = next((name for magic, name in ARROW.items() if source.head.startswith(magic)), "")
    if not kind:
        return None
    what = f"{str(source.path)!r} ({kind})"
    if source.packing:
        raise DataError(f"{what} is packed with {source.packing} as well.", "", "Unpack it.")
    pyarrow = extra("pyarrow", what)
    try:
        names, batches = _opened(kind, source)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise DataError(f"{what} cannot be read.", _first_line(error), "Fetch or write the file again.") from error
    return Rows("row", kind, _batched(batches, pyarrow.ArrowException), tuple(names))


def _opened(kind: str, source: Source) -> tuple[list[str], Iterator[Any]]:
    path = str(source.path)
    if kind == "Parquet":
        file = extra("pyarrow.parquet", path).ParquetFile(path)
        return file.schema_arrow.names, file.iter_batches(BATCH)
    pyarrow = extra("pyarrow", path)
    mapped = pyarrow.memory_map(path)
    if kind == "Arrow stream":
        stream = pyarrow.ipc.open_stream(mapped)
        return stream.schema.names, iter(stream)
    file = pyarrow.ipc.open_file(mapped)
    return file.schema.names, (file.get_batch(number) for number in range(file.num_record_batches))


def _batched(batches: Iterator[Any], failure: type[Exception]) -> Iterator[Row | Broken]:
    number = 0
    try:
        for batch in batches:
            # What Arrow does not check it believes: a damaged offset would end the whole process.
            batch.validate(full=True)
            for start in range(0, batch.num_rows, BATCH):
                for row in batch.slice(start, BATCH).to_pylist():
                    number += 1
                    yield table_row(number, row)
    except (OSError, ValueError, failure) as error:
        yield Broken(number + 1, f"the file cannot be read from here on: {_first_line(error)}", "")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]


def _named(names: list[str], records: Iterator[Row | Broken]) -> Iterator[Row | Broken]:
    for record in records:
        if isinstance(record, Broken):
            yield record
        elif len(record.value) == len(names):
            yield table_row(record.number, dict(zip(names, record.value, strict=True)))
        else:
            why = f"{len(record.value)} fields where the header has {len(names)}"
            yield Broken(record.number, why, record.text)


def _reader(lines: Iterator[str], again: deque[str], held: list[str], sign: str) -> Iterator[list[str]]:
    """A CSV reader of the lines that were put back and then of the others; each line it takes is held."""

    def feed() -> Iterator[str]:
        while (line := again.popleft() if again else next(lines, None)) is not None:
            held.append(line)
            yield line

    return csv.reader(feed(), strict=True, delimiter=sign)


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    # The limit is the process's: it is ours for the length of one record only.
    before = csv.field_size_limit(FIELD)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(before)


def _text_lines(source: Source) -> Iterator[str]:
    for line in source.lines():
        text = f"{line.decode(errors='surrogateescape')}\n"
        # A lone carriage return ends a line too, as it does for Python's own files.
        yield from StringIO(text, newline="") if "\r" in text[:-2] else (text,)
