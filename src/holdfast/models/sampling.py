"""Chooses tokens so that an answer depends on its own prompt and not on its neighbours in the batch.

Knows nothing of tokenizers or of any architecture.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from holdfast.models.decoding import Chat, Decoding


def uniforms(seed: int, chat: Chat, sample: int, count: int) -> npt.NDArray[np.float64]:
    """`count` numbers in [0, 1) that belong to this seed, conversation and sample alone; shape (count,).

    The stream is Philox (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), keyed by a
    digest, so that streams need no common state; a longer stream begins with the shorter one.
    """
    words = json.dumps([seed, sample, [dict(message) for message in chat]], sort_keys=True, ensure_ascii=False)
    key = int.from_bytes(sha256(words.encode()).digest()[:16], "little")
    return np.random.Generator(np.random.Philox(key=key)).random(count)


class Draw:
    """Chooses the next token of each row: the likeliest, or the one that the row's own uniform number falls on.

    The second is by inverse distribution function, in float64: token t is drawn when the number lies in t's part of
    the cumulative probabilities. It is exact for any temperature and top-p, at one number a token.
    """

    def __init__(self, numbers: Sequence[npt.NDArray[np.float64]], decoding: Decoding, device: Any) -> None:
        """`numbers`: one stream a row; none where the choice is greedy."""
        import torch

        self.numbers = torch.from_numpy(np.stack(numbers)).to(device) if numbers else None
        self.decoding = decoding

    def choose(self, scores: Any, rows: Any, step: int) -> Any:
        """The tokens, shape (rows,), that scores (rows, vocabulary) give to these rows at this step of the answer."""
        import torch

        if self.numbers is None:
            return scores.argmax(-1)
        cumulative = self._probabilities(scores).cumsum(-1)
        height = self.numbers[rows, step, None] * cumulative[:, -1:]
        return torch.searchsorted(cumulative, height, right=True).clamp(max=scores.shape[1] - 1)[:, 0]

    def _probabilities(self, scores: Any) -> Any:
        """Probabilities under temperature and top-p, up to a constant factor a row."""
        probabilities = (scores.double() / self.decoding.temperature).softmax(-1)
        if self.decoding.top_p == 1:
            return probabilities
        ordered, places = probabilities.sort(dim=-1, descending=True, stable=True)
        # A token stays when the mass before it has not yet reached top_p, so the first always stays.
        ordered = ordered.where(ordered.cumsum(-1) - ordered < self.decoding.top_p, 0.0)
        return probabilities.scatter(1, places, ordered)


@dataclass(frozen=True, slots=True)
class Forced:
    """A logits processor that leaves one token possible in each row: the one drawn."""

    draw: Draw
    start: int
    """Tokens before the answer, padding included."""

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """From scores (rows, vocabulary) to the same shape, -inf but for the token."""
        import torch

        token = self.draw.choose(scores, slice(None), input_ids.shape[1] - self.start)
        return torch.full_like(scores, -torch.inf).scatter_(1, token[:, None], 0.0)
