"""Reading evaluation sets."""

import json
from pathlib import Path

import pytest

from holdfast.data import read_eval_set, read_questions
from holdfast.errors import DataError

SHARED = Path("../shared/data")


@pytest.mark.parametrize(
    ("name", "text", "want"),
    [
        ("a.csv", "id,Prompt,label\n1,What is it?,safe\n", [("2", "What is it?")]),
        ("b.csv", "Make tea, then wait\n", None),
        ("c.csv", "Make tea\n\nMake coffee\n", [("1", "Make tea"), ("3", "Make coffee")]),
        ("d.jsonl", '{"question": "Who?"}\n{broken\n{"query": "Why?"}\n', [("1", "Who?"), ("3", "Why?")]),
        ("e.json", json.dumps([{"instruction": "Add.", "input": "1 2"}, {"other": 1}]), [("1", "Add.\n1 2")]),
        ("f.json", json.dumps({"Question": ["A?", "B?"], "x": [1, 2]}), [("1", "A?"), ("2", "B?")]),
        (
            "g.jsonl",
            '{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "Q?"}]}',
            [("1", "Q?")],
        ),
        ("h.json", '["One?", "Two?"]', [("1", "One?"), ("2", "Two?")]),
    ],
)
def test_questions_are_found(tmp_path: Path, name: str, text: str, want: list[tuple[str, str]] | None) -> None:
    path = tmp_path / name
    path.write_text(text)
    if want is None:
        with pytest.raises(DataError, match="No question was found"):
            read_questions(path)
    else:
        assert read_questions(path) == tuple((f"{path}:{number}", question) for number, question in want)


def test_a_missing_file_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no file"):
        read_eval_set(tmp_path / "none.csv")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public sets are not here")
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("advbench/advbench-harmful-behaviors.csv", 520),
        ("simple_safety_tests/SimpleSafetyTests - test cases.csv", 100),
        ("xstest/xstest_prompts.csv", 450),
        ("do_not_answer/do_not_answer_en.csv", 939),
        ("gsm8k/test.jsonl", 1319),
        ("arc/arc_easy.jsonl", 2376),
        ("truthfulqa/TruthfulQA.csv", 790),
        ("chale/chale_first_half.json", 1113),
    ],
)
def test_public_sets_are_read_whole(name: str, count: int) -> None:
    assert len(read_questions(SHARED / name)) == count
