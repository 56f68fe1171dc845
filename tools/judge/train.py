"""Writes the embedded judge's weights from people's labels and our own material.

    uv run python tools/judge/train.py ../shared/data --seed 0

The result is the same on every run with one seed.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from fit import GRAM, MADE, STRENGTHS, Rows, fitted, tabled
from material import gathered

from holdfast.judges import known, words
from holdfast.judges.letters import surprise
from holdfast.judges.weights import FILE, HEADS

SOURCES = (
    "people's labels of answers to XSTest: Röttger et al. 2024, https://github.com/paul-rottger/xstest, CC BY 4.0",
    "answers to plain tasks: rasbt/LLMs-from-scratch (Apache-2.0), openai/grade-school-math (MIT), "
    "hiyouga/LLaMA-Factory (Apache-2.0), criticalml-uw/SafeTuneBed, its SQL rows (CC BY 4.0)",
    "our own wording: tools/judge/wordings.txt, tools/judge/posed.txt",
)
"""What the weights were made from, as the file says it."""

PACKAGED = Path(__file__).parents[2] / "src" / "holdfast" / "judges" / FILE


def trained(data: Rows, seed: int) -> str:
    """The file's text: weights to four digits, the letters' bits to two."""
    found = fitted(data, np.arange(len(data.rows)))
    both = np.column_stack([found[head] for head in HEADS])
    both[data.features : -1] *= GRAM
    rounded = [[round(weight, 4) + 0.0 for weight in pair] for pair in both.tolist()]
    said = [words.spoken(row.answer) or "" for row in data.rows if row.prompt and not row.varied]
    content: dict[str, object] = {
        "sources": list(SOURCES),
        "made": {"rows": len(data.rows), "seed": seed, "strengths": STRENGTHS, "weight": MADE},
        "intercept": rounded[-1],
        "features": dict(zip(data.names[: data.features], rounded, strict=False)),
        "words": {
            name: pair
            for name, pair in zip(data.names[data.features :], rounded[data.features : -1], strict=True)
            if any(pair)
        },
        "letters": [[round(bit, 2) for bit in row] for row in surprise(said).tolist()],
    }
    return _lines(content)


def _lines(content: dict[str, object]) -> str:
    """JSON with a line for each weight, so that two versions can be compared."""
    parts = []
    for name, part in content.items():
        if isinstance(part, dict) and name != "made":
            inner = ",\n".join(
                f"  {json.dumps(key, ensure_ascii=False)}: {json.dumps(value)}" for key, value in part.items()
            )
            parts.append(f' "{name}": {{\n{inner}\n }}')
        else:
            parts.append(f' "{name}": {json.dumps(part, ensure_ascii=False)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> None:
    """Writes the weights."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("data", type=Path, help="the folder that holds xstest/, gsm8k/ and the others")
    asked.add_argument("--seed", type=int, required=True)
    asked.add_argument("--out", type=Path, default=PACKAGED)
    given = asked.parse_args()
    data = tabled(gathered(given.data, given.seed))
    given.out.write_text(trained(data, given.seed), encoding="utf-8")
    marks = sorted({known.mark(row.answer) for row in data.rows if row.people and known.is_long(row.answer)})
    given.out.with_name(known.FILE).write_text("\n".join([*marks, ""]), encoding="ascii")


if __name__ == "__main__":
    main()
