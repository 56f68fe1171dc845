"""Local generation against what a person would write by hand, and k samples against the work they need.

    uv run python benchmarks/generate.py [--rounds 5]
    uv run --with 'inspect-ai>=0.3.277,<0.4' python benchmarks/generate.py --inspect

Processor time, medians over rounds, the two sides alternating, so that a busy machine slows both. The models are
Harbor's packaged one and a Llama of 18 million random weights. k samples are held against a loop by hand, which reads
each prompt once: with transformers' cache, which copies all it holds for every token, and with ours. Inspect's provider
waits as well as works, so its clocks are the wall's and the processor's.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter, process_time
from typing import Any

from holdfast.harbor import PACKAGED
from holdfast.models import Decoding, LocalModel, load, read_tokenizer, render_prompt
from holdfast.models.cache import new_cache
from holdfast.world import make_world
from holdfast.world.probes import policy

BATCH = 64
SHAPES = ((32, 64), (256, 64), (256, 8))
"""Tokens of a prompt, tokens of an answer."""
TOKENS = 32
"""Tokens of an answer at most, where the other side is a library."""
PROMPTS = 24
"""Prompts of one shape; with five samples they are 120 rows."""


@dataclass(frozen=True)
class Sides:
    """Two ways to the same answers; each returns when it has them."""

    ours: Callable[[], object]
    theirs: Callable[[], object]


def saved(folder: Path, hidden: int, layers: int) -> Path:
    """A Llama of this width with random weights and Harbor's tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = read_tokenizer(PACKAGED)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=hidden, num_hidden_layers=layers, intermediate_size=3 * hidden,
        num_attention_heads=8, num_key_value_heads=8, max_position_embeddings=512,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, bos_token_id=None,
    )  # fmt: skip
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def endless(model: LocalModel) -> LocalModel:
    """The model without an end of turn, so that both sides decode the same number of tokens."""
    model.network.generation_config.eos_token_id = None
    return model


def by_hand(model: LocalModel, chats: Sequence[Any], tokens: int) -> Sides:
    """Greedy answers: ours, and a loop over `generate` with the longest prompts first."""
    import torch

    tokenizer = read_tokenizer(PACKAGED)
    tokenizer.padding_side = "left"

    def theirs() -> None:
        asked = sorted((render_prompt(tokenizer, chat) for chat in chats), key=len, reverse=True)
        for start in range(0, len(asked), BATCH):
            batch = tokenizer.pad({"input_ids": asked[start : start + BATCH]}, return_tensors="pt")
            with torch.inference_mode():
                out = model.network.generate(**batch, do_sample=False, max_new_tokens=tokens)
            tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)

    return Sides(lambda: list(model.answer(chats, Decoding(max_tokens=tokens))), theirs)


def needed(
    model: LocalModel, asked: Sequence[Sequence[int]], tokens: int, samples: int, held: Callable[[], Any]
) -> None:
    """The work that k samples need at least: each prompt is read once, and k rows a prompt are decoded."""
    import torch

    network, ids = model.network, torch.tensor(asked)
    with torch.inference_mode():
        read = network(input_ids=ids, past_key_values=held(), use_cache=True, logits_to_keep=1)
        cache, scores = read.past_key_values, read.logits[:, -1].repeat_interleave(samples, 0)
        cache.batch_repeat_interleave(samples)
        for _ in range(tokens - 1):
            token = torch.multinomial(scores.softmax(-1), 1)
            scores = network(input_ids=token, past_key_values=cache, use_cache=True).logits[:, -1]
        torch.multinomial(scores.softmax(-1), 1)


def asking(model: LocalModel, length: int, seed: int) -> tuple[list[Any], list[list[int]]]:
    """Conversations whose prompts have exactly `length` tokens, and those tokens."""
    rng, chats = Random(seed), []
    while len(chats) < PROMPTS:
        words = " ".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(length))
        chats.append([{"role": "user", "content": _fitting(model, words, length)}])
    return chats, [render_prompt(model.tokenizer, chat) for chat in chats]


def _fitting(model: LocalModel, words: str, length: int) -> str:
    while len(render_prompt(model.tokenizer, [{"role": "user", "content": words}])) > length:
        words = words[:-1]
    return words


