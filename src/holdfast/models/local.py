"""A checkpoint on this machine that answers in batches. Does not know what its answers are for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.errors import ModelError
from holdfast.models.chat import render_prompt, template_digest
from holdfast.models.checkpoint import (
    base_of,
    check_base,
    check_folder,
    default_device,
    digest_weights,
    is_adapter,
    read_adapter,
    read_dtype,
    read_network,
    read_tokenizer,
)
from holdfast.models.decoded import decoded
from holdfast.models.decoding import Chat, Decoding, Reply
from holdfast.models.generation import generate
from holdfast.models.quiet import quiet
from holdfast.models.sampling import Draw, uniforms


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A loaded checkpoint: network, tokenizer, and the digests that say which it is."""

    name: str
    weights: str
    template: str
    network: Any = field(repr=False)
    tokenizer: Any = field(repr=False)
    batch: int = 256
    """Answers generated together. It changes speed and memory, never an answer."""
    precision: str = ""
    """What the weights were read as, where it was asked for: `bfloat16`, `4 bits`; empty for the usual."""

    def answer(self, prompts: Sequence[Chat], decoding: Decoding, seed: int = 0) -> Iterator[tuple[Reply, ...]]:
        """Answer every prompt `decoding.samples` times, the longest prompts first, a batch at a time.

        Equal conversations have equal answers. Greedy and sampled answers are the same in any batch, up to
        rounding in the logits (about 1e-6 relative in float32), which decides only exact ties.

        Raises:
            ModelError: a prompt and its answer do not fit the model's context.
        """
        asked = [render_prompt(self.tokenizer, chat) for chat in prompts]
        self._check_context(asked, decoding)
        order = sorted(range(len(prompts)), key=lambda place: -len(asked[place]))
        together = max(1, self.batch // decoding.samples)
        for start in range(0, len(order), together):
            places = order[start : start + together]
            numbers = _numbers([prompts[place] for place in places], decoding, seed)
            rows = self._generate([asked[place] for place in places], numbers, decoding)
            yield tuple(
                self._reply(places[row // decoding.samples], row % decoding.samples, tokens, asked)
                for row, tokens in enumerate(rows)
            )

    def _check_context(self, asked: Sequence[Sequence[int]], decoding: Decoding) -> None:
        room = getattr(self.network.config, "max_position_embeddings", None)
        needed = max((len(ids) for ids in asked), default=0) + decoding.max_tokens
        if room is not None and needed > room:
            raise ModelError(
                f"{self.name!r} reads {room} tokens; the longest prompt and its answer take {needed}.",
                "Past its context a model answers badly, and that would be counted against it.",
                f"Lower max_tokens from {decoding.max_tokens}, or leave the longest prompts out.",
            )

    def _generate(self, asked: Sequence[Sequence[int]], numbers: Sequence[Any], decoding: Decoding) -> Any:
        """The tokens after each prompt, k rows a prompt: shape (prompts * k, up to max_tokens)."""
        import torch

        ids, mask = self._pad(asked)
        draw = Draw(numbers, decoding, ids.device)
        with torch.inference_mode(), quiet():
            return generate(self.network, ids, mask, draw, decoding).tolist()

    def _pad(self, asked: Sequence[Sequence[int]]) -> tuple[Any, Any]:
        """Token ids and attention mask, both (prompts, longest), padded on the left so that answers align."""
        import torch

        longest, pad = max(map(len, asked)), self.network.generation_config.pad_token_id
        ids = [[pad] * (longest - len(row)) + list(row) for row in asked]
        mask = [[0] * (longest - len(row)) + [1] * len(row) for row in asked]
        device = self.network.device
        return torch.tensor(ids, device=device), torch.tensor(mask, device=device)

    def _reply(self, place: int, sample: int, tokens: list[int], asked: Sequence[Sequence[int]]) -> Reply:
        """Cut at the close of the turn; an answer without one ran into the limit."""
        ends = self.network.generation_config.eos_token_id or ()
        close = next((at for at, token in enumerate(tokens) if token in ends), None)
        said = decoded(self.tokenizer, asked[place], tokens[:close], ended=close is not None)
        return Reply(place, sample, said.answer, "length" if close is None else "end", thought=said.thought)


def load(
    folder: Path,
    base: Path | None = None,
    device: str | None = None,
    name: str = "",
    batch: int = 256,
    dtype: str = "auto",
    bits: int = 0,
) -> LocalModel:
    """Open a model folder, or an adapter folder on its base (which the adapter names, if `base` does not).

    By itself float32 on a CPU, else the dtype of the checkpoint; `dtype` and `bits` (4 or 8) read it otherwise.
    Decoding defaults that a checkpoint brings along (a repetition penalty, a temperature) are set aside: what
    `Decoding` states is all that happens.

    Raises:
        ModelError: the folder is no model, is pickled, needs code of its own, or does not fit.
    """
    import torch

    check_folder(folder)
    adapter = folder if is_adapter(folder) else None
    whole = (base or base_of(folder)) if adapter else folder
    check_folder(whole)
    if adapter:
        check_base(adapter, whole)
    device = device or default_device()
    tokenizer = read_tokenizer(folder if (folder / "tokenizer_config.json").is_file() else whole)
    usual = torch.float32 if device == "cpu" else read_dtype(whole)
    network = read_network(whole, usual if dtype == "auto" else getattr(torch, dtype), device, bits)
    _set_decoding(network, tokenizer)
    folders = (whole, folder) if adapter else (whole,)
    return LocalModel(
        name=name or folder.name,
        weights=digest_weights(*folders),
        template=template_digest(tokenizer),
        network=read_adapter(network, folder) if adapter else network,
        tokenizer=tokenizer,
        batch=batch,
        precision=f"{bits} bits" if bits else dtype.removeprefix("auto"),
    )


def _numbers(chats: Sequence[Chat], decoding: Decoding, seed: int) -> list[Any]:
    """One stream of uniform numbers for each (prompt, sample); none when the choice is greedy."""
    if decoding.temperature == 0:
        return []
    return [uniforms(seed, chat, sample, decoding.max_tokens) for chat in chats for sample in range(decoding.samples)]


def _set_decoding(network: Any, tokenizer: Any) -> None:
    """Keep what ends a turn, from wherever the checkpoint says it; drop every other default it brings."""
    from transformers import GenerationConfig

    ends: set[int] = set()
    for named in (
        network.generation_config.eos_token_id,
        network.config.eos_token_id,
        tokenizer.eos_token_id,
    ):
        ends |= set(named if isinstance(named, list) else [named]) - {None}
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(ends, default=0)
    network.generation_config = GenerationConfig(eos_token_id=sorted(ends) or None, pad_token_id=pad)
