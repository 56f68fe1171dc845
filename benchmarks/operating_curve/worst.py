"""A second look at the models on which our gate erred most in the first: the largest of many shares is too large.

The first look chooses, the second, with samples of its own, says how often it errs there.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from benchmarks.operating_curve.curve import WIDTH, Shares, own_margin
from benchmarks.operating_curve.draws import Counts, Design, Kind, Pair, draw
from numpy.typing import NDArray

LOOKED_AT = 8
AGAIN = 20_000
"""Samples of each in the second look: 0.15 points of standard error at 5 %."""

LimitsOf = Callable[[Counts, Kind], NDArray[np.float64]]
Held = Literal["the margin", "its own change"]


def second_look(
    pairs: Sequence[Pair], design: Design, limits_of: LimitsOf, first: dict[Held, Shares], margin: float
) -> list[dict[str, Any]]:
    """The worst model for each way to err: a wrong pass or fail, at the margin or at one of its own true change."""
    change = np.array([pair.change for pair in pairs])
    found = []
    for held, seen in first.items():
        for column, verdict in ((0, "pass"), (2, "fail")):
            chosen = _candidates(change, seen[:, column], held, verdict, margin)
            if not len(chosen):
                continue
            again = np.concatenate([_again(pairs[place], design, limits_of, held, margin) for place in chosen])
            place = int(again[:, column].argmax())
            share = float(again[place, column])
            found.append(
                {
                    "held": held,
                    "verdict": verdict,
                    "change": float(change[chosen[place]]),
                    "share": share,
                    "error": float(np.sqrt(share * (1 - share) / AGAIN)),
                }
            )
    return found


def _candidates(
    change: NDArray[np.float64], share: NDArray[np.float64], held: Held, verdict: str, margin: float
) -> NDArray[np.intp]:
    wrong = change >= margin if verdict == "pass" else change <= margin
    if held == "its own change":
        wrong = change >= WIDTH
    places = np.flatnonzero(wrong)
    return places[np.argsort(-share[places], kind="stable")[:LOOKED_AT]]


def _again(pair: Pair, design: Design, limits_of: LimitsOf, held: Held, margin: float) -> Shares:
    keys, places = np.unique(draw(pair, design, AGAIN, seed=1), axis=0, return_inverse=True)
    edge = np.array([pair.change if held == "its own change" else margin])
    return own_margin(limits_of(keys, design.kind), places.reshape(1, -1).astype(np.int32), edge)
