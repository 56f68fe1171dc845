"""The whole of `holdfast audit` on 52,000 made-up rows, from its start to its last written file, against ten seconds.

With each encoder, alone and against 5,000 evaluation questions; 5 % of the rows are an edit of an earlier one, and
every 50th asks an evaluation question. Predicted before the first run, on two cores: 8 s with letters' n-grams, 7 s
with WordLlama, and 3 s more against the questions. Measured on two cores of which others used about one, the better
of two runs: 11.0 s (15.4 CPU-s) and 7.9 s (9.4 CPU-s); against the questions 14.5 s (18.9) and 11.5 s (13.4).

    uv run python benchmarks/audit.py
"""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from questions import questions, vocabulary

AIM, ROWS, ITEMS, EVERY, LENGTH = 10.0, 52_000, 5_000, 50, 40
ENCODERS = ("ngrams", "wordllama")


def lines(texts: list[dict[str, str]]) -> str:
    return "\n".join(map(json.dumps, texts)) + "\n"


def made_up(folder: Path, rng: np.random.Generator) -> tuple[Path, Path]:
    """The rows, and the evaluation set."""
    made = questions(ROWS + ITEMS, rng)
    asked, items = made[:ROWS], made[ROWS:]
    asked[::EVERY] = items[: len(asked[::EVERY])]
    words = np.asarray(vocabulary())
    answers = [
        " ".join(each).capitalize() + "." for each in words[rng.integers(0, len(words), (ROWS, LENGTH))].tolist()
    ]
    rows, against = folder / "rows.jsonl", folder / "against.jsonl"
    rows.write_text(lines([{"instruction": ask, "output": say} for ask, say in zip(asked, answers, strict=True)]))
    against.write_text(lines([{"question": item} for item in items]))
    return rows, against


def audited(rows: Path, against: list[str], encoder: str, out: Path) -> None:
    command = [sys.executable, "-m", "holdfast", "audit", str(rows), "--encoder", encoder, *against, "--out", str(out)]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds, after = perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with (out / "quarantine.jsonl").open() as gone:
        count = sum(1 for _ in gone)
    what = f"{encoder}, {ITEMS if against else 0} evaluation questions"
    print(f"{what}: {seconds:.1f} s = {seconds / AIM:.2f} of {AIM:.0f} s, {cpu:.1f} CPU-s, {count} rows quarantined")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, items = made_up(folder, np.random.default_rng(0))
        for encoder in ENCODERS:
            for against in ([], ["--against", str(items)]):
                audited(rows, against, encoder, folder / f"{encoder}{len(against)}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
