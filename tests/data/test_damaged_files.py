"""Damaged and strange files: each is one clear error, or a fault with its place and everything else read."""

import gzip
import json
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.data import read, read_questions
from holdfast.errors import DataError

GOOD = json.dumps({"prompt": "Name a café.", "completion": "Tide."}, ensure_ascii=False)


@pytest.mark.parametrize("at", [0, 1, 200])
@pytest.mark.parametrize("size", [8, 70_000])
def test_a_stretch_of_nul_bytes_spoils_its_row_only(tmp_path: Path, at: int, size: int) -> None:
    rows = [GOOD.encode()] * 300
    rows[at] = b"\0" * size
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(rows))
    data = read(tmp_path / "a.jsonl")
    assert [(fault.line, fault.text) for fault in data.faults] == [(at + 1, "\0" * size)]
    assert (len(data.examples), len(data.faults[0].shown)) == (299, min(size, 200))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_in_another_width_is_one_clear_error(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(f"{GOOD}\n{GOOD}\n".encode(encoding))
    with pytest.raises(DataError, match=r"not text in UTF-8\.\n.*UTF-16.*\n  Convert it"):
        read(tmp_path / "a.jsonl")


def test_latin_1_spoils_the_lines_that_need_it(tmp_path: Path) -> None:
    plain = '{"prompt": "x", "completion": "y"}'
    (tmp_path / "a.jsonl").write_bytes(f"{GOOD}\n{plain}\n{GOOD}\n".encode("latin-1"))
    data = read(tmp_path / "a.jsonl")
    assert [fault.reason.partition("(")[0] for fault in data.faults] == [
        f"line {line}: byte 0xe9 at column 23 is not UTF-8 " for line in (1, 3)
    ]
    (tmp_path / "b.jsonl").write_bytes(f"{GOOD}\n".encode("latin-1") * 4)
    with pytest.raises(DataError, match=r"no valid row \(4 read\)\.\n  line 1: byte 0xe9"):
        read(tmp_path / "b.jsonl")


def test_a_line_of_50_megabytes_is_read_or_is_one_short_fault(tmp_path: Path) -> None:
    long = json.dumps({"prompt": "x" * 50_000_000, "completion": "y"})
    (tmp_path / "a.jsonl").write_text(f"{GOOD}\n{long}\n{long[:-3]}\n{GOOD}\n")
    began = time.process_time()
    data = read(tmp_path / "a.jsonl")
    assert [len(row.prompt) for row in data.examples] == [12, 50_000_000, 12]
    (fault,) = data.faults
    assert (fault.line, len(fault.text), len(fault.shown)) == (3, len(long) - 3, 200)
    assert len(fault.reason) < 200
    assert time.process_time() - began < 60


def test_json_in_several_objects_and_other_carriage_returns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"prompt,completion\rx,y\rz,w\r")
    assert [(row.prompt, row.id[-2:]) for row in read(tmp_path / "a.csv").examples] == [("x", ":2"), ("z", ":3")]
    (tmp_path / "a.jsonl").write_text(f"\n\n  \n{GOOD}")
    assert read(tmp_path / "a.jsonl").examples[0].id.endswith(":4")


def test_an_unreadable_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(GOOD)
    path.chmod(0)
    try:
        path.read_bytes()
    except PermissionError:
        with pytest.raises(DataError, match="cannot be opened"):
            read(path)
    else:
        pytest.skip("this user may read everything")


def test_a_first_line_that_is_broken_ends_nothing(tmp_path: Path) -> None:
    for first in ('{"prompt": "x", "compl', '{"prompt": "x",', "[INFO] begun", "[1, 2]", '{"prompt": nul}'):
        (tmp_path / "a.jsonl").write_text(f"{first}\n{GOOD}\n{GOOD}\n")
        data = read(tmp_path / "a.jsonl")
        assert (len(data.examples), len(data.faults)) == (2, 1), first


PIECES = st.sampled_from([
    b"{", b"}", b"[", b"]", b'"', b",", b":", b"\n", b"\r", b"\0", b"\\", b"prompt", b'"prompt": "x"', b"\xff", b"\t",
    GOOD.encode(), b"prompt,completion\n", b'"messages": [', b"\x1f\x8b", b"BZh", b"PAR1", b"ARROW1",
    b"\x28\xb5\x2f\xfd", b"\xef\xbb\xbf", b"\xff\xff\xff\xff", b"\xfd7zXZ\0",
])  # fmt: skip


@settings(deadline=None)  # the first call may import pyarrow
@given(st.lists(PIECES, max_size=12), st.sampled_from(["a", "a.jsonl", "a.json", "a.csv", "a.tsv"]))
def test_no_bytes_are_more_than_a_data_error(pieces: list[bytes], name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(b"".join(pieces))
        for reader in (read, read_questions):
            with suppress(DataError):
                assert reader(path)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.parquet", "a.arrow", "a.gz", "a.zst"])
def test_a_file_that_was_damaged_anywhere_is_read_or_refused(tmp_path: Path, name: str) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    rows = [{"prompt": f"Question {n}?", "completion": f"Answer {n}."} for n in range(20)]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    path = tmp_path / name
    whole = {
        "a.jsonl": lines.encode(),
        "a.json": json.dumps(rows).encode(),
        "a.csv": ("prompt,completion\n" + "".join(f'"{row["prompt"]}",x\n' for row in rows)).encode(),
        "a.gz": gzip.compress(lines.encode()),
        "a.zst": pytest.importorskip("zstandard").compress(lines.encode()),
    }.get(name)
    if whole is None:
        table = pyarrow.Table.from_pylist(rows)
        if name == "a.parquet":
            pytest.importorskip("pyarrow.parquet").write_table(table, path)
        else:
            pytest.importorskip("pyarrow.feather").write_feather(table, path, compression="uncompressed")
        whole = path.read_bytes()
    random = Random(name)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(random.randint(1, 3)):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        path.write_bytes(damaged[: random.choice([len(damaged), random.randrange(1, len(damaged))])])
        with suppress(DataError):
            assert len(read(path).examples) <= 20
