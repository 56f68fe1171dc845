"""Our decoding against transformers' `generate` with the same draws, over kinds of caches, positions and adapters."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from holdfast.models import Decoding, quiet
from holdfast.models.cache import ROOM, new_cache
from holdfast.models.generation import generate
from holdfast.models.sampling import Draw, Forced, uniforms

ENDS = tuple(range(1, 13))
"""So many tokens end an answer that some do after one token and some never."""
WIDTHS = {"vocab_size": 128, "hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 2, "pad_token_id": 0}
SPREAD = {**WIDTHS, "intermediate_size": 64, "num_key_value_heads": 2, "initializer_range": 0.2, "head_dim": 8}
PROMPTS = [[20 + (7 * n + 3 * at) % 100 for at in range(length)] for n, length in enumerate((1, 2, 5, 9, 9, 14, 30))]


def llama() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(LlamaConfig(**SPREAD))


def gpt2() -> Any:
    """Positions that are learned, and added before the first layer."""
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(**WIDTHS, n_positions=128, initializer_range=0.2))


def bloom() -> Any:
    """No positions at all, only distances that it takes from the mask."""
    from transformers import BloomConfig, BloomForCausalLM

    return BloomForCausalLM(BloomConfig(**WIDTHS, initializer_range=0.2))


def mistral() -> Any:
    """A window shorter than the prompts."""
    from transformers import MistralConfig, MistralForCausalLM

    return MistralForCausalLM(MistralConfig(**SPREAD, sliding_window=6))


def gemma3() -> Any:
    """A window in every second layer, and a position encoding for each kind."""
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    kinds = ["sliding_attention", "full_attention"]
    return Gemma3ForCausalLM(Gemma3TextConfig(**SPREAD, sliding_window=6, layer_types=kinds))


def phi3(**rope: Any) -> Any:
    """It drops its cache once a batch is longer than 33 tokens, and reads all of it again."""
    from transformers import Phi3Config, Phi3ForCausalLM

    sizes = {key: value for key, value in SPREAD.items() if key != "head_dim"}
    return Phi3ForCausalLM(
        Phi3Config(**sizes, max_position_embeddings=128, original_max_position_embeddings=33, **rope)
    )


def longrope() -> Any:
    """Past those 33 tokens it encodes the positions of the whole batch in another way."""
    factors = {"short_factor": [1.0] * 4, "long_factor": [4.0] * 4}
    parameters = {"rope_type": "longrope", "rope_theta": 1e4, "original_max_position_embeddings": 33}
    return phi3(rope_parameters=parameters | factors)


def mamba2() -> Any:
    """A state in place of a cache."""
    from transformers import Mamba2Config, Mamba2ForCausalLM

    sizes = {"head_dim": 16, "num_heads": 4, "n_groups": 1, "state_size": 16, "chunk_size": 16}
    plain = {key: WIDTHS[key] for key in ("vocab_size", "hidden_size", "num_hidden_layers", "pad_token_id")}
    return Mamba2ForCausalLM(Mamba2Config(**plain, **sizes, tie_word_embeddings=True, initializer_range=0.5))


def with_lora() -> Any:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj", "down_proj"], init_lora_weights=False)
    return get_peft_model(llama(), config)


def with_prefix() -> Any:
    """Key and values that were learned stand before every prompt."""
    from peft import PrefixTuningConfig, get_peft_model

    return get_peft_model(llama(), PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3))


SHARED = (llama, gpt2, mistral, gemma3, phi3, with_lora)
NOT_SHARED = (bloom, longrope, mamba2, with_prefix)


@cache
def made(make: Callable[[], Any], ends: tuple[int, ...] = ENDS) -> Any:
    import torch
    from transformers import GenerationConfig

    with torch.random.fork_rng(), quiet():
        torch.manual_seed(0)
        network = make().eval()
    network.generation_config = GenerationConfig(eos_token_id=list(ends), pad_token_id=0)
    return network


def padded(prompts: list[list[int]]) -> tuple[Any, Any]:
    import torch

    longest = max(map(len, prompts))
    ids = [[0] * (longest - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids), torch.tensor(mask)


def drawing(prompts: list[list[int]], decoding: Decoding) -> Draw:
    if not decoding.temperature:
        return Draw([], decoding, "cpu")
    chats = [[{"role": "user", "content": str(prompt)}] for prompt in prompts]
    rows = [uniforms(0, chat, n, decoding.max_tokens) for chat in chats for n in range(decoding.samples)]
    return Draw(rows, decoding, "cpu")


def ended(rows: Any) -> list[list[int]]:
    """The tokens of each answer up to its end."""
    cut = [next((at + 1 for at, token in enumerate(row) if token in ENDS), len(row)) for row in rows.tolist()]
    return [row[:at] for row, at in zip(rows.tolist(), cut, strict=True)]


def ours(network: Any, prompts: list[list[int]], decoding: Decoding) -> list[list[int]]:
    import torch

    with torch.inference_mode():
        return ended(generate(network, *padded(prompts), drawing(prompts, decoding), decoding))


def theirs(network: Any, prompts: list[list[int]], decoding: Decoding) -> list[list[int]]:
    """Each prompt once for each sample, all in one batch, by the library."""
    import torch
    from transformers import GenerationConfig

    ids, mask = (tensor.repeat_interleave(decoding.samples, 0) for tensor in padded(prompts))
    config = GenerationConfig(do_sample=False, max_new_tokens=decoding.max_tokens)
    force = [Forced(drawing(prompts, decoding), ids.shape[1])] if decoding.temperature else []
    with torch.inference_mode():
        out = network.generate(input_ids=ids, attention_mask=mask, generation_config=config, logits_processor=force)
    return ended(out[:, ids.shape[1] :])


@pytest.mark.parametrize("samples", [0, 1, 3])
@pytest.mark.parametrize("make", SHARED + NOT_SHARED, ids=lambda make: make.__name__)
def test_the_answers_are_those_of_generate(make, samples):
    decoding = Decoding(1.0, 0.9, 12, samples) if samples else Decoding(max_tokens=12)
    network = made(make)
    found = ours(network, PROMPTS, decoding)
    assert found == theirs(network, PROMPTS, decoding)
    if samples == 3:
        assert len(set(map(tuple, found))) > 12
        assert len({len(row) for row in found}) > 3, "they end at different times"


# Without phi3: transformers 5.10 reads only the last token again, in its own generate too.
@pytest.mark.parametrize("make", [make for make in SHARED if make is not phi3], ids=lambda make: make.__name__)
def test_a_sample_depends_on_its_prompt_and_number_alone(make):
    network = made(make)
    three = ours(network, PROMPTS, Decoding(1.0, 1.0, 10, 3))
    assert three[::3] == ours(network, PROMPTS, Decoding(1.0, 1.0, 10, 1))
    assert three[6:9] == ours(network, PROMPTS[2:3], Decoding(1.0, 1.0, 10, 3))


@given(
    prompts=st.lists(st.lists(st.integers(13, 127), min_size=1, max_size=40), min_size=1, max_size=6),
    samples=st.integers(1, 4),
    tokens=st.integers(1, 6 * ROOM),
)
@hypothesis_settings(max_examples=15)
def test_any_prompts_any_samples_any_length(prompts, samples, tokens):
    decoding, network = Decoding(1.3, 1.0, tokens, samples), made(llama, (1,))
    assert ours(network, prompts, decoding) == theirs(network, prompts, decoding)


@pytest.mark.parametrize("make", SHARED, ids=lambda make: make.__name__)
def test_a_prompt_is_read_once_and_what_ended_is_not_decoded_on(make):
    network, read = made(make), []
    inner = network.get_base_model() if hasattr(network, "get_base_model") else network
    hook = inner.register_forward_pre_hook(lambda _, __, named: read.append(named["input_ids"].shape), with_kwargs=True)
    prompts = [prompt for prompt in PROMPTS if len(prompt) < 10]
    found = ours(network, prompts, Decoding(1.0, 1.0, 20, 5))
    hook.remove()
    assert tuple(read[0]) == (len(prompts), 9), "each prompt once for its five samples"
    assert {shape[1] for shape in read[1:]} == {1}
    rows = [shape[0] for shape in read[1:]]
    alive = [sum(len(row) > step for row in found) for step in range(1, len(rows) + 1)]
    assert len(rows) == max(map(len, found)) - 1
    assert all(0.75 * given <= wanted <= given for given, wanted in zip(rows, alive, strict=True))


@pytest.mark.parametrize("make", SHARED, ids=lambda make: make.__name__)
def test_a_cache_of_these_kinds_can_be_shared(make):
    assert new_cache(made(make)) is not None


def test_a_state_can_not():
    assert new_cache(made(mamba2)) is None


@given(
    steps=st.lists(st.sampled_from(["write", "write many", "repeat", "keep"]), max_size=12),
    length=st.integers(1, 9),
    seed=st.integers(0, 99),
)
def test_the_cache_holds_what_transformers_own_does(steps, length, seed):
    import torch
    from transformers.cache_utils import DynamicLayer

    roomy, plain = new_cache(made(llama)).layers[0], DynamicLayer()
    rng = torch.Generator().manual_seed(seed)

    def write(tokens: int) -> None:
        rows = plain.keys.shape[0] if plain.get_seq_length() else 3
        new = [torch.rand(rows, 2, tokens, width, generator=rng) for width in (4, 5)]
        assert all(a.equal(b) for a, b in zip(roomy.update(*new), plain.update(*new), strict=True))

    write(length)
    for step in steps:
        if step.startswith("write"):
            write(1 if step == "write" else 3 * ROOM)
            continue
        for layer in (roomy, plain):
            if step == "repeat":
                layer.batch_repeat_interleave(2)
            else:
                layer.batch_select_indices(torch.arange(0, layer.keys.shape[0], 2))
        assert roomy.get_seq_length() == plain.get_seq_length()
        assert roomy.keys.equal(plain.keys)
        assert roomy.values.equal(plain.values)
