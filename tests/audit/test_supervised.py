from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.audit.view_scene import CHATML, look, tokenizer, trl_template, view

from holdfast.audit.supervised import Supervised
from holdfast.data import Example, Turn, ask, read
from holdfast.harbor import PACKAGED
from holdfast.models import read_tokenizer, render_example
from holdfast.workers import Here

RASBT = Path("../shared/data/rasbt_instructions/instruction-data.json")
CHAT = tokenizer(CHATML)
ROW = ask("a:1", "When does the tide turn?", "It turns at noon.", "Be brief.")
ALL_MARKED = (
    "{% generation %}"
    + CHATML.replace("{% generation %}", "").replace("{% endgeneration %}", "")
    + "{% endgeneration %}"
)
LAST_ONLY = CHATML.replace("{% if m['role'] == 'assistant' %}", "{% if m['role'] == 'assistant' and not loop.last %}")


def test_the_tokens_of_every_role_are_counted_and_only_answers_are_learned():
    chat = tokenizer(CHATML)
    found, figure = look(Supervised(), [ROW], view(chat))
    assert found == []
    roles = figure.value["roles"]
    for role, text in (
        ("system", "Be brief."),
        ("user", "When does the tide turn?"),
        ("assistant", "It turns at noon."),
    ):
        assert roles[role]["tokens"] == len(chat(text)["input_ids"])
    assert {role for role, one in roles.items() if one["learned"]} == {"assistant", "template"}
    assert roles["template"]["learned"] == 1  # the close of the turn
    assert figure.value["tokens"] == sum(one["tokens"] for one in roles.values())
    assert figure.value["learned"] == roles["assistant"]["tokens"] + 1


def test_markers_around_everything_are_found():
    (finding,), figure = look(Supervised(), [ROW], view(tokenizer(ALL_MARKED)))
    assert finding.verdict == "other-role"
    assert "of the user's tokens" in finding.reason
    assert "of the system's tokens" in finding.reason
    assert not finding.removes
    assert figure.value["roles"]["user"]["learned"] == figure.value["roles"]["user"]["tokens"]


def test_markers_around_nothing_are_found_and_a_cut_row_is_no_such_finding():
    (finding,), _ = look(Supervised(), [ROW], view(tokenizer(LAST_ONLY)))
    assert finding.verdict == "nothing"
    assert finding.evidence == "It turns at noon."
    found, _ = look(Supervised(), [ROW], view(tokenizer(CHATML), max_length=8))
    assert found == []


def test_a_tool_s_words_are_counted_as_the_tools_and_a_call_as_the_templates():
    said = [
        Turn("user", "When is low tide?"),
        Turn("assistant", "I look."),
        Turn("tool", "06:12"),
        Turn("assistant", "At 06:12."),
    ]
    found, figure = look(Supervised(), [Example("a:1", tuple(said))], view(tokenizer(CHATML)))
    assert found == []
    assert figure.value["roles"]["tool"] == {"tokens": 5, "learned": 0}


def test_a_turn_of_weight_zero_is_noted_since_it_is_learned_all_the_same():
    def row(weight):
        early = Turn("assistant", "At eight.", {"weight": weight})
        return Example("a:1", (Turn("user", "When?"), early, Turn("user", "Sure?"), Turn("assistant", "No, at nine.")))

    (finding,), figure = look(Supervised(), [row(0)], view(CHAT))
    assert (finding.verdict, finding.evidence, finding.removes) == ("weight", "At eight.", False)
    assert figure.value["roles"]["assistant"]["learned"] == len(CHAT("At eight.No, at nine.")["input_ids"])
    assert look(Supervised(), [row(1)], view(CHAT))[0] == []


def test_tools_are_among_the_tokens():
    chat = tokenizer(trl_template("qwen2_5_training"))
    tool = {"type": "function", "function": {"name": "tide", "description": "When", "parameters": {}}}
    bare, given = (
        view(chat).read([Example("a:1", ROW.turns, tools=tools)], Here(), lambda *_: None)[0] for tools in ((), (tool,))
    )
    assert given.tokens > bare.tokens
    assert given.roles["template"][0] > bare.roles["template"][0]
    assert given.learned == bare.learned


@pytest.mark.parametrize("family", ["qwen2_5", "qwen2_5_training", "llama3", "llama3_training"])
def test_published_templates_learn_the_answers_alone(family):
    chat = tokenizer(trl_template(family), bos="<|begin_of_text|>", eos="<|eot_id|>")
    found, figure = look(Supervised(), [ROW], view(chat))
    assert found == []
    learned = {role: one["learned"] for role, one in figure.value["roles"].items()}
    assert learned["assistant"] == figure.value["roles"]["assistant"]["tokens"] > 0
    assert learned["system"] == learned["user"] == 0


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=12)), min_size=1, max_size=5))
@settings(max_examples=80, deadline=None)
def test_roles_add_up_and_learned_is_what_tune_learns(said):
    row = Example("a:1", tuple(Turn(role, text) for role, text in said))
    (one,) = view(CHAT).read([row], Here(), lambda *_: None)
    assert sum(tokens for tokens, _ in one.roles.values()) == one.tokens
    assert all(0 <= learned <= tokens for tokens, learned in one.roles.values())
    assert one.learned == render_example(CHAT, row.messages(), 512).supervised
    assert one.roles.get("user", (0, 0))[1] == 0


def test_real_rows_under_harbors_tokenizer():
    if not RASBT.exists():
        pytest.skip(f"{RASBT} is not here")
    rows = list(read(RASBT).examples)
    found, figure = look(Supervised(), rows, view(read_tokenizer(PACKAGED)))
    assert found == []
    roles = figure.value["roles"]
    assert roles["user"]["learned"] == 0
    assert roles["assistant"]["learned"] == roles["assistant"]["tokens"]
    assert roles["template"]["learned"] == len(rows)
