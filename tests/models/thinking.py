"""A model that thinks: random but for its output layer, by which each token is followed by the one that is told.

Its answer is the same whatever is asked, so that what is made of the answer can be told exactly.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from tests.conftest import CHAT_TEMPLATE, save_tokenizer

END = "<|end|>"
ASKS = "<|assistant|>"
THOUGHT = "They ask for the depth, and nothing speaks against it."
ANSWER = "The harbor is nine fathoms deep."


def save_thinking(folder: Path, says: Sequence[str], special: Sequence[str] = (), opened: str = "") -> Path:
    """Write a model that says these tokens, each at most once, and ends its turn; a last `…` never ends it.

    Args:
        folder: where to.
        says: what it says, in tokens of its own.
        special: those of them, or of the prompt, that are special tokens.
        opened: with what its chat template begins every answer.
    """
    import torch
    from tokenizers import AddedToken
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    save_tokenizer(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    every = dict.fromkeys([*([opened] if opened else []), *says])
    tokenizer.add_tokens([AddedToken(text, special=text in special, normalized=False) for text in every])
    asks = f"{{{{- '{ASKS}{opened}' -}}}}"
    assert CHAT_TEMPLATE.count(f"{{{{- '{ASKS}' -}}}}") == 1
    tokenizer.chat_template = CHAT_TEMPLATE.replace(f"{{{{- '{ASKS}' -}}}}", asks)
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=4,
        max_position_embeddings=512,
        tie_word_embeddings=False,
        eos_token_id=tokenizer.convert_tokens_to_ids(END),
        pad_token_id=0,
    )
    chain = [opened or ASKS, *says, *([] if says[-1] == "…" else [END])]
    ids = [tokenizer.convert_tokens_to_ids(text) for text in chain]
    ids += [ids[-1]] if says[-1] == "…" else []
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = LlamaForCausalLM(config)
        layer = network.model.layers[0]
        for matrix in (layer.self_attn.o_proj, layer.mlp.down_proj, network.lm_head):
            matrix.weight.zero_()
        network.model.embed_tokens.weight.normal_()
        for before, after in pairwise(ids):
            network.lm_head.weight[after] += network.model.embed_tokens.weight[before]
        network.save_pretrained(folder)
    return folder
