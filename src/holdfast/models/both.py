"""A base and an adapter on it as two models that share one network: it answers with the adapter off, or on.

Knows folders and the adapter's switch; the arithmetic of the layers is PEFT's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from holdfast.models.chat import template_digest
from holdfast.models.checkpoint import (
    adapter_config,
    check_base,
    check_folder,
    digest_weights,
    is_adapter,
    read_adapter,
    read_tokenizer,
    saved_names,
)
from holdfast.models.interpolation import HARMLESS, KEEPING_THE_BASE
from holdfast.models.local import LocalModel, load

_BESIDE = {"use_dora", "modules_to_save", "trainable_token_indices"}
"""Settings of LoRA that no scale reaches and a switch does: their layers keep the base's own tensors beside."""


@dataclass(frozen=True, slots=True)
class _Switch:
    """The adapter of a network, on or off."""

    adapted: Any
    """PEFT's model around the network."""
    state: dict[str, bool]

    def set(self, on: bool) -> None:
        if self.state.get("on") is on:
            return
        tuner = self.adapted.base_model
        tuner.enable_adapter_layers() if on else tuner.disable_adapter_layers()
        self.state["on"] = on


class _Half:
    """The network as one of the two models: whoever calls it or takes something of it finds the adapter as it should
    be, so answers of the two may be asked for in turns.
    """

    def __init__(self, network: Any, switch: _Switch, on: bool) -> None:
        self._network, self._switch, self._on = network, switch, on

    def __call__(self, *args: Any, **named: Any) -> Any:
        self._switch.set(self._on)
        return self._network(*args, **named)

    def __getattr__(self, name: str) -> Any:
        self._switch.set(self._on)
        return getattr(self._network, name)


def load_both(
    base: Path,
    adapter: Path,
    device: str | None = None,
    names: tuple[str, str] = ("", ""),
    batch: int = 256,
    dtype: str = "auto",
    bits: int = 0,
) -> tuple[LocalModel, LocalModel]:
    """Open a model and an adapter on it, as `load` opens each of them: the same answers, names and digests.

    The base's weights are read and held once where `is_switched` says so, else for each of the two. Two answers may
    not be made at the same time, from two threads; one after another, in any order, they may.

    Args:
        base: the folder of a whole model.
        adapter: the folder of an adapter that was trained on it.
        device: as for `load`.
        names: what the two are called; their folders' names, where empty.
        batch: as for `load`.
        dtype: as for `load`.
        bits: as for `load`.

    Raises:
        ModelError: a folder is no model, or the adapter was trained on another base.
    """
    together = is_switched(base, adapter)
    first = load(base, device=device, name=names[0], batch=batch, dtype=dtype, bits=bits)
    check_base(adapter, base, first.weights)
    if not together:
        return first, load(adapter, base, device, names[1], batch, dtype, bits)
    tokenizer = _tokenizer(base, adapter)
    switch = _Switch(read_adapter(first.network, adapter), {})
    second = replace(
        first,
        name=names[1] or adapter.name,
        weights=digest_weights(base, adapter),
        template=template_digest(tokenizer),
        network=_Half(first.network, switch, True),
        tokenizer=tokenizer,
    )
    return replace(first, network=_Half(first.network, switch, False)), second


def is_switched(base: Path, adapter: Path) -> bool:
    """Whether one network is both to the last bit: the adapter, switched off, leaves the base as it was, and the two
    end their answers by the same tokens.

    It is not for adapters that write into the base (biases, PiSSA and other initial values taken from the weights,
    a resized embedding), for those that are no LoRA, nor under settings that are not known here.

    Raises:
        ModelError: a folder is no model, or its tokenizer or settings cannot be read.
    """
    check_folder(base)
    check_folder(adapter)
    if not is_adapter(adapter):
        return False
    config = adapter_config(adapter)
    unknown = {setting for setting, value in config.items() if value} - HARMLESS - _BESIDE
    if unknown or config.get("peft_type") != "LORA" or config.get("bias", "none") != "none":
        return False
    if config.get("init_lora_weights", True) not in KEEPING_THE_BASE or any(_into_the_base(adapter, config)):
        return False
    # What ends an answer stands in the settings of the network, and there is one network.
    ends = [(t.eos_token_id, t.pad_token_id) for t in (read_tokenizer(base), _tokenizer(base, adapter))]
    return ends[0] == ends[1]


def _tokenizer(base: Path, adapter: Path) -> Any:
    """The adapter's own, or its base's: as `load` takes it."""
    return read_tokenizer(adapter if (adapter / "tokenizer_config.json").is_file() else base)


def _into_the_base(adapter: Path, config: Mapping[str, Any]) -> Iterator[str]:
    """Saved tensors that PEFT would load into the base's own: a resized embedding is not told by the configuration."""
    saved = config.get("modules_to_save") or ()
    beside = (".lora_", "trainable_tokens_", *(f".{module}." for module in saved))
    yield from (name for name in saved_names(adapter) if not any(part in name for part in beside))
