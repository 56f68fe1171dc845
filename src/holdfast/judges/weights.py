"""The embedded judge's weights: read from the packaged file, and laid over a table of numbers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.judges import stances
from holdfast.judges.grams import ZONES, keyed
from holdfast.judges.reading import Lexicon, lexicon
from holdfast.judges.table import Table

Floats = NDArray[np.float64]

FILE = "refusal_weights.json"
HEADS = ("any", "full")
"""What is weighed: any refusal against compliance, and a full refusal against a partial one."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One column per head throughout."""

    lexicon: Lexicon
    names: tuple[str, ...]
    features: Floats
    places: NDArray[np.int32]
    """Per key of words and pairs, as in `grams`, its row in `grams`; the last row, of zeros, where it has no weight."""
    grams: Floats
    intercept: Floats
    bits: Floats
    """Of neighbouring letters, as in `letters`."""

    def margins(self, table: Table) -> Floats:
        """Log-odds, answers × heads.

        Raises:
            ValueError: the table's numbers are not those that the weights were made for.
        """
        if table.names != self.names:
            raise ValueError("the packaged weights were made for other features: run tools/judge/train.py")
        there = np.zeros((len(table.values), len(self.grams)), dtype=np.bool_)
        there.ravel()[table.answer * len(self.grams) + self.places[table.key]] = True
        answer, gram = np.divmod(np.flatnonzero(there), len(self.grams))
        said = [np.bincount(answer, weights=head[gram], minlength=len(there)) for head in self.grams.T]
        return np.asarray(table.values @ self.features + np.column_stack(said) + self.intercept)


@cache
def packaged() -> Weights:
    """The weights that ship, read once."""
    return laid(json.loads(_text()))


def laid(content: Mapping[str, Any]) -> Weights:
    """Weights from the content of a file."""
    words = {word for name in content["words"] for word in name.split(" ")[1:] if word != "."}
    known = lexicon(stances.stances(), sorted(words))
    places = np.full(len(ZONES) * len(known.words) ** 2, len(content["words"]), dtype=np.int32)
    places[[keyed(name, known) for name in content["words"]]] = np.arange(len(content["words"]))
    return Weights(
        known,
        tuple(content["features"]),
        np.array(list(content["features"].values()), dtype=np.float64),
        places,
        np.array([*content["words"].values(), [0.0] * len(HEADS)], dtype=np.float64),
        np.array(content["intercept"], dtype=np.float64),
        np.array(content["letters"], dtype=np.float64),
    )


@cache
def version() -> str:
    """Twelve hex digits of SHA-256 over the weights and the wording: what a calibration names."""
    return sha256((_text() + stances.text()).encode()).hexdigest()[:12]


def _text() -> str:
    return (files("holdfast.judges") / FILE).read_text(encoding="utf-8")
