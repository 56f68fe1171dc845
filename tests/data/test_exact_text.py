"""A row's exact text: what is kept and what is set aside are together the file, byte for byte."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.data import Dataset, ask, read, write_rows
from holdfast.errors import DataError

GOOD = b'{"prompt": "Name a knot.", "completion": "Bowline."}'

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(lambda text: f"x{text}")
ROWS = st.builds(
    lambda prompt, answer, ascii, pad: (
        pad + json.dumps({"prompt": prompt, "completion": answer, "n": 1.50}, ensure_ascii=ascii)
    ).encode(),
    WORDS,
    WORDS,
    st.booleans(),
    st.sampled_from(["", " ", "\t"]),
)
STRAY = st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"").replace(b"\xef\xbb\xbf", b""))
LINES = st.lists(st.one_of(ROWS, ROWS, STRAY, st.just(b"")), max_size=8)


def back(data: Dataset) -> list[bytes]:
    """All rows of a file in the order of their lines, the broken ones as well."""
    kept = zip((int(row.id.rpartition(":")[2]) for row in data.examples), write_rows(data.examples), strict=True)
    rows = sorted([*kept, *((fault.line, fault.text) for fault in data.faults)])
    return [text.encode(errors="surrogateescape") for _, text in rows]


@settings(deadline=None)
@given(LINES, st.sampled_from([b"\n", b"\r\n"]), st.booleans())
def test_kept_and_broken_lines_are_the_files_lines_byte_for_byte(rows: list[bytes], end: bytes, last: bool) -> None:
    whole = [GOOD, *rows]
    content = end.join(whole) + (end if last else b"")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(content)
        data = read(path)
    blank = lambda line: line.decode(errors="surrogateescape").isspace()  # noqa: E731
    assert back(data) == [line for line in content.split(b"\n") if line and not blank(line)]


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5), st.sampled_from([None, 1]))
def test_items_of_a_list_are_its_exact_slices(pairs: list[tuple[str, str]], indent: int | None) -> None:
    rows = [{"prompt": q, "completion": a, "meta": {"é": [None, 0.10]}} for q, a in pairs]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        path.write_text(json.dumps(rows, indent=indent, ensure_ascii=False), newline="")
        data, text = read(path), path.read_bytes().decode()
    assert all(row.text in text for row in data.examples)
    written = list(write_rows(data.examples))
    assert [json.loads(line) for line in written] == [row.row for row in data.examples] == rows
    assert all("\n" not in line for line in written)


def test_numbers_spaces_and_key_order_stay(tmp_path: Path) -> None:
    line = '{"completion":"b" , "weight":1.0e0, "prompt":"\\u0041","id":12345678901234567890}'
    (tmp_path / "a.jsonl").write_text(line + "\n")
    assert list(write_rows(read(tmp_path / "a.jsonl").examples)) == [line]
    (tmp_path / "a.json").write_text(f"[ {line}\n, {line}]")
    data = read(tmp_path / "a.json")
    assert [row.text for row in data.examples] == [line, line]
    assert (data.container, data.unit) == ("JSON list", "row")


def test_a_broken_row_survives_a_quarantine_file(tmp_path: Path) -> None:
    bad = b'{"prompt": "caf\xe9 \xc3\xa9", "completion": \x00\xff'
    (tmp_path / "a.jsonl").write_bytes(GOOD + b"\n" + bad + b"\n")
    (fault,) = read(tmp_path / "a.jsonl").faults
    written = json.dumps({"text": fault.text}).encode()
    assert json.loads(written)["text"].encode(errors="surrogateescape") == bad


def test_a_tables_row_is_the_json_of_its_values(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('prompt,completion\n"é, ""x""",y\n')
    (row,) = read(tmp_path / "a.csv").examples
    assert row.text == '{"prompt": "é, \\"x\\"", "completion": "y"}'
    assert row.row == {"prompt": 'é, "x"', "completion": "y"}


def test_an_example_from_no_file_is_written_as_messages() -> None:
    made = ask("made:1", "Who?", "Me.", "Be.")
    (text,) = write_rows([made])
    assert [turn["role"] for turn in json.loads(text)["messages"]] == ["system", "user", "assistant"]
    assert made.row == {}


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('{"prompt": "a", "prompt": "b", "completion": "c"}', "prompt"),
        ('{"prompt" : "a", "completion"\t: "c", "prompt" :"b"}', "prompt"),
        ('{"prompt": "a", "completion": "c", "x": {"y": [{"z": 1, "z": 2}]}}', "z"),
        ('{"prompt": "a", "completion": "c", "\\u0070rompt": "b"}', "prompt"),
    ],
)
def test_a_key_that_is_there_twice_is_a_fault(tmp_path: Path, line: str, key: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(GOOD + f"\n{line}\n".encode())
    (fault,) = read(tmp_path / "a.jsonl").faults
    assert fault.reason == f"line 2: the key {key!r} is there twice"
    (tmp_path / "a.json").write_text(f"[{GOOD.decode()}, {line}]")
    assert "is there twice" in read(tmp_path / "a.json").faults[0].reason


@settings(deadline=None)
@given(st.recursive(st.none() | WORDS, lambda inner: st.lists(inner) | st.dictionaries(WORDS | st.just('":'), inner)))
def test_a_row_without_a_key_twice_is_never_called_so(value: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_text(json.dumps({"prompt": 'Is "this": fine?', "completion": "Yes: it is.", "meta": value}))
        assert read(path).faults == ()


def test_colons_in_the_text_are_no_keys(tmp_path: Path) -> None:
    row = {"prompt": 'A "key": and "key": again', "completion": "a: b: c"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    assert read(tmp_path / "a.jsonl").faults == ()


@pytest.mark.parametrize("depth", [250, 5_000, 200_000])
def test_a_row_nested_too_deep_is_a_fault(tmp_path: Path, depth: int) -> None:
    deep = b'{"prompt": "a", "completion": "b", "x": ' + b"[" * depth + b"]" * depth + b"}"
    (tmp_path / "a.jsonl").write_bytes(GOOD + b"\n" + deep + b"\n" + GOOD)
    data = read(tmp_path / "a.jsonl")
    assert [fault.line for fault in data.faults] == [2]
    assert len(data.examples) == 2
    (tmp_path / "a.json").write_bytes(b"[" + GOOD + b"," + deep + b"]")
    assert [fault.line for fault in read(tmp_path / "a.json").faults] == [2]


def test_a_file_of_faults_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"x": 1}\n' * 5)
    with pytest.raises(DataError, match=r"no valid row \(5 read\)"):
        read(tmp_path / "a.jsonl")
