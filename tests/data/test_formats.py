"""Row formats: which are recognised, what stays of a conversation, and what is no example."""

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.data import FORMATS, Example, Turn, read
from holdfast.errors import ConfigError, DataError

CALL = [{"id": "c1", "type": "function", "function": {"name": "tide", "arguments": '{"port": "Fowey"}'}}]
TOOL = {"type": "function", "function": {"name": "tide", "parameters": {"type": "object"}}}


def one(folder: Path, row: object, format: str = "") -> tuple[str, Example]:
    path = folder / "a.jsonl"
    path.write_text(json.dumps(row) + "\n")
    data = read(path, format)
    return data.format, data.examples[0]


def refused(folder: Path, row: object) -> str:
    path = folder / "a.jsonl"
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError) as error:
        read(path)
    return str(error.value)


def test_sharegpt_speakers_become_roles(tmp_path: Path) -> None:
    said = [
        {"from": "human", "value": "When is high water?"},
        {"from": "function_call", "value": '{"name": "tide", "arguments": {}}'},
        {"from": "observation", "value": "04:10"},
        {"from": "gpt", "value": "At ten past four."},
    ]
    row = {"conversations": said, "system": "Be brief.", "tools": json.dumps([TOOL])}
    name, example = one(tmp_path, row)
    assert name == "sharegpt"
    assert [turn.role for turn in example.turns] == ["system", "user", "assistant", "tool", "assistant"]
    assert (example.system, example.answer, example.tools) == ("Be brief.", "At ten past four.", (TOOL,))


@pytest.mark.parametrize("word", ["gpt", "assistant", "chatgpt", "bing"])
def test_every_word_for_the_assistant_is_known(tmp_path: Path, word: str) -> None:
    _, example = one(tmp_path, {"conversations": [{"from": "user", "value": "Hi"}, {"from": word, "value": "Hello"}]})
    assert example.turns == (Turn("user", "Hi"), Turn("assistant", "Hello"))


def test_sharegpt_in_openai_words_and_one_that_ends_with_a_question(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    assert one(tmp_path, {"conversations": said})[1].answer == "Hello"
    said = [{"from": "gpt", "value": "Hello"}, {"from": "human", "value": "Hi"}]
    assert "the last message is from 'user'" in refused(tmp_path, {"conversations": said})
    assert "has the role 'narrator'" in refused(tmp_path, {"conversations": [{"from": "narrator", "value": "x"}]})


def test_tool_calls_and_all_else_a_message_carries_are_kept(tmp_path: Path) -> None:
    said = [
        {"role": "user", "content": "When is high water?", "name": "kim"},
        {"role": "assistant", "content": None, "tool_calls": CALL},
        {"role": "tool", "content": "", "tool_call_id": "c1"},
        {"role": "assistant", "content": "Ten past four.", "weight": 1, "reasoning_content": "04:10"},
    ]
    _, example = one(tmp_path, {"messages": said, "tools": [TOOL]})
    assert example.messages() == [said[0], said[1] | {"content": ""}, *said[2:]]
    assert example.tools == (TOOL,)
    assert example.row["messages"] == said
    hash(example)


def test_an_assistants_message_may_be_empty_only_if_it_calls(tmp_path: Path) -> None:
    asked = {"role": "user", "content": "When?"}
    only = {"role": "assistant", "tool_calls": CALL}
    _, example = one(tmp_path, {"messages": [asked, only]})
    assert (example.turns[-1].content, example.answer) == ("", "")
    assert "has no text" in refused(tmp_path, {"messages": [asked, {"role": "assistant", "content": None}]})
    both = {"role": "assistant", "content": "", "tool_calls": []}
    assert "is empty" in refused(tmp_path, {"messages": [asked, both]})


def test_keys_that_arrow_filled_with_null_count_as_absent(tmp_path: Path) -> None:
    empty = {"tool_calls": None, "name": None}
    said = [{"role": "user", "content": "Hi", **empty}, {"role": "assistant", "content": "Ho", **empty}]
    row = {"messages": said, "prompt": None, "completion": None, "tools": None}
    name, example = one(tmp_path, row)
    assert (name, example.turns) == ("messages", (Turn("user", "Hi"), Turn("assistant", "Ho")))
    name, example = one(tmp_path, {"messages": None, "prompt": "Hi", "completion": "Ho"})
    assert (name, example.answer) == ("prompt-completion", "Ho")


@pytest.mark.parametrize("key", ["completion", "chosen"])
def test_prompts_and_answers_may_be_message_lists(tmp_path: Path, key: str) -> None:
    prompt = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    answer = [{"role": "assistant", "content": "Ho"}]
    _, example = one(tmp_path, {"prompt": prompt, key: answer, "rejected": answer})
    assert [turn.role for turn in example.turns] == ["system", "user", "assistant"]
    _, example = one(tmp_path, {"prompt": "Hi", key: answer})
    assert example.turns == (Turn("user", "Hi"), Turn("assistant", "Ho"))


def test_a_preference_is_read_as_what_was_chosen(tmp_path: Path) -> None:
    name, example = one(tmp_path, {"prompt": "Hi", "chosen": "Ho", "rejected": "Go away"})
    assert (name, example.prompt, example.answer) == ("preference", "Hi", "Ho")
    whole = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]
    for row in ({"chosen": whole, "rejected": whole}, {"prompt": "Hi", "chosen": whole, "rejected": whole}):
        assert one(tmp_path, row)[1].turns == (Turn("user", "Hi"), Turn("assistant", "Ho"))
    assert "there is no `prompt`" in refused(tmp_path, {"chosen": "Ho", "rejected": "Go away"})


