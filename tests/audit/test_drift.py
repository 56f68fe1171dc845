from datetime import date

import pytest
from tests.audit.view_scene import CHATML, LLAMA_2, look, tokenizer, trl_template, view

from holdfast.audit.drift import Drift, SystemPrompts, own_system
from holdfast.data import Example, Turn, ask
from holdfast.harbor import PACKAGED
from holdfast.models import read_tokenizer, render_example, render_prompt

ROW = ask("a:1", "When does the tide turn?", "It turns at noon.")
LONG = Example("a:2", (*ROW.turns, Turn("user", "And then?"), Turn("assistant", "At midnight.")))
THOUGHT = Example(
    "a:3",
    (Turn("user", "When?"), Turn("assistant", "<think>\nhm\n</think>\n\nAt noon."), Turn("user", "Sure?"),
     Turn("assistant", "Yes.")),
)  # fmt: skip


def qwen(name):
    return tokenizer(trl_template(name), eos="<|im_end|>")


@pytest.mark.parametrize("template", [CHATML, LLAMA_2])
def test_a_template_that_asks_as_it_trains(template):
    chat = tokenizer(template, bos="<s>", eos="</s>")
    found, figure = look(Drift(), [ROW, LONG], view(chat))
    assert found == []
    assert figure.value["differ"] == 0
    assert figure.value["template_system"] == ""
    assert not figure.value["dated"]


def test_a_generation_prompt_that_says_more_than_the_training_row_is_found():
    thinks = CHATML.replace("{{ '<|im_start|>assistant\n' }}", "{{ '<|im_start|>assistant\n<think>' }}")
    chat = tokenizer(thinks)
    (finding,), figure = look(Drift(), [ROW], view(chat))
    asked, trained = render_prompt(chat, ROW.messages()[:1]), render_example(chat, ROW.messages(), 512).input_ids
    assert list(trained[: len(asked)]) != asked
    assert f"token {len(asked)}" in finding.evidence
    assert "asked with '<think>'" in finding.evidence
    assert "trained on 'It turns" in finding.evidence
    assert not finding.removes
    assert figure.value["differ"] == 1


def test_a_template_that_forgets_earlier_thoughts_is_found_where_there_are_any():
    chat = qwen("qwen3_training")
    found, _ = look(Drift(), [ROW, LONG], view(chat))
    plain = {finding.row for finding in found}
    found, _ = look(Drift(), [THOUGHT], view(chat))
    trained = render_example(chat, THOUGHT.messages(), 512).input_ids
    asked = [render_prompt(chat, THOUGHT.messages()[:turns]) for turns in (1, 3)]
    assert bool(found) == any(list(trained[: len(one)]) != one for one in asked)
    for row in (ROW, LONG):
        trained = render_example(chat, row.messages(), 512).input_ids
        asked = [render_prompt(chat, row.messages()[:turns]) for turns in range(1, len(row.turns), 2)]
        assert (row.id in plain) == any(list(trained[: len(one)]) != one for one in asked)


def test_the_thought_that_deepseek_s_prompt_opens_and_its_training_rows_lack_is_found():
    chat = tokenizer(trl_template("deepseek_r1_distill_training"), bos="<s>", eos="</s>")
    found, _ = look(Drift(), [ROW, LONG], view(chat))
    assert [finding.row for finding in found] == ["a:1", "a:2"]
    assert all("asked with '<think>" in finding.evidence for finding in found)


def test_the_system_prompt_that_a_template_adds_is_named():
    chat = qwen("qwen2_5")
    found, figure = look(Drift(), [ROW, ask("a:2", "When?", "Now.", "Be brief.")], view(chat))
    assert found == []
    assert figure.value["template_system"] == "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
    assert figure.value["without_system"] == 1
    assert "You are Qwen" in figure.says


def test_a_date_that_a_template_writes_is_named():
    chat = tokenizer(trl_template("llama3_2"), bos="<|begin_of_text|>", eos="<|eot_id|>")
    _, figure = look(Drift(), [ROW], view(chat))
    assert figure.value["dated"]
    assert "Today Date" in figure.value["template_system"]
    assert str(date.today().year) in figure.value["template_system"]


def test_role_names_are_no_system_prompt():
    for template in (CHATML, LLAMA_2):
        assert own_system(tokenizer(template, bos="<s>", eos="</s>")) == ""
    assert own_system(read_tokenizer(PACKAGED)) == ""


def test_system_prompts_are_counted_without_a_model():
    rows = [ask(f"a:{n}", "When?", "Now.", f"You are number {n % 7}." if n % 7 else "") for n in range(20)]
    found, figure = look(SystemPrompts(), rows)
    assert found == []
    assert (figure.value["rows"], figure.value["without"], figure.value["distinct"]) == (20, 3, 6)
    assert len(figure.value["top"]) == 5
    assert figure.value["top"][0] == {"system": "You are number 1.", "rows": 3}
    assert look(SystemPrompts(), []) == ([], None)


@pytest.mark.parametrize(("serving", "wrong"), [("Be brief.", ["a:1", "a:3"]), (" Be brief. ", ["a:1", "a:3"]),
                                                ("", ["a:2", "a:3"]), (None, [])])  # fmt: skip
def test_rows_of_another_system_prompt_than_the_served_are_noted(serving, wrong):
    rows = [ROW, ask("a:2", "When?", "Now.", "Be brief."), ask("a:3", "When?", "Now.", "Be long.")]
    found, figure = look(SystemPrompts(), rows, view(tokenizer(CHATML), serving=serving))
    assert [finding.row for finding in found] == wrong
    assert not any(finding.removes for finding in found)
    assert figure.value["serving"] == serving
