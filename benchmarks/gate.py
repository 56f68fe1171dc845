"""`compare` on 10,000 pairs against its aim of two seconds."""

from time import perf_counter

import numpy as np

from holdfast.compare import Gate, Metric, Row, Side, compare

AIM = 2.0
PROMPTS = 10_000


def side(name: str, samples: int, rate: float, rng: np.random.Generator) -> Side:
    bad = rng.random((PROMPTS, samples)) < rate
    rows = tuple(
        Row(f"p{prompt}", sample, float(bad[prompt, sample]), f"c{prompt // 2}")
        for prompt in range(PROMPTS)
        for sample in range(samples)
    )
    return Side(name, "", "", {"metric": Metric("metric", "a rate", "high", rows, {})})


def main() -> None:
    rng = np.random.default_rng(0)
    for samples in (1, 5):
        before, after = side("before", samples, 0.02, rng), side("after", samples, 0.03, rng)
        start = perf_counter()
        found = compare(before, after, Gate(), rng)
        seconds = perf_counter() - start
        print(f"{PROMPTS} pairs, {samples} samples: {seconds:.2f} s = {seconds / AIM:.2f} of {AIM} s ({found.verdict})")


if __name__ == "__main__":
    main()
