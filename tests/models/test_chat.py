from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.errors import ModelError
from holdfast.models import IGNORED, read_tokenizer, render_example, render_prompt, template_digest
from holdfast.models.chat import render_whole

CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is the opening?"},
    {"role": "assistant", "content": "The kelp."},
    {"role": "user", "content": "And the tide, 潮?"},
    {"role": "assistant", "content": "It turns at noon — é漢."},
]
UNMARKED = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


@pytest.fixture(scope="module")
def marked(tiny_model):
    return read_tokenizer(tiny_model)


def with_template(tokenizer, template):
    other = deepcopy(tokenizer)
    other.chat_template = template
    return other


def learned(tokenizer, encoded):
    return tokenizer.decode([label for label in encoded.labels if label != IGNORED])


def test_what_is_learned_is_the_answers_and_the_close_of_their_turns(marked):
    encoded = render_example(marked, CHAT, 512)
    assert learned(marked, encoded) == "The kelp.<|end|>It turns at noon — é漢.<|end|>"
    assert len(encoded.labels) == len(encoded.input_ids)
    assert not encoded.cut


def test_a_prompt_is_the_start_of_its_example(marked):
    prompt = render_prompt(marked, CHAT[:4])
    assert list(render_example(marked, CHAT, 512).input_ids[: len(prompt)]) == prompt
    assert prompt[-1] == marked.convert_tokens_to_ids("<|assistant|>")


text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)


@given(st.lists(st.tuples(text, text), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_markers_and_prefix_difference_agree(marked, turns):
    messages = [
        {"role": role, "content": content}
        for pair in turns
        for role, content in zip(("user", "assistant"), pair, strict=True)
    ]
    assert render_example(marked, messages, 4096) == render_example(with_template(marked, UNMARKED), messages, 4096)


def test_a_template_that_rewrites_earlier_turns_is_refused(marked):
    forgets = (
        "{% for m in messages %}{% if m['role'] == 'user' or loop.last %}"
        "{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
    )
    with pytest.raises(ModelError, match="rewrites earlier turns"):
        render_example(with_template(marked, forgets), CHAT, 512)


def test_no_second_bos(marked):
    tokenizer = with_template(marked, "{{ '<|system|>' }}" + UNMARKED)
    tokenizer.bos_token = "<|system|>"
    tokenizer.add_bos_token = True
    ids = render_prompt(tokenizer, CHAT[1:2])
    assert ids.count(tokenizer.bos_token_id) == 1


def test_a_long_row_keeps_its_start_and_says_so(marked):
    whole = render_example(marked, CHAT, 512)
    short = render_example(marked, CHAT, len(whole.input_ids) - 3)
    assert short.cut
    assert short.input_ids == whole.input_ids[:-3]
    assert short.supervised == whole.supervised - 3


def test_a_row_whose_answer_is_cut_away_supervises_nothing(marked):
    prompt = render_prompt(marked, CHAT[:2])
    assert render_example(marked, CHAT[:3], len(prompt)).supervised == 0
    assert render_example(marked, CHAT[:3], len(prompt) + 1).supervised == 1


def test_a_templates_complaint_names_the_roles(marked):
    strict = with_template(marked, "{{ raise_exception('roles must alternate') }}")
    with pytest.raises(ModelError, match=r"system, user, assistant[\s\S]*roles must alternate"):
        render_example(strict, CHAT[:3], 512)


def test_a_tokenizer_without_a_template_is_refused(marked):
    with pytest.raises(ModelError, match="no chat template"):
        render_prompt(with_template(marked, None), CHAT[:2])


def test_the_digest_is_the_templates(marked):
    assert template_digest(marked) == template_digest(deepcopy(marked))
    assert template_digest(marked) != template_digest(with_template(marked, UNMARKED))


CALLS = (
    "{% if tools %}{{ '<|system|>' + tools | tojson + '<|end|>' }}{% endif %}"
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' }}{% if m['role'] == 'assistant' %}"
    "{% generation %}{{ m['content'] }}{% for call in m['tool_calls'] %}"
    "{{ call['function']['name'] + call['function']['arguments'] | tojson }}{% endfor %}{{ '<|end|>' }}"
    "{% endgeneration %}{% else %}{{ m['content'] + '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
TIDE = {"type": "function", "function": {"name": "tide", "description": "", "parameters": {}}}


def called(arguments):
    call = {"type": "function", "function": {"name": "tide", "arguments": arguments}}
    return [{"role": "user", "content": "When?"}, {"role": "assistant", "content": None, "tool_calls": [call]}]


def test_a_call_is_learned_with_its_arguments_as_an_object(marked):
    tokenizer = with_template(marked, CALLS)
    encoded = render_example(tokenizer, called('{"port": "Bay"}'), 512)
    assert learned(tokenizer, encoded) == 'tide{"port": "Bay"}<|end|>'
    assert encoded == render_example(tokenizer, called({"port": "Bay"}), 512)


def test_arguments_that_are_no_json_are_left_as_they_are(marked):
    tokenizer = with_template(marked, CALLS)
    assert learned(tokenizer, render_example(tokenizer, called("Bay"), 512)) == 'tide"Bay"<|end|>'


def test_tools_are_part_of_prompt_and_row(marked):
    tokenizer = with_template(marked, CALLS)
    prompt = render_prompt(tokenizer, CHAT[1:2], [TIDE])
    assert '"name": "tide"' in tokenizer.decode(prompt)
    assert list(render_example(tokenizer, CHAT[1:3], 512, [TIDE]).input_ids[: len(prompt)]) == prompt
    assert len(prompt) > len(render_prompt(tokenizer, CHAT[1:2]))


@pytest.mark.parametrize("template", [None, UNMARKED])
def test_what_is_seen_whole_is_what_is_encoded(marked, template):
    tokenizer = with_template(marked, template) if template else marked
    whole, encoded = render_whole(tokenizer, CHAT), render_example(tokenizer, CHAT, 512)
    assert tuple(whole.ids) == encoded.input_ids
    assert whole.learned == [label != IGNORED for label in encoded.labels]
    assert whole.text == tokenizer.decode(whole.ids)
    for token, (start, end) in zip(whole.ids, whole.spans, strict=True):
        said = tokenizer.decode([token])
        assert "\N{REPLACEMENT CHARACTER}" in said or said.strip() == whole.text[start:end].strip()


def test_a_template_that_fails_as_programs_do_is_one_clear_error(marked):
    with pytest.raises(ModelError, match="refuses a conversation of user"):
        render_prompt(with_template(marked, "{{ messages[0]['content'] + 1 }}"), CHAT[1:2])
