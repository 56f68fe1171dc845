"""Keys and values of what was read, with room for what is written. Knows no network."""

import functools
from typing import Any

ROOM = 16
"""Tokens of room at least; besides, a quarter of what is held, so that a long answer is seldom moved."""


def new_cache(network: Any) -> Any:
    """An empty cache for this network, whose rows can be repeated and left out; None where its layers keep a state of
    another kind.
    """
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    cache = DynamicCache(config=network.config.get_text_config(decoder=True))
    if not cache.layers or {type(layer) for layer in cache.layers} - {DynamicLayer, DynamicSlidingWindowLayer}:
        return None
    cache.layers = [_roomy()() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


@functools.cache
def _roomy() -> Any:
    import torch
    from transformers.cache_utils import DynamicLayer

    class Roomy(DynamicLayer):  # type: ignore[misc]
        """A layer that writes a new token beside the others, where transformers' own copies all of them each time."""

        whole: tuple[Any, ...] = ()
        """Keys and values with the room behind them; both (rows, heads, tokens, width)."""

        def update(self, key_states: Any, value_states: Any, *args: Any, **named: Any) -> Any:
            held = self.get_seq_length()
            if not held:
                return super().update(key_states, value_states, *args, **named)
            length = held + key_states.shape[-2]
            if not self.whole or self.whole[0].shape[-2] < length:
                self.batch_repeat_interleave(1, length - held)
            for whole, new in zip(self.whole, (key_states, value_states), strict=True):
                whole[:, :, held:length] = new
            self._show(length)
            return self.keys, self.values

        def batch_repeat_interleave(self, repeats: int, more: int = 0) -> None:
            room = more + ROOM + self.get_seq_length() // 4
            self.whole = tuple(_repeated(tensor, repeats, room) for tensor in (self.keys, self.values))
            self._show(self.get_seq_length())

        def batch_select_indices(self, indices: Any) -> None:
            self.whole = tuple(tensor[indices] for tensor in self.whole or (self.keys, self.values))
            self._show(self.get_seq_length())

        def _show(self, length: int) -> None:
            self.keys, self.values = (whole[:, :, :length] for whole in self.whole)

    def _repeated(held: Any, repeats: int, room: int) -> Any:
        rows, heads, length, width = held.shape
        whole = held.new_empty(rows, repeats, heads, length + room, width)
        whole[:, :, :, :length] = held[:, None]
        return torch.flatten(whole, 0, 1)

    return Roomy
