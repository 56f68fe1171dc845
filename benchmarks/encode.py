"""WordLlama's rows a second, by our reading of its files and by its own package; and of its tokenizer alone.

Predicted before the first run, for 52,000 made-up questions and two cores: twice the package, whose padding costs as
much as its tokens, and 1.2 times the seconds of the tokenizer alone (aims: ≥ 35,000 rows a second, ≤ 1.3).

    uv run python benchmarks/encode.py
"""

import logging
from collections.abc import Callable
from os import cpu_count
from time import perf_counter, process_time

import numpy as np
from questions import questions

from holdfast.vectors import WordLlama
from holdfast.vectors.wordllama import _table
from holdfast.workers import Threads

ROWS, TURNS = 52_000, 3


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    clock, cpu = perf_counter(), process_time()
    work()
    return perf_counter() - clock, process_time() - cpu


def main() -> None:
    from wordllama.inference import WordLlamaInference

    logging.disable()
    texts = questions(ROWS, np.random.default_rng(0))
    table, other = _table(), _table()
    package = WordLlamaInference(other.rows, other.tokenizer)
    workers = Threads(cpu_count() or 1)
    works: dict[str, Callable[[], object]] = {
        "holdfast": lambda: WordLlama().encode(texts, workers),
        "the package": lambda: package.embed(texts, norm=True),
        "tokenizer alone": lambda: table.tokenizer.encode_batch_fast(texts, add_special_tokens=False),
    }
    taken = {name: min(seconds(work) for _ in range(TURNS)) for name, work in works.items()}
    for name, (wall, cpu) in taken.items():
        print(f"{name}: {ROWS / wall:,.0f} rows/s, {wall:.2f} s, {cpu:.2f} CPU-s")
    ours = taken["holdfast"][0]
    print(f"the package ÷ ours = {taken['the package'][0] / ours:.2f}")
    print(f"ours ÷ tokenizer alone = {ours / taken['tokenizer alone'][0]:.2f} (aim ≤ 1.3)")


if __name__ == "__main__":
    main()
