"""Files: packed ones, tables, JSON that wraps its rows, folders, and the hub's own way of loading."""

import bz2
import csv
import gzip
import json
import lzma
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from holdfast.data import MARKS, read, read_all, read_questions
from holdfast.data.sources import read_hub
from holdfast.errors import DataError

pyarrow = pytest.importorskip("pyarrow")
zstandard = pytest.importorskip("zstandard")

from pyarrow import ipc, parquet  # noqa: E402

ROWS = [{"prompt": f"Question {n}?", "completion": f"Answer {n}."} for n in range(5)]
LINES = "".join(f"{json.dumps(row)}\n" for row in ROWS).encode()
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: zstandard.compress(data[:50]) + zstandard.compress(data[50:]),
}


def stream(table: Any, path: str) -> None:
    with pyarrow.OSFile(path, "wb") as sink, ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)


def arrow_file(table: Any, path: str) -> None:
    with pyarrow.OSFile(path, "wb") as sink, ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)


TABLES: dict[str, Callable[[Any, str], None]] = {
    "Parquet": lambda table, path: parquet.write_table(table, path, row_group_size=2),
    "Arrow": arrow_file,
    "Arrow stream": stream,
}


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("name", ["rows", "rows.jsonl.packed"])
def test_a_packed_file_is_known_by_its_bytes(tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / name).write_bytes(PACK[kind](b"\xef\xbb\xbf" + LINES))
    data = read(tmp_path / name)
    assert [row.row for row in data.examples] == ROWS
    assert (data.container, data.unit) == (f"JSONL, {kind}", "line")
    assert data.examples[-1].id == f"{tmp_path / name}:5"


def test_a_packed_csv_is_known_by_the_name_below_the_packing(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b'"prompt","completion"\n"[x]","y"\n'))
    data = read(tmp_path / "a.csv.gz")
    assert (data.container, data.examples[0].prompt) == ("CSV, gzip", "[x]")


@pytest.mark.parametrize("kind", PACK)
def test_rows_before_a_cut_are_read_and_a_fault_says_where_it_broke_off(tmp_path: Path, kind: str) -> None:
    rows = b"".join(b'{"prompt": "Question %d?", "completion": "%d"}\n' % (n, n * 7919 % 10007) for n in range(30_000))
    (tmp_path / "a.jsonl").write_bytes(PACK[kind](rows)[:-4000])
    data = read(tmp_path / "a.jsonl")
    (fault,) = data.faults
    assert fault.line == len(data.examples) + 1 == int(fault.id.rpartition(":")[2])
    assert "the file breaks off here" in fault.reason
    assert b"\n".join([*(row.text.encode() for row in data.examples), fault.text.encode()]) == rows[: _size(data)]
    assert len(data.examples) > 100


def _size(data: Any) -> int:
    return sum(len(row.text) + 1 for row in data.examples) + len(data.faults[0].text)


def test_a_cut_list_and_a_cut_csv_say_so_too(tmp_path: Path) -> None:
    items = [{"prompt": f"q{n}", "completion": f"{n * 7919 % 10007}"} for n in range(4000)]
    (tmp_path / "a.json").write_bytes(gzip.compress(json.dumps(items).encode())[:-2000])
    text = StringIO()
    csv.writer(text).writerows([["prompt", "completion"], *(row.values() for row in items)])
    (tmp_path / "a.csv").write_bytes(gzip.compress(text.getvalue().encode())[:-2000])
    for name in ("a.json", "a.csv"):
        data = read(tmp_path / name)
        assert "the file breaks off here" in data.faults[-1].reason
        assert len(data.faults) == 1
        assert [row.row for row in data.examples] == items[: len(data.examples)]


