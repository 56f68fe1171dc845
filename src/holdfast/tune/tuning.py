"""Fine-tunes a model folder on examples by a recipe, and writes the result to another folder.

Does not measure, and does not know where the examples came from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from holdfast.data import Example, Finding
from holdfast.errors import DataError, ModelError, OutputError
from holdfast.mix import Mix, Mixture, Sources, mix
from holdfast.models import (
    Encoded,
    check_folder,
    default_device,
    is_adapter,
    quiet,
    read_dtype,
    read_network,
    read_tokenizer,
    render_example,
)
from holdfast.scope import Policy
from holdfast.tune.card import Base, Card, make_card, write_card
from holdfast.tune.fit import Step, fit, watch_checkpoints, watch_steps
from holdfast.tune.plan import Plan
from holdfast.tune.screen import Quarantined, Screened, screen


@dataclass(frozen=True, slots=True)
class Tuned:
    """A fine-tune that is done: where it is, what it was made from, and how the losses went."""

    folder: Path
    card: Card
    losses: tuple[float, ...]
    """Mean loss per supervised token, in nats, of each step."""
    loss: float
    """The mean of the last epoch's losses."""
    supervised_tokens: int
    """Tokens learned in one epoch."""
    rows: int
    """Rows that were trained on."""
    dropped: tuple[str, ...]
    """Rows that were not, since `max_length` left nothing of their answer."""
    cut: int
    """Rows that were trained on without their end."""
    quarantined: tuple[Quarantined, ...]
    """Rows that the scope checks took out."""
    findings: tuple[Finding, ...]
    """All that the scope checks found, whether it removed a row or not."""

    @property
    def steps(self) -> int:
        """Optimizer steps."""
        return len(self.losses)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Examples as tokens, and the names of those that are none."""

    encoded: tuple[Encoded, ...]
    dropped: tuple[str, ...]


def tune(
    base: Base,
    examples: Sequence[Example],
    plan: Plan,
    out: Path,
    sources: Sources | None = None,
    policy: Policy | None = None,
    on_step: Step | None = None,
) -> Tuned:
    """Fine-tune `base` on `examples` and write the checkpoint to `out`, weights as safetensors.

    First the scope checks run on the examples and on the sources, always; what they take out is returned and
    not trained on. Then the recipe's moves: before, during, after. On a CPU all is float32; on a GPU bf16
    with activation checkpointing, over float32 weights or, for LoRA, over the base in its own dtype. Full
    weights are saved in the base's dtype.

    Raises:
        ModelError: the base is no model, or the loss stopped being a number.
        DataError: no row is left to train on, or the chat template refuses one.
        ConfigError: a source holds fewer rows than the recipe asks for.
        OutputError: `out` is the base itself.
    """
    _check(base, out)
    screened = screen(examples, sources or Sources(), policy)
    mixture = _before(plan, screened)
    tokenizer = read_tokenizer(base.folder)
    network = _network(base, plan)
    rows = _encode(tokenizer, mixture.examples, _room(network, plan))
    trained, losses = _train(network, tokenizer, rows, plan, out, on_step)
    _save(trained if plan.training.lora_rank else trained.to(read_dtype(base.folder)), tokenizer, out)
    card = make_card(base, plan, mixture, out)
    write_card(card, out)
    return Tuned(
        folder=out,
        card=card,
        losses=losses,
        loss=fmean(losses[-(len(losses) // plan.training.epochs) :]),
        supervised_tokens=sum(row.supervised for row in rows.encoded),
        rows=len(rows.encoded),
        dropped=rows.dropped,
        cut=sum(row.cut for row in rows.encoded),
        quarantined=screened.quarantined,
        findings=screened.findings,
    )


def _check(base: Base, out: Path) -> None:
    check_folder(base.folder)
    if is_adapter(base.folder):
        raise ModelError(
            f"{str(base.folder)!r} is an adapter, and only a whole model can be tuned.",
            "A second adapter on top would hide what the first one changed.",
            "Merge it first: PeftModel.merge_and_unload(), then save_pretrained(FOLDER).",
        )
    if out.resolve() == base.folder.resolve():
        raise OutputError(f"{str(out)!r} is the base model itself.", mend="Give another --out.")


def _before(plan: Plan, screened: Screened) -> Mixture:
    seed = plan.training.seed
    if plan.recipe.before is None:
        return mix(screened.examples, Mix(seed=seed), screened.sources)
    return plan.recipe.before(plan.options, screened.examples, screened.sources, seed)


def _network(base: Base, plan: Plan) -> Any:
    import torch

    device = default_device()
    frozen = device != "cpu" and plan.training.lora_rank > 0
    return read_network(base.folder, read_dtype(base.folder) if frozen else torch.float32, device)


def _room(network: Any, plan: Plan) -> int:
    """Tokens a row may have: what was asked for, and no more than the model reads."""
    context = getattr(network.config, "max_position_embeddings", None)
    return min(plan.training.max_length, context or plan.training.max_length)


def _encode(tokenizer: Any, examples: Sequence[Example], room: int) -> _Rows:
    encoded, dropped = [], []
    for example in examples:
        try:
            row = render_example(tokenizer, example.messages(), room, example.tools)
        except ModelError as error:
            raise DataError(f"{example.id}: {error.what}", error.why, error.mend) from error
        if row.supervised:
            encoded.append(row)
        else:
            dropped.append(example.id)
    if not encoded:
        raise DataError(
            f"None of the {len(examples)} rows has an answer to learn.",
            f"Only the first {room} tokens of a row are read, and every answer is empty or comes later.",
            "Raise --max-length, or shorten the prompts.",
        )
    return _Rows(tuple(encoded), tuple(dropped))


def _train(
    network: Any, tokenizer: Any, rows: _Rows, plan: Plan, out: Path, on_step: Step | None
) -> tuple[Any, tuple[float, ...]]:
    """The recipe's second and third move, around the training itself."""
    watchers = list(plan.recipe.during(plan.options)) if plan.recipe.during else []
    if on_step:
        watchers.append(watch_steps(on_step))
    if plan.training.checkpoint_every:
        keep = plan.training.checkpoint_every
        watchers.append(watch_checkpoints(keep, lambda now, at: _save(now, tokenizer, out / f"checkpoint-{at}")))
    trained, losses = fit(network, tokenizer, rows.encoded, plan.training, out, watchers)
    if plan.recipe.after:
        plan.recipe.after(plan.options, trained)
    return trained, losses


def _save(network: Any, tokenizer: Any, folder: Path) -> None:
    """Weights as safetensors, and the tokenizer; an adapter alone, without the base it sits on."""
    from peft import PeftModel

    with quiet():
        if isinstance(network, PeftModel):
            # Otherwise PEFT asks the hub about the base's vocabulary, and writes an empty README.
            network.create_or_update_model_card = lambda *_: None
            network.save_pretrained(folder, save_embedding_layers=False)
        else:
            network.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
