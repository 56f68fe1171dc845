"""The exact join against the machine's own limit, and against SemHash on the same vectors.

T_lim = N² d / P is what the products of all pairs would take at P, this machine's rate for 4096³ in float32 with a
thread a core. Predicted before the first run, for 52,000 made-up questions at 256 numbers and two cores: 0.6 of T_lim
(the bound leaves 48 of 256 numbers, the comparison costs as much again), and 14 times SemHash's speed.
Measured with short, middle and long rows, on two cores partly used by others: 0.92 s to 1.03 s = 0.28 to 0.29 of T_lim,
and 9.5 to 16.1 times SemHash's speed in six runs (SemHash's own time varies most).

    uv run --with semhash==0.5.0 python benchmarks/join.py
    uv run python benchmarks/join.py --rows 200000
    uv run python benchmarks/join.py --rows 1000000 --approximate
"""

import argparse
import resource
from importlib.util import find_spec
from os import cpu_count
from time import perf_counter, process_time

import numpy as np
from questions import questions
from threadpoolctl import threadpool_limits

from holdfast.vectors import Dense, WordLlama, near_pairs, near_pairs_approximately
from holdfast.workers import Threads

FLOOR = 0.9


def product_rate(workers: Threads) -> float:
    """FLOP a second of 4096³, the best of three, with a thread a core."""
    square = np.random.default_rng(0).standard_normal((4_096, 4_096)).astype(np.float32)
    square @ square
    seconds = []
    with threadpool_limits(workers.count, user_api="blas"):
        for _ in range(3):
            start = perf_counter()
            square @ square
            seconds.append(perf_counter() - start)
    return 2 * 4_096**3 / min(seconds)


def exact(vectors: Dense, workers: Threads) -> set[tuple[int, int]]:
    """All pairs, the later row first."""
    pairs: set[tuple[int, int]] = set()
    for block in near_pairs(vectors, FLOOR, workers):
        pairs.update(zip(block.left.tolist(), block.right.tolist(), strict=True))
    return pairs


def approximate(vectors: Dense, workers: Threads) -> None:
    clock, cpu = perf_counter(), process_time()
    blocks, recall = near_pairs_approximately(vectors, FLOOR, workers, np.random.default_rng(1))
    pairs = sum(len(block.left) for block in blocks)
    low, high = recall.interval
    print(f"approximate: {perf_counter() - clock:.1f} s, {process_time() - cpu:.1f} CPU-s, {pairs} pairs")
    print(f"recall {recall.share:.4f} [{low:.4f}, {high:.4f}] on {recall.rows} rows that have near pairs")


def semhash(vectors: Dense, pairs: set[tuple[int, int]], seconds: float) -> None:
    """SemHash on the same vectors: its index and its search, without its encoding."""
    from semhash import SemHash

    class Given:
        def encode(self, inputs: list[str], **_: object) -> Dense:
            return vectors[[int(each) for each in inputs]]

    names = [str(at) for at in range(len(vectors))]
    clock, cpu = perf_counter(), process_time()
    found = SemHash.from_embeddings(embeddings=vectors, records=names, model=Given()).self_deduplicate(FLOOR)
    theirs = perf_counter() - clock
    print(f"SemHash: {theirs:.1f} s, {process_time() - cpu:.1f} CPU-s, {len(found.filtered)} rows repeat another")
    claimed = {(int(row.record), int(row.duplicate_of)) for row in found.filtered if row.duplicate_of is not None}
    near = {(max(pair), min(pair)) for pair in claimed if float(np.dot(*vectors[list(pair)])) > FLOOR + 1e-6}
    print(f"rows with an earlier near one: {len({left for left, _ in pairs})} by the exact join")
    print(f"pairs of SemHash's that the exact join lacks: {len(near - pairs)} of {len(near)} (aim 0)")
    print(f"SemHash ÷ ours = {theirs / seconds:.1f} (aim ≥ 10)")


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--rows", type=int, default=52_000)
    asked.add_argument("--approximate", action="store_true")
    asked.add_argument("--workers", type=int, default=cpu_count() or 1)
    settings = asked.parse_args()
    workers = Threads(settings.workers)
    texts = questions(settings.rows, np.random.default_rng(0))
    clock = perf_counter()
    vectors = WordLlama().encode(texts, workers)
    print(f"{len(texts)} rows encoded in {perf_counter() - clock:.1f} s")
    rate = product_rate(workers)
    limit = len(vectors) ** 2 * vectors.shape[1] / rate
    print(f"P = {rate / 1e9:.0f} GFLOP/s on {workers.count} workers, T_lim = {limit:.2f} s")
    if settings.approximate:
        approximate(vectors, workers)
    else:
        clock, cpu = perf_counter(), process_time()
        pairs = exact(vectors, workers)
        seconds = perf_counter() - clock
        print(f"exact: {seconds:.2f} s, {process_time() - cpu:.2f} CPU-s, {len(pairs)} pairs")
        print(f"exact ÷ T_lim = {seconds / limit:.2f} (aim ≤ 0.7)")
        if find_spec("semhash"):
            semhash(vectors, pairs, seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GiB; the vectors are {vectors.nbytes / 2**30:.2f} GiB")


if __name__ == "__main__":
    main()