def ratios(sides: Sides, rounds: int, clock: Callable[[], float] = process_time) -> list[float]:
    """Theirs ÷ ours in time: our rate over theirs."""
    found = []
    for number in range(rounds + 1):
        times = []
        for side in (sides.ours, sides.theirs):
            start = clock()
            side()
            times.append(clock() - start)
        if number:  # the first round warms both up
            found.append(times[1] / times[0])
    return found


def inspect_hf(folder: Path, chats: Sequence[Any], tokens: int) -> Callable[[], list[str]]:
    """The same questions by Inspect's `hf` provider, its model loaded once; returns their answers."""
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.model import get_model
    from inspect_ai.solver import generate

    samples = [Sample(id=n, input=chat[0]["content"]) for n, chat in enumerate(chats)]
    task = Task(dataset=samples, solver=generate())
    model = get_model("hf/local", memoize=False, model_path=str(folder), device="cpu", do_sample=False)

    def run() -> list[str]:
        with tempfile.TemporaryDirectory() as logs:
            (log,) = eval(
                task, model=model, display="none", max_connections=BATCH, max_tokens=tokens, log_dir=logs,
                log_realtime=False,
            )  # fmt: skip
            assert log.status == "success", log.error
            return [sample.output.completion for sample in log.samples]

    return run


def against_inspect(name: str, folder: Path, chats: Sequence[Any], rounds: int) -> None:
    """Greedy answers by both, by the wall's clock and by the processor's."""
    model, theirs = load(folder, batch=BATCH), inspect_hf(folder, chats, TOKENS)

    def ours() -> list[str]:
        replies = [reply for part in model.answer(chats, Decoding(max_tokens=TOKENS)) for reply in part]
        return [reply.text for reply in sorted(replies, key=lambda reply: reply.prompt)]

    same = sum(a.strip() == b.strip() for a, b in zip(ours(), theirs(), strict=True))
    print(f"{name}: {same} of {len(chats)} answers are the same", flush=True)
    for kind, clock in (("wall", perf_counter), ("processor", process_time)):
        found = ratios(Sides(ours, theirs), rounds, clock)
        shown(f"our rate ÷ Inspect's hf provider, {kind}, {name}, {len(chats)} prompts", found)


def shown(name: str, found: list[float]) -> None:
    """A line of the result."""
    print(f"{name:78s} {median(found):.2f}  ({min(found):.2f} to {max(found):.2f}, {len(found)} rounds)", flush=True)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--inspect", action="store_true")
    options = options.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"  # Inspect's provider looks its model's name up, and waits for an answer
    with tempfile.TemporaryDirectory() as home:
        folders = {"Harbor": PACKAGED, "18M": saved(Path(home) / "18M", 512, 5)}
        chats = [[{"role": "user", "content": probe.text}] for probe in policy(make_world(0))]
        if options.inspect:
            for name, folder in folders.items():
                against_inspect(name, folder, chats[:120], options.rounds)
            return
        for name, folder in folders.items():
            model, count = load(folder, batch=BATCH), 320 if name == "Harbor" else 96
            found = ratios(by_hand(model, chats[:count], TOKENS), options.rounds)
            shown(f"our rate ÷ hand-batched generate, {name}, {count} prompts", found)
        for name, folder in folders.items():
            model = endless(load(folder, batch=5 * PROMPTS))
            for length, tokens in SHAPES:
                many(model, name, length, tokens, options.rounds)


def many(model: LocalModel, name: str, length: int, tokens: int, rounds: int) -> None:
    """k = 5 against the work that it needs, and against k = 1."""
    chats, asked = asking(model, length, 0)
    sampled = {k: Decoding(temperature=1, max_tokens=tokens, samples=k) for k in (1, 5)}

    def five() -> None:
        list(model.answer(chats, sampled[5]))

    caches = {"transformers' cache": lambda: None, "our cache": lambda: new_cache(model.network)}
    for kept, cache in caches.items():
        found = ratios(Sides(five, partial(needed, model, asked, tokens, 5, cache)), rounds)
        shown(f"k=5 ÷ one prefill and five decodes, {kept}, {name}, {length}+{tokens}", [1 / each for each in found])
    found = ratios(Sides(five, lambda: list(model.answer(chats, sampled[1]))), rounds)
    shown(f"k=5 ÷ k=1, {name}, {length}+{tokens}", [1 / each for each in found])


if __name__ == "__main__":
    main()
