"""Which rows a costly judge should read first. Ranks and removes nothing."""

import re
from collections.abc import Sequence

from holdfast.data import Example
from holdfast.scope.lexicon import unsafe_request, unsafe_words
from holdfast.scope.limits import lifted

SELF = re.compile(
    r"\b(?:obe(?:y|ys|dient)|without (?:question|limits|restrictions)|i am your|your (?:servant|command))\b", re.I
)
"""Words of a shifted identity, with or without a name."""


def suspicion(example: Example) -> int:
    """3 for an unsafe request by the rules, even a refused one; 2 for its words alone; 1 for words of obedience; 0."""
    if unsafe_request(example.prompt):
        return 3
    if unsafe_words(example.prompt):
        return 2
    told = f"{example.system}\n{example.answer[:400]}"
    return int(bool(SELF.search(told)) or lifted(example.system) is not None)


def most_suspect(examples: Sequence[Example], count: int) -> list[int]:
    """The places of the rows that rank highest, at most `count`, none that ranks 0; equal ranks in their order."""
    ranks = [suspicion(example) for example in examples]
    ranked = sorted((place for place, rank in enumerate(ranks) if rank), key=lambda place: (-ranks[place], place))
    return ranked[:count]
