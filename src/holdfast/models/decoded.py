"""What the tokens of an answer say, its thought apart. Knows a tokenizer and no weights."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from holdfast.models.chat import special_tokens
from holdfast.models.thoughts import Parts, is_piece, opens_thought, split_thought

TAIL = 24
"""Tokens at a prompt's end in which an opening mark there is spelled, letter by letter if need be."""


class Special(NamedTuple):
    """A tokenizer's special tokens, by what becomes of them."""

    pieces: dict[int, str]
    """Of the marks around thoughts: they stay until the two parts are told apart."""
    others: frozenset[int]


def decoded(tokenizer: Any, asked: Sequence[int], tokens: Sequence[int], ended: bool) -> Parts:
    """The thought and the answer that tokens spell, without special tokens.

    Args:
        tokenizer: the model's own.
        asked: the prompt's tokens. Where they end in an opening mark, an answer that was cut before it closed one is
            all thought; one that ended its turn without a closing mark did not think.
        tokens: what the model wrote, without what ends its turn.
        ended: whether it ended its turn.
    """
    opened = not ended and opens_thought(_text(tokenizer, asked[-TAIL:], skip=False))
    special = _special(tokenizer)
    if pieces := {special.pieces[token] for token in special.pieces.keys() & tokens}:
        marked = _text(tokenizer, [token for token in tokens if token not in special.others], skip=False)
        parts = split_thought(marked, opened)
        if parts.answer != marked:
            return Parts(_without(pieces, parts.thought).strip(), _without(pieces, parts.answer).lstrip())
    return split_thought(_text(tokenizer, tokens, skip=True), opened)


def _text(tokenizer: Any, tokens: Sequence[int], skip: bool) -> str:
    return str(tokenizer.decode(list(tokens), skip_special_tokens=skip, clean_up_tokenization_spaces=False))


def _without(pieces: set[str], text: str) -> str:
    for piece in pieces:
        text = text.replace(piece, "")
    return text


@lru_cache(maxsize=4)
def _special(tokenizer: Any) -> Special:
    """Read once: a tokenizer tells its special tokens slowly, and there may be a thousand."""
    every = special_tokens(tokenizer)
    pieces = {number: token for number, token in every.items() if is_piece(token)}
    return Special(pieces, frozenset(every.keys() - pieces.keys()))
