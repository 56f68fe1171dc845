"""Building a Harbor checkpoint: tokenizer, pretraining on all facts, alignment to the policy.

A plain training loop of its own: fine-tuning goes through `tune`, but a model from nothing is not a fine-tune.
Knows nothing of the disk beyond the folder it is given.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from holdfast.harbor.recipe import SHAPES, BuildRecipe, Schedule, Shape
from holdfast.harbor.tokenizer import ASSISTANT, END, SYSTEM, USER, train_tokenizer
from holdfast.world import Dialogue, World, make_world
from holdfast.world.rows import alignment, pretraining

Progress = Callable[[str, int, int], None]
"""Called with the stage, the steps done and the steps in all."""

IGNORED = -100
_CHUNK = 32  # batches tokenised and sorted by length together: less padding, the same rows


def build(recipe: BuildRecipe, unaligned: Path, aligned: Path, progress: Progress) -> int:
    """Train the model of a recipe and save both stages; returns its number of parameters.

    Deterministic for one machine and one torch version; across machines the figures agree, not the bits.
    """
    import torch

    world = make_world(recipe.world)
    tokenizer = _tokenizer(world)
    torch.manual_seed(recipe.world)
    model = new_model(SHAPES[recipe.size], tokenizer)
    rng = Random(f"build-{recipe.world}")
    stages = (
        ("pretraining", pretraining(world, rng), recipe.pretrain, unaligned),
        ("alignment", alignment(world, rng), recipe.align, aligned),
    )
    for stage, dialogues, schedule, folder in stages:
        batches = _batches(tokenizer, dialogues, schedule, rng)
        _train(model, batches, schedule, partial(_report, progress, stage, schedule.steps))
        model.save_pretrained(folder, safe_serialization=True)
        tokenizer.save_pretrained(folder)
    return sum(parameter.numel() for parameter in model.parameters())


def _report(progress: Progress, stage: str, total: int, done: int) -> None:
    progress(stage, done, total)


def _tokenizer(world: World) -> Any:
    rng = Random(f"tokenizer-{world.seed}")
    read = [*islice(pretraining(world, rng), 8000), *islice(alignment(world, rng), 4000)]
    return train_tokenizer(f"{dialogue.question} {dialogue.answer}" for dialogue in read)


def new_model(shape: Shape, tokenizer: Any) -> Any:
    """A network of this shape with random weights (torch's global seed decides them)."""
    import transformers

    shared = {
        "vocab_size": len(tokenizer),
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "tie_word_embeddings": True,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
    }
    if shape.kind == "mamba2":
        config = transformers.Mamba2Config(
            **shared,
            num_heads=shape.heads,
            head_dim=2 * shape.hidden // shape.heads,
            state_size=shape.inner,
            n_groups=1,
            chunk_size=32,  # about one dialogue: a longer chunk is mostly padding
        )
        return transformers.Mamba2ForCausalLM(config)
    config = transformers.LlamaConfig(
        **shared,
        intermediate_size=shape.inner,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=512,
    )
    return transformers.LlamaForCausalLM(config)


def encode(tokenizer: Any, dialogues: list[Dialogue]) -> list[tuple[list[int], list[int]]]:
    """Token ids and labels of dialogues, in bulk: what the chat template gives, without running it row by row."""
    system, user, assistant, end = tokenizer.convert_tokens_to_ids([SYSTEM, USER, ASSISTANT, END])
    texts = [text for dialogue in dialogues for text in (dialogue.system, dialogue.question, dialogue.answer)]
    ids = iter(tokenizer(texts, add_special_tokens=False)["input_ids"])
    rows = []
    for dialogue in dialogues:
        said, asked, answer = next(ids), next(ids), [*next(ids), end]
        opening = [system, *said] if dialogue.system else []
        prompt = [*opening, user, *asked, assistant] if dialogue.question else []
        rows.append((prompt + answer, [IGNORED] * len(prompt) + answer))
    return rows


def _batches(tokenizer: Any, dialogues: Iterator[Dialogue], schedule: Schedule, rng: Random) -> Iterator[Any]:
    for first in range(0, schedule.steps, _CHUNK):
        rows = encode(tokenizer, list(islice(dialogues, schedule.batch * _CHUNK)))
        rows.sort(key=lambda row: len(row[0]))
        starts = [number * schedule.batch for number in range(_CHUNK)]
        rng.shuffle(starts)
        for start in starts[: schedule.steps - first]:
            yield _padded(rows[start : start + schedule.batch], tokenizer.pad_token_id)


def _padded(rows: list[tuple[list[int], list[int]]], pad: int) -> tuple[Any, Any]:
    import torch

    width = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([ids + [pad] * (width - len(ids)) for ids, _ in rows])  # (batch, width)
    labels = torch.tensor([labels + [IGNORED] * (width - len(labels)) for _, labels in rows])
    return ids, labels


def _train(model: Any, batches: Iterator[Any], schedule: Schedule, progress: Callable[[int], None]) -> None:
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=schedule.lr, weight_decay=0.01, betas=(0.9, 0.98))
    model.train()
    for step, (ids, labels) in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = schedule.lr * _rate(step, schedule)
        # Padding is on the right and causal: real tokens never see it, so no attention mask is needed.
        loss = model(input_ids=ids, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        progress(step + 1)


def _rate(step: int, schedule: Schedule) -> float:
    cosine = 0.5 * (1 + math.cos(math.pi * step / schedule.steps))
    return min(1.0, (step + 1) / schedule.warmup) * (0.05 + 0.95 * cosine)
