"""`audit` on 52,000 made-up short rows against its aim of ten seconds; 5 % of the rows repeat another."""

import json
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from holdfast.audit import audit
from holdfast.data import read

AIM, ROWS = 10.0, 52_000
VERBS = ("Explain", "Describe", "Summarise", "Compare", "List", "Rewrite", "Translate", "Outline")


def made_up(rng: np.random.Generator) -> list[dict[str, str]]:
    words = ["".join(rng.choice(list("abcdefghiklmnoprstuvw"), rng.integers(3, 9))) for _ in range(20_000)]
    rows = []
    for _ in range(ROWS):
        if rows and rng.random() < 0.05:
            rows.append(rows[rng.integers(len(rows))])
            continue
        question = f"{rng.choice(VERBS)} {' '.join(rng.choice(words, rng.integers(5, 14)))}."
        rows.append({"instruction": question, "input": "", "output": " ".join(rng.choice(words, 40))})
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        path.write_text(json.dumps(made_up(np.random.default_rng(0))))
        start = perf_counter()
        found = audit([read(path)])
        seconds = perf_counter() - start
    print(f"{ROWS} rows: {seconds:.1f} s = {seconds / AIM:.2f} of {AIM:.0f} s ({found.counts['duplicate']} duplicates)")


if __name__ == "__main__":
    main()
