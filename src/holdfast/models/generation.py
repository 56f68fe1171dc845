"""From the tokens of prompts to those of answers: each prompt is read once, and what has ended is not decoded on.

Knows no tokenizer, and of an architecture only how its cache is kept.
"""

from contextlib import nullcontext
from inspect import signature
from typing import Any

from holdfast.models.cache import new_cache
from holdfast.models.decoding import Decoding
from holdfast.models.sampling import Draw, Forced

LIVE = 0.75
"""The share of a batch's rows below which those that ended leave it. What a step costs goes by its rows, and leaving
costs about a step: the cache of those that stay is copied."""


def generate(network: Any, ids: Any, mask: Any, draw: Draw, decoding: Decoding) -> Any:
    """The tokens after each prompt, `decoding.samples` rows a prompt, padded behind an answer's end.

    Args:
        network: as transformers loads it, or PEFT around it; its `generation_config` names what ends an answer.
        ids: the prompts' tokens, shape (prompts, longest), padded on the left.
        mask: 0 where a prompt is padded, else 1; same shape.
        draw: chooses the tokens, with a row for each prompt and sample.
        decoding: how many tokens, and how many samples.

    Returns:
        Shape (prompts * samples, up to max_tokens).
    """
    if not (_is_plain(network) and (held := new_cache(network))):
        return _by_library(network, ids, mask, draw, decoding)
    rows = _Rows(network, held, ids, mask, decoding.max_tokens)
    scores = rows.scores(rows.prompt)
    with getattr(network, "_optimize_model_for_decode", nullcontext)():  # experts: not while many tokens are read
        return _decode(rows, scores, draw, decoding)


class _Rows:
    """The rows of a batch that are still written: tokens, mask and positions with room for the answer, and a cache."""

    def __init__(self, network: Any, held: Any, ids: Any, mask: Any, room: int) -> None:
        from torch.nn.functional import pad

        self.network, self.held, self.prompt = network, held, ids.shape[1]
        self.padding = network.generation_config.pad_token_id
        self.ids = pad(ids, (0, room), value=self.padding)
        self.mask = pad(mask, (0, room), value=1)
        self.places = (self.mask.cumsum(1) - 1).clamp(min=0)

    def scores(self, length: int, last: int | None = None) -> Any:
        """What the network holds of each token as the next, after the first `length`; float32, (rows, vocabulary).

        `last`: how many of those it has not read yet; all, where none is given.
        """
        asked = self.network.prepare_inputs_for_generation(
            self.ids[:, :length],
            next_sequence_length=last,
            past_key_values=self.held,
            attention_mask=self.mask[:, :length],
            position_ids=self.places[:, :length],
            is_first_iteration=last is None,
            use_cache=True,
            logits_to_keep=1,
        )
        out = self.network(**asked, return_dict=True)
        self.held = out.past_key_values  # a few architectures start it anew on the way
        return out.logits[:, -1].float()

    def repeat(self, times: int) -> None:
        """Every row so many times, one after another."""
        self.held.batch_repeat_interleave(times)
        self._set(*(tensor.repeat_interleave(times, 0) for tensor in (self.ids, self.mask, self.places)))

    def keep(self, rows: Any) -> None:
        """Only these, by their numbers."""
        self.held.batch_select_indices(rows)
        self._set(*(tensor[rows] for tensor in (self.ids, self.mask, self.places)))

    def _set(self, ids: Any, mask: Any, places: Any) -> None:
        self.ids, self.mask, self.places = ids, mask, places


def _decode(rows: _Rows, scores: Any, draw: Draw, decoding: Decoding) -> Any:
    """Draw every sample's first token from the scores that follow its prompt, and go on from there."""
    import torch

    scores = scores.repeat_interleave(decoding.samples, 0)
    rows.repeat(decoding.samples)
    out = rows.ids[:, rows.prompt :].clone()
    number, live = torch.arange(len(out), device=out.device), out.new_ones(len(out), dtype=torch.bool)
    ends = out.new_tensor(rows.network.generation_config.eos_token_id or [])
    for step in range(decoding.max_tokens):
        if step:
            scores = rows.scores(rows.prompt + step, 1)
        token = draw.choose(scores, number, step).where(live, rows.padding)
        rows.ids[:, rows.prompt + step] = out[number, step] = token
        live = live & ~torch.isin(token, ends)
        left = int(live.sum())
        if not left:
            break
        if left < LIVE * len(live):
            kept = live.nonzero()[:, 0]
            rows.keep(kept)
            number, live = number[kept], live[kept]
    return out


def _by_library(network: Any, ids: Any, mask: Any, draw: Draw, decoding: Decoding) -> Any:
    """The same by transformers' `generate`, which knows every cache; it reads a prompt once for each sample."""
    from transformers import GenerationConfig

    out = network.generate(
        input_ids=ids.repeat_interleave(decoding.samples, 0),
        attention_mask=mask.repeat_interleave(decoding.samples, 0),
        generation_config=GenerationConfig(do_sample=False, max_new_tokens=decoding.max_tokens, use_cache=True),
        logits_processor=[Forced(draw, ids.shape[1])],
    )
    return out[:, ids.shape[1] :]


def _is_plain(network: Any) -> bool:
    """Whether it is asked by tokens, mask, positions and a cache, and by nothing that `generate` alone would bring."""
    adapter = getattr(network, "active_peft_config", None)
    if adapter and (adapter.is_prompt_learning or getattr(adapter, "alora_invocation_tokens", None)):
        return False
    network = network.get_base_model() if adapter else network
    turning = str(getattr(network.config.get_text_config(decoder=True), "rope_parameters", None))
    # Those turn by the longest row of a batch, and would turn back when it leaves.
    if "longrope" in turning or "dynamic" in turning:
        return False
    taken = signature(network.forward).parameters
    return not network._is_stateful and "position_ids" in taken and "logits_to_keep" in taken
