"""Which answers the embedded judge's weights were made from: how it reads those says nothing of how it reads others."""

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files

FILE = "refusal_answers.txt"
"""A mark for each longer answer with people's labels that training saw; `tools/judge/train.py` writes it."""

LONG = 100
"""Characters. Shorter answers are stock refusals, which other models give in the same words."""


def known(answers: Sequence[str]) -> int:
    """How many of these answers shaped the weights, the short ones aside; of other answers, one in three million would
    be taken for one that did.
    """
    return sum(is_long(answer) and mark(answer) in _marks() for answer in answers)


def is_long(answer: str) -> bool:
    """Whether another model would hardly say the same."""
    return len(answer.strip()) >= LONG


def mark(answer: str) -> str:
    """Eight hex digits of SHA-256 over the answer, without the space around it."""
    return sha256(answer.strip().encode()).hexdigest()[:8]


@cache
def _marks() -> frozenset[str]:
    return frozenset((files("holdfast.judges") / FILE).read_text(encoding="ascii").split())
