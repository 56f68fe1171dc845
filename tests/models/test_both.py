"""A base and an adapter as one network: the same answers as two loads, to the last bit, from half the weights."""

import json
import shutil
from itertools import zip_longest

import pytest
from tests.conftest import save_llama
from tests.models.test_interpolation import KINDS, adapter, logits

from holdfast.errors import ModelError
from holdfast.models import Decoding, is_switched, load, load_both, local, quiet

pytestmark = pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`", "ignore:Input and output embed")
"""Half of these adapters are of the kinds that PEFT warns of."""

CHATS = [[{"role": "user", "content": f"What holds {'fast ' * (n % 4)}at tide {n}?"}] for n in range(12)]
GREEDY, SAMPLED = Decoding(max_tokens=12), Decoding(temperature=1.0, max_tokens=12, samples=3)
INTO_THE_BASE = ("pissa", "olora")
SHARED = [kind for kind in KINDS if kind not in INTO_THE_BASE]


@pytest.fixture(scope="module")
def tuned(tiny_model, tmp_path_factory):
    made = {}

    def make(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp("both") / kind
            made[kind] = adapter(tiny_model, folder, **{**KINDS, "biased": {"bias": "all"}}[kind])
        return made[kind]

    return make


@pytest.fixture
def reads(monkeypatch):
    """How often a base's network was read."""
    read, count = local.read_network, []
    monkeypatch.setattr(local, "read_network", lambda *words: count.append(words) or read(*words))
    return count


def answers(model, decoding, chats=CHATS):
    return {(r.prompt, r.sample): (r.text, r.stop) for part in model.answer(chats, decoding, 1) for r in part}


@pytest.mark.parametrize("kind", SHARED)
def test_both_are_what_two_loads_are_to_the_last_bit(tiny_model, tuned, reads, kind):
    folder = tuned(kind)
    reads.clear()
    base, with_it = load_both(tiny_model, folder)
    assert len(reads) == 1
    alone = load(tiny_model), load(folder, tiny_model)
    assert not logits(alone[0]).equal(logits(alone[1])), "it was tuned"
    for _ in range(2):  # in turns: what one leaves behind must not reach the other
        for found, own in zip((base, with_it), alone, strict=True):
            assert logits(found).equal(logits(own))
            assert answers(found, GREEDY) == answers(own, GREEDY)
            assert answers(found, SAMPLED) == answers(own, SAMPLED)


@pytest.mark.parametrize("kind", INTO_THE_BASE)
def test_an_adapter_that_changes_its_base_is_loaded_apart(tiny_model, tuned, reads, kind):
    folder = tuned(kind)
    reads.clear()
    base, with_it = load_both(tiny_model, folder)
    assert len(reads) == 2
    assert logits(base).equal(logits(load(tiny_model)))
    assert logits(with_it).equal(logits(load(folder, tiny_model)))


def test_answers_in_turns_do_not_mix(tiny_model, tuned):
    base, with_it = load_both(tiny_model, tuned("lora"), batch=3)
    wanted = answers(base, GREEDY), answers(with_it, GREEDY)
    found = {}, {}
    for pair in zip_longest(base.answer(CHATS, GREEDY), with_it.answer(CHATS[:5], GREEDY), fillvalue=()):
        for kept, part in zip(found, pair, strict=True):
            kept |= {(r.prompt, r.sample): (r.text, r.stop) for r in part}
    assert found[0] == wanted[0]
    assert found[1] == {key: value for key, value in wanted[1].items() if key[0] < 5}
    assert found[1] != {key: value for key, value in wanted[0].items() if key[0] < 5}


def test_names_and_digests_are_those_of_two_loads(tiny_model, tuned):
    found = load_both(tiny_model, tuned("lora"), names=("before", ""))
    alone = load(tiny_model, name="before"), load(tuned("lora"), tiny_model)
    for one, own in zip(found, alone, strict=True):
        assert (one.name, one.weights, one.template, one.precision) == (own.name, own.weights, own.template, "")
    assert found[0].weights != found[1].weights


def test_the_base_is_in_memory_once(tiny_model, tuned):
    def held(models):
        tensors = [tensor for model in models for tensor in model.network.state_dict().values()]
        return sum({tensor.data_ptr(): tensor.nbytes for tensor in tensors}.values())

    whole, shared = held([load(tiny_model)]), held(load_both(tiny_model, tuned("lora")))
    apart = held([load(tiny_model), load(tuned("lora"), tiny_model)])
    assert apart - shared == whole


def test_the_adapters_own_tokenizer_asks_it(tiny_model, tuned, tmp_path):
    folder = shutil.copytree(tuned("lora"), tmp_path / "own")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny_model / name, folder)
    template = (tiny_model / "chat_template.jinja").read_text()
    (folder / "chat_template.jinja").write_text(template.replace("'<|assistant|>'", "'<|assistant|>Well, '"))
    base, with_it = load_both(tiny_model, folder)
    own = load(folder, tiny_model)
    assert base.template != with_it.template == own.template
    assert answers(with_it, GREEDY) == answers(own, GREEDY)
    assert answers(base, GREEDY) == answers(load(tiny_model), GREEDY)


def test_another_end_of_an_answer_is_another_network(tiny_model, tuned, reads, tmp_path):
    folder = shutil.copytree(tuned("lora"), tmp_path / "ends")
    for name in ("tokenizer.json", "chat_template.jinja", "tokenizer_config.json"):
        shutil.copy(tiny_model / name, folder)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(config | {"eos_token": "<|user|>"}))
    reads.clear()
    base, with_it = load_both(tiny_model, folder)
    assert len(reads) == 2
    assert answers(base, GREEDY) == answers(load(tiny_model), GREEDY)
    assert answers(with_it, GREEDY) == answers(load(folder, tiny_model), GREEDY)


def test_what_is_not_known_to_leave_the_base_alone_is_not_shared(tiny_model, tuned, tmp_path):
    assert not is_switched(tiny_model, tiny_model), "no adapter"
    assert not is_switched(tiny_model, tuned("biased"))
    folder = shutil.copytree(tuned("lora"), tmp_path / "new")
    config = json.loads((folder / "adapter_config.json").read_text())
    for setting, value in (("a_setting_of_tomorrow", True), ("peft_type", "LOHA"), ("layer_replication", [[0, 2]])):
        (folder / "adapter_config.json").write_text(json.dumps(config | {setting: value}))
        assert not is_switched(tiny_model, folder), setting
    (folder / "adapter_config.json").write_text(json.dumps(config))
    assert is_switched(tiny_model, folder)


def test_a_resized_embedding_is_not_shared(tiny_model, tmp_path):
    from peft import LoraConfig, get_peft_model

    with quiet():
        network = get_peft_model(load(tiny_model).network, LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"]))
        network.create_or_update_model_card = lambda *_: None
        network.save_pretrained(tmp_path / "resized", save_embedding_layers=True)
    assert not is_switched(tiny_model, tmp_path / "resized")


def test_in_bfloat16_too(tiny_model, tuned):
    found = load_both(tiny_model, tuned("dora"), dtype="bfloat16")
    alone = load(tiny_model, dtype="bfloat16"), load(tuned("dora"), tiny_model, dtype="bfloat16")
    for one, own in zip(found, alone, strict=True):
        assert logits(one).equal(logits(own))
        assert one.precision == "bfloat16"


def test_an_adapter_of_another_base_is_refused(tiny_model, tuned, tmp_path):
    other = save_llama(tmp_path / "other", hidden=64)
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_both(other, tuned("lora"))
