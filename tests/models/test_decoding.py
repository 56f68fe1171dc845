import pytest

from holdfast.errors import ConfigError, ModelError
from holdfast.models import Decoding, Model, ScriptedModel

CHATS = [[{"role": "user", "content": f"question {n}"}] for n in range(5)]


def test_every_fault_of_a_decoding_is_named_at_once():
    with pytest.raises(ConfigError) as caught:
        Decoding(temperature=-1, top_p=0, max_tokens=0, samples=0)
    assert all(word in str(caught.value) for word in ("temperature -1", "top_p 0", "max_tokens 0", "samples 0"))


@pytest.mark.parametrize("values", [{"temperature": float("nan")}, {"top_p": float("nan")}, {"top_p": 1.1}])
def test_a_value_outside_its_range_is_refused(values):
    with pytest.raises(ConfigError):
        Decoding(**values)


def test_greedy_samples_would_be_copies():
    with pytest.raises(ConfigError, match="one answer repeated"):
        Decoding(samples=5)


def test_settings_name_all_four_values():
    settings = Decoding(0.7, 0.9, 32, 5).settings
    assert settings == {"temperature": "0.7", "top_p": "0.9", "max_tokens": "32", "samples": "5"}


def test_a_script_answers_each_prompt_k_times_in_batches():
    model: Model = ScriptedModel("echo", lambda question, sample: f"{question}/{sample}", batch=2)
    batches = list(model.answer(CHATS, Decoding(temperature=1, samples=2)))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    replies = [reply for batch in batches for reply in batch]
    assert [(r.prompt, r.sample, r.text) for r in replies[:3]] == [
        (0, 0, "question 0/0"),
        (0, 1, "question 0/1"),
        (1, 0, "question 1/0"),
    ]


def test_a_mapping_without_the_question_is_an_error():
    with pytest.raises(ModelError, match="question 1"):
        list(ScriptedModel("short", {"question 0": "yes"}).answer(CHATS, Decoding()))


def test_two_scripts_are_two_models():
    assert ScriptedModel("a", {}).weights != ScriptedModel("b", {}).weights
    assert ScriptedModel("a", {}).template == ScriptedModel("b", {}).template
