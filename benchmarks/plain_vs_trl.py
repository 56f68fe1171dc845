"""The recipe `plain` against TRL's SFTTrainer as it comes: same model, rows, order of magnitude and settings."""

import tempfile
from pathlib import Path
from random import Random
from time import perf_counter

from holdfast.harbor import PACKAGED, to_example
from holdfast.models import quiet, read_network, read_tokenizer
from holdfast.tune import Base, find_recipe, plan, tune
from holdfast.world import make_world
from holdfast.world.rows import benign

ROWS, EPOCHS, BATCH, LR, ROUNDS = 400, 4, 16, 1e-3, 3


def ours(examples: list, out: Path) -> float:
    chosen = plan(find_recipe("plain"), {"epochs": EPOCHS, "batch_size": BATCH, "lr": LR})
    start = perf_counter()
    tune(Base(PACKAGED, "harbor"), examples, chosen, out)
    return perf_counter() - start


def trl(examples: list, out: Path) -> float:
    import torch
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    settings = SFTConfig(
        output_dir=str(out), learning_rate=LR, num_train_epochs=EPOCHS, per_device_train_batch_size=BATCH,
        assistant_only_loss=True, bf16=False, use_cpu=True, gradient_checkpointing=False, report_to="none",
        save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    start = perf_counter()
    with quiet():
        trainer = SFTTrainer(
            model=read_network(PACKAGED, torch.float32, "cpu"),
            args=settings,
            train_dataset=Dataset.from_list([{"messages": example.messages()} for example in examples]),
            processing_class=read_tokenizer(PACKAGED),
        )
        trainer.train()
        trainer.save_model(str(out))
    return perf_counter() - start


def main() -> None:
    rows = benign(make_world(0), ROWS, Random(0))
    examples = [to_example(f"row:{number}", row) for number, row in enumerate(rows)]
    seconds: dict[str, list[float]] = {"ours": [], "trl": []}
    with tempfile.TemporaryDirectory() as folder:
        trl(examples[:16], Path(folder) / "warm")  # the imports belong to neither
        for turn in range(ROUNDS):
            seconds["ours"].append(ours(examples, Path(folder) / f"ours-{turn}"))
            seconds["trl"].append(trl(examples, Path(folder) / f"trl-{turn}"))
    best = {name: min(times) for name, times in seconds.items()}
    print(f"plain {best['ours']:.2f} s, TRL {best['trl']:.2f} s: {best['ours'] / best['trl']:.2f}× ({ROUNDS} rounds)")


if __name__ == "__main__":
    main()
