"""`compare` on 10,000 pairs, with 10,000 draws of its bootstrap, against its aim of two seconds.

    uv run python benchmarks/compare.py [--rounds 5]

Processor and wall time, medians over rounds; values 0 and 1 from one sample and from five, and graded values, no two of
which are equal, where the bootstrap has to draw every prompt.
"""

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray

from holdfast.compare import Gate, Metric, Row, Side, compare

AIM = 2.0
PROMPTS = 10_000

Values = NDArray[np.float64]


def side(name: str, values: Values) -> Side:
    """Rows of (prompts, samples) values, two prompts a cluster and eight categories."""
    rows = tuple(
        Row(f"p{prompt}", sample, float(value), f"c{prompt // 2}", f"g{prompt % 8}")
        for (prompt, sample), value in np.ndenumerate(values)
    )
    return Side(name, "", "", {"metric": Metric("metric", "a rate", "high", rows, {})})


def seconds(one: Side, other: Side, clock: Callable[[], float]) -> float:
    """Of one comparison."""
    start = clock()
    compare(one, other, Gate(), np.random.default_rng(0))
    return clock() - start


def main() -> None:
    """Print the ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    rounds = options.parse_args().rounds
    rng = np.random.default_rng(0)

    def bad(samples: int, rate: float) -> Values:
        return (rng.random((PROMPTS, samples)) < rate).astype(np.float64)

    cases = {
        "1 sample": (bad(1, 0.02), bad(1, 0.03)),
        "5 samples": (bad(5, 0.02), bad(5, 0.03)),
        "1 sample, graded": (rng.random((PROMPTS, 1)), rng.random((PROMPTS, 1))),
    }
    for name, (old, new) in cases.items():
        sides = side("before", old), side("after", new)
        for clock, word in ((process_time, "processor"), (perf_counter, "wall")):
            took = median(seconds(*sides, clock) for _ in range(rounds))
            print(f"{PROMPTS:,} pairs, {name}: {took:.2f} s ({word}) = {took / AIM:.2f} of {AIM} s")


if __name__ == "__main__":
    main()
