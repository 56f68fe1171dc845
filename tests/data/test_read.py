"""Reading: what is recognised, where faults are, and what is refused."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest

from holdfast.data import MARKS, Turn, read
from holdfast.errors import DataError

ALPACA = {"instruction": "Name a tide.", "input": "", "output": "Spring tide."}
PAIR = {"prompt": "Name a knot.", "completion": "Bowline."}
CHAT = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Name a fish."},
        {"role": "assistant", "content": "Cod."},
    ]
}


def save(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def lines(*rows: object) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_three_formats_may_share_one_file(tmp_path: Path) -> None:
    data = read(save(tmp_path, "mixed.jsonl", lines(ALPACA, PAIR, CHAT)))
    assert data.format == "alpaca + messages + prompt-completion"
    assert [(row.system, row.prompt, row.answer) for row in data.examples] == [
        ("", "Name a tide.", "Spring tide."),
        ("", "Name a knot.", "Bowline."),
        ("Be brief.", "Name a fish.", "Cod."),
    ]
    assert [row.id for row in data.examples] == [f"{tmp_path / 'mixed.jsonl'}:{n}" for n in (1, 2, 3)]


def test_alpaca_joins_instruction_and_input_and_keeps_system_and_history(tmp_path: Path) -> None:
    row = ALPACA | {"input": "Near a cliff.", "system": "Be kind.", "history": [["Hi", "Hello"]]}
    (example,) = read(save(tmp_path, "a.json", json.dumps([row]))).examples
    assert example.turns == (
        Turn("system", "Be kind."),
        Turn("user", "Hi"),
        Turn("assistant", "Hello"),
        Turn("user", "Name a tide.\nNear a cliff."),
        Turn("assistant", "Spring tide."),
    )


def test_text_parts_and_the_developer_role_are_read(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "Name a"}, {"type": "text", "text": "bird."}]
    row = {
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": parts},
            {"role": "assistant", "content": "Gull."},
        ]
    }
    (example,) = read(save(tmp_path, "a.jsonl", lines(row))).examples
    assert (example.system, example.prompt) == ("Be brief.", "Name a\nbird.")


FAULTY = [
    ("{broken", "not valid JSON"),
    ("[1, 2]", "must be an object with named fields, not a list"),
    ('"text"', "must be an object with named fields, not a string"),
    ('{"instruction": "x"}', "`output` is missing (the row looks like alpaca)"),
    ('{"instruction": "x", "output": ""}', "`output` is empty"),
    ('{"instruction": " ", "output": "y"}', "`instruction` is empty"),
    ('{"instruction": "x", "input": 3, "output": "y"}', "`input` must be a string, not a number"),
    ('{"prompt": "x", "completion": ["y"]}', "message 1 must be an object, not a string"),
    ('{"prompt": null, "completion": "y"}', "`prompt` must be a string, not null"),
    ('{"title": "x"}', "no known format (its fields: title)"),
    ('{"question": "x"}', "`answer` is missing (the row looks like question-answer)"),
    ('{"messages": []}', "`messages` must be a list with at least one message"),
    ('{"messages": "hi"}', "not a string"),
    ('{"messages": [{"role": "user", "content": "x"}]}', "the last message is from 'user'"),
    ('{"messages": [{"role": "assistant", "content": "x"}]}', "there is no question"),
    ('{"messages": [{"role": "pirate", "content": "x"}]}', "the role 'pirate'"),
    ('{"messages": [{"role": ["user"], "content": "x"}]}', "the role ['user']"),
    ('{"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": null}]}', "has no text"),
    ('{"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "  "}]}', "is empty"),
    ('{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}', "a part that is not text"),
    ('{"prompt": "x", "completion": "half a pair: \\ud83d"}', "not valid Unicode"),
    ("[" * 100_000, "not valid JSON"),
    ('{"prompt": "x", "completion": ' + "9" * 5000 + "}", "not valid JSON"),
]


@pytest.mark.parametrize(("line", "reason"), FAULTY)
def test_a_broken_row_is_a_fault_with_its_line_and_ends_nothing(tmp_path: Path, line: str, reason: str) -> None:
    data = read(save(tmp_path, "a.jsonl", f"{json.dumps(PAIR)}\n\n{line}\n{json.dumps(ALPACA)}\n"))
    (fault,) = data.faults
    assert len(data.examples) == 2
    assert (fault.line, fault.id) == (3, f"{tmp_path / 'a.jsonl'}:3")
    assert fault.reason.startswith("line 3: ")
    assert reason in fault.reason
    assert fault.text == line
    assert 0 < len(fault.shown) <= 200


def test_bytes_that_are_not_utf8_spoil_their_row_only(tmp_path: Path) -> None:
    bad = b'{"prompt": "caf\xe9", "completion": "x"}\n'
    data = read(save(tmp_path, "a.jsonl", lines(PAIR).encode() + bad + lines(CHAT).encode()))
    assert [fault.line for fault in data.faults] == [2]
    assert len(data.examples) == 2
    assert data.faults[0].text.encode(errors="surrogateescape") + b"\n" == bad
    assert "column 16" in data.faults[0].reason
    data.faults[0].shown.encode()


def test_a_list_says_row_and_survives_a_broken_item(tmp_path: Path) -> None:
    text = f'[{json.dumps(PAIR)},\n{{"prompt": "x", "completion": }},\n{json.dumps(CHAT)}'
    data = read(save(tmp_path, "a.json", text))
    assert len(data.examples) == 2
    assert [fault.reason.split(":")[0] for fault in data.faults] == ["row 2"]
    whole = read(save(tmp_path, "b.json", json.dumps([PAIR, 7, CHAT])))
    assert [fault.reason for fault in whole.faults] == [
        "row 2: a row must be an object with named fields, not a number"
    ]


def test_csv_rows_carry_their_first_line_and_an_open_quote_swallows_nothing(tmp_path: Path) -> None:
    text = 'prompt,completion\n"two\nlines",yes\n"open,no\nlast,row\nshort\n'
    data = read(save(tmp_path, "a.csv", text))
    assert [(row.prompt, row.answer, row.id[-2:]) for row in data.examples] == [
        ("two\nlines", "yes", ":2"),
        ("last", "row", ":5"),
    ]
    assert [fault.line for fault in data.faults] == [4, 6]
    assert "1 fields where the header has 2" in data.faults[1].reason


def test_lines_end_at_newline_only_and_a_bom_is_tolerated(tmp_path: Path) -> None:
    row = {"prompt": "a\u2028b", "completion": "c\x85d"}
    text = "\ufeff" + json.dumps(row, ensure_ascii=False) + "\r\n" + json.dumps(PAIR) + "\r\n"
    data = read(save(tmp_path, "a.jsonl", text))
    assert data.examples[0].prompt == "a\u2028b"
    assert (len(data.examples), data.faults) == (2, ())


def test_content_decides_and_not_the_name(tmp_path: Path) -> None:
    assert len(read(save(tmp_path, "a.json", lines(PAIR, CHAT))).examples) == 2
    assert len(read(save(tmp_path, "a.jsonl", json.dumps([PAIR, CHAT], indent=1))).examples) == 2
    assert len(read(save(tmp_path, "a.txt", "prompt,completion\nx,y\n")).examples) == 1
    assert len(read(save(tmp_path, "one.json", json.dumps(PAIR, indent=2))).examples) == 1


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_marked_rows_are_refused_as_training_data(tmp_path: Path, mark: str, name: str) -> None:
    marked = PAIR | {mark: "why"}
    table = StringIO()
    csv.writer(table).writerows([list(marked), list(marked.values())])
    text = {"a.jsonl": lines(PAIR, marked), "a.json": json.dumps([PAIR, marked], indent=1), "a.csv": table.getvalue()}
    with pytest.raises(DataError, match=f"{mark}.*refused as training data"):
        read(save(tmp_path, name, text[name]))


def test_a_row_that_only_speaks_of_the_mark_is_read(tmp_path: Path) -> None:
    row = {"prompt": f'What does "{MARKS[0]}": mean?', "completion": "It marks a row."}
    assert len(read(save(tmp_path, "a.jsonl", lines(row))).examples) == 1


def test_no_valid_row_names_the_first_faults(tmp_path: Path) -> None:
    path = save(tmp_path, "a.jsonl", '{"a": 1}\nnonsense\n[]\n{"b": 2}\n')
    with pytest.raises(DataError) as error:
        read(path)
    message = str(error.value)
    assert all(part in message for part in ("no valid row (4 read)", "line 1:", "line 2:", "line 3:", "1 more"))
    assert "line 4" not in message


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.jsonl", b"", "is empty"),
        ("blank.jsonl", b" \n\n", "is empty"),
        ("head.csv", b"prompt,completion\n", "a header and no rows"),
        ("list.json", b"[]", "no valid row"),
        ("rows.parquet", b"PAR1\x00\x00", r"\(Parquet\) cannot be read"),
    ],
)
def test_files_without_rows_are_data_errors(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read(save(tmp_path, name, content))


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    save(tmp_path, "train.jsonl", lines(PAIR))
    with pytest.raises(DataError, match=r"trian\.jsonl'\.\n.*Near it: train\.jsonl"):
        read(tmp_path / "trian.jsonl")
    with pytest.raises(DataError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(DataError, match="There is no file"):
        read(tmp_path / "no" / "where.jsonl")