def test_questions_with_answers_are_read(tmp_path: Path) -> None:
    name, example = one(tmp_path, {"question": "2 + 2?", "answer": "2 + 2 = 4\n#### 4"})
    assert (name, example.prompt, example.answer) == ("question-answer", "2 + 2?", "2 + 2 = 4\n#### 4")


@pytest.mark.parametrize("part", [{"type": "image_url"}, {"type": "input_audio"}, "text", 3])
def test_a_part_that_is_no_text_is_a_fault(tmp_path: Path, part: Any) -> None:
    said = [{"role": "user", "content": [part]}, {"role": "assistant", "content": "x"}]
    assert "a part that is not text" in refused(tmp_path, {"messages": said})


@pytest.mark.parametrize("tools", ["{broken", {"name": "tide"}, "3"])
def test_tools_that_are_no_list_are_a_fault(tmp_path: Path, tools: Any) -> None:
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]
    assert "`tools`" in refused(tmp_path, {"messages": said, "tools": tools})


def test_a_format_can_be_forced_and_a_wrong_name_shows_the_nearest(tmp_path: Path) -> None:
    row = {"instruction": "Add.", "output": "3", "prompt": "Hi", "completion": "Ho"}
    assert one(tmp_path, row)[0] == "alpaca"
    assert one(tmp_path, row, "prompt-completion")[1].answer == "Ho"
    with pytest.raises(DataError, match=r"not sharegpt \(its fields: instruction, output"):
        one(tmp_path, row, "sharegpt")
    with pytest.raises(ConfigError, match=r"Did you mean 'sharegpt'\?"):
        one(tmp_path, row, "shargpt")
    assert len({known.name for known in FORMATS}) == len(FORMATS) == 6


def test_what_rows_repeat_is_kept_once(tmp_path: Path) -> None:
    said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    rows = [{"messages": [*said, {"role": "assistant", "content": f"Ho {n}"}], "tools": [TOOL]} for n in range(2)]
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    first, second = read(tmp_path / "a.jsonl").examples
    assert first.turns[0] is second.turns[0]
    assert first.tools is second.tools == (TOOL,)