def test_what_only_looks_packed_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8b\x08\x00broken")
    with pytest.raises(DataError, match=r"cannot be unpacked\.\n.*gzip"):
        read(tmp_path / "a.gz")
    (tmp_path / "b.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(DataError, match="is empty"):
        read(tmp_path / "b.gz")


@pytest.mark.parametrize("kind", TABLES)
def test_arrow_tables_are_read_in_batches(tmp_path: Path, kind: str) -> None:
    said = [[{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": "x"}] for row in ROWS]
    path = tmp_path / "table"
    TABLES[kind](pyarrow.table({"messages": said}), str(path))
    data = read(path)
    assert (data.container, data.unit) == (kind, "row")
    assert [(row.prompt, row.id) for row in data.examples] == [
        (row["prompt"], f"{path}:{number}") for number, row in enumerate(ROWS, 1)
    ]
    assert json.loads(data.examples[0].text) == {"messages": said[0]}


def test_a_corrupt_parquet_file_is_an_error_or_ends_in_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    texts = {key: [f"{row[key]} {n * 7919 % 100003}" for n in range(5000) for row in ROWS[:1]] for key in ROWS[0]}
    parquet.write_table(pyarrow.table(texts), path, row_group_size=2500)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(DataError, match=r"\(Parquet\) cannot be read"):
        read(path)
    middle = len(whole) * 3 // 4
    path.write_bytes(whole[:middle] + b"\xff" * 2000 + whole[middle + 2000 :])
    data = read(path)
    assert "the file cannot be read from here on" in data.faults[-1].reason
    assert len(data.examples) >= 2000


def test_wrapped_json_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"version": 1, "data": ROWS, "after": {"x": [1]}}, indent=2))
    data = read(path)
    assert ([row.row for row in data.examples], data.container) == (ROWS, "JSON list in 'data'")
    assert all(row.text in path.read_text() for row in data.examples)
    path.write_text(json.dumps({key: [row[key] for row in ROWS] for key in ROWS[0]}))
    data = read(path)
    assert ([row.row for row in data.examples], data.container) == (ROWS, "JSON columns")
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]
    path.write_text(json.dumps({"messages": said}))
    assert (len(read(path).examples), read(path).container) == (1, "JSONL")
    path.write_text(json.dumps({"messages": said}, indent=1))
    assert (len(read(path).examples), read(path).container) == (1, "JSON object")


def test_what_follows_a_list_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f"{json.dumps(ROWS, indent=1)}\n{json.dumps(ROWS[0])}\n")
    data = read(tmp_path / "a.json")
    assert len(data.examples) == 5
    assert [(fault.line, fault.text) for fault in data.faults] == [(6, json.dumps(ROWS[0]))]


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("prompt,completion,prompt\na,b,c\n")
    with pytest.raises(DataError, match="has the column 'prompt' twice"):
        read(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("prompt,completion,,\na,b,,\n")
    assert len(read(tmp_path / "b.csv").examples) == 1


def test_tabs_and_long_fields_are_read(tmp_path: Path) -> None:
    long = "x" * 200_000
    (tmp_path / "a.tsv").write_text(f"prompt\tcompletion\na, b\t{long}\n")
    before = csv.field_size_limit()
    data = read(tmp_path / "a.tsv")
    assert (data.container, data.examples[0].prompt, data.examples[0].answer) == ("TSV", "a, b", long)
    assert csv.field_size_limit() == before == 131_072


def test_a_folder_is_all_its_data_files_in_order(tmp_path: Path) -> None:
    inner = tmp_path / "b"
    inner.mkdir()
    (inner / "rows.jsonl.gz").write_bytes(gzip.compress(LINES))
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), inner / "z.parquet")
    (tmp_path / "c.json").write_text(json.dumps(ROWS))
    for name in ("README.md", "LICENSE", ".hidden.jsonl", "state.json", "plot.png", "notes.txt"):
        (tmp_path / name).write_text("no data")
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "x.jsonl").write_bytes(LINES)
    (inner / "loop").symlink_to(tmp_path)
    (inner / "self.jsonl").symlink_to(inner / "self.jsonl")
    (tmp_path / "d.jsonl").symlink_to(inner / "rows.jsonl.gz")
    found = read_all(tmp_path)
    assert [data.name for data in found] == [
        str(inner / "rows.jsonl.gz"),
        str(inner / "z.parquet"),
        f"{tmp_path}/c.json",
    ]
    assert all(len(data.examples) == 5 for data in found)
    assert read_all(str(tmp_path / "c.json")) == (read(tmp_path / "c.json"),)


def test_a_folder_without_data_says_what_it_looked_for(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("none")
    with pytest.raises(DataError, match=r"no data file in .*\n.*\.parquet"):
        read_all(tmp_path)


def test_a_dataset_info_names_columns_and_speakers(tmp_path: Path) -> None:
    info = {
        "one": {"file_name": "one.json", "columns": {"prompt": "ask", "response": "reply", "query": "more"}},
        "two": {
            "file_name": "two.json",
            "formatting": "sharegpt",
            "columns": {"messages": "dialog"},
            "tags": {"role_tag": "who", "content_tag": "said", "user_tag": "guest", "assistant_tag": "host"},
        },
        "three": {"file_name": "three.json", "ranking": True, "columns": {"prompt": "ask"}},
    }
    (tmp_path / "dataset_info.json").write_text(json.dumps(info))
    (tmp_path / "one.json").write_text(json.dumps([{"ask": "Add.", "more": "1 2", "reply": "3"}]))
    said = [{"who": "guest", "said": "Hi"}, {"who": "host", "said": "Ho"}]
    (tmp_path / "two.json").write_text(json.dumps([{"dialog": said}]))
    (tmp_path / "three.json").write_text(json.dumps(ROWS))
    one, three, two = read_all(tmp_path)
    assert (one.format, one.examples[0].prompt, one.examples[0].answer) == ("alpaca", "Add.\n1 2", "3")
    assert (two.format, two.examples[0].prompt, two.examples[0].answer) == ("sharegpt", "Hi", "Ho")
    assert two.examples[0].row == {"dialog": said}
    assert three.format == "prompt-completion"


@pytest.mark.parametrize("text", ["{broken", "[]", '{"default": {"features": {}}}', '{"a": {"file_name": 3}}'])
def test_another_tools_dataset_info_changes_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "dataset_info.json").write_text(text)
    (tmp_path / "a.jsonl").write_bytes(LINES)
    assert len(read_all(tmp_path)[0].examples) == 5


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.mark.usefixtures("offline")
@pytest.mark.filterwarnings("ignore")
def test_the_hubs_loader_reads_a_folder_of_files(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "train.jsonl").write_bytes(LINES)
    (folder / "test.jsonl").write_bytes(LINES[: len(LINES) // 5])
    data = read_hub(str(folder))
    assert [row.row for row in data.examples] == ROWS
    assert (data.container, data.unit, data.examples[1].id) == ("hub data set", "row", f"{folder}:2")
    assert len(read_hub(str(folder), "test").examples) == 1
    with pytest.raises(DataError, match="nowhere"):
        read_hub(str(folder), "nowhere")


@pytest.mark.usefixtures("offline")
@pytest.mark.filterwarnings("ignore")
def test_a_hub_id_without_a_network_is_one_clear_error() -> None:
    with pytest.raises(DataError, match=r"no file or folder 'harbor/tides:train'.*\n.*\n.*name its folder"):
        read_all("harbor/tides:train")


def test_a_misspelt_path_is_no_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("data/train.jsonl", "data/train.csv.gz", "train"):
        with pytest.raises(DataError, match="There is no file"):
            read_all(name)


@pytest.mark.parametrize(("package", "kind"), [("pyarrow", "Parquet"), ("zstandard", "zstd")])
def test_a_missing_package_ends_in_its_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, kind: str
) -> None:
    path = tmp_path / "a"
    if kind == "zstd":
        path.write_bytes(PACK[kind](LINES))
    else:
        TABLES[kind](pyarrow.Table.from_pylist(ROWS), str(path))
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DataError, match=rf"needs the package {package}\.\n  pip install 'holdfast\[files\]'$"):
        read(path)


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_is_found_in_every_container(tmp_path: Path, mark: str) -> None:
    rows = [*ROWS, ROWS[0] | {mark: "why"}]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    hidden = lines.replace(mark, mark.replace("_", "\\u005f"))
    broken = LINES.decode() + f'{{"x": 1, "{mark}": "cut\n'
    texts = {"a.jsonl": lines, "b.jsonl": hidden, "c.jsonl": broken, "d.jsonl": f"{broken}{{}}"}
    texts["e.csv"] = f"prompt,completion,{mark}\nx,y\na,b,c\n"
    texts["f.json"] = json.dumps({"data": rows}, indent=1)
    texts["i.json"] = json.dumps({mark: "why", "data": ROWS})
    texts["j.json"] = f"{json.dumps(ROWS)}\n{json.dumps(rows[-1])}"
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    parquet.write_table(pyarrow.Table.from_pylist([row | {mark: None} for row in ROWS]), tmp_path / "g.parquet")
    (tmp_path / "h.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(DataError, match=f"{mark}.*refused as training data"):
            read(path)


@pytest.mark.parametrize("kind", ["gzip", "Parquet", "ShareGPT", "wrapped"])
def test_questions_come_from_the_same_files(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    said = [
        {"conversations": [{"from": "human", "value": row["prompt"]}, {"from": "gpt", "value": "x"}]} for row in ROWS
    ]
    texts = {
        "gzip": gzip.compress(LINES),
        "ShareGPT": json.dumps(said).encode(),
        "wrapped": json.dumps({"data": ROWS}).encode(),
    }
    if kind == "Parquet":
        parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)
    else:
        path.write_bytes(texts[kind])
    assert [question for _, question in read_questions(path)] == [row["prompt"] for row in ROWS]


def test_a_file_of_a_folder_that_cannot_be_read_is_one_fault_and_marked_rows_refuse_it_whole(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"prompt": "How deep?", "completion": "Six."}\n')
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "config.json").write_text('{"layers": 2}')
    good, *bad = read_all(tmp_path)
    assert len(good.examples) == 1
    assert [len(each.faults) for each in bad] == [1, 1]
    assert "empty" in bad[1].faults[0].reason
    (tmp_path / "b.jsonl").write_text('{"holdfast_quarantine": [], "id": "x", "text": "y"}\n')
    with pytest.raises(DataError, match="refused as training data"):
        read_all(tmp_path)
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).unlink()
    with pytest.raises(DataError, match=r"config\.json"):
        read_all(tmp_path)
