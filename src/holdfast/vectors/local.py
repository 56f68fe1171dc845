"""An encoder in a folder of this machine. Nothing is fetched, and no code that lies in the folder is run."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.errors import ModelError
from holdfast.vectors.encoder import Dense
from holdfast.vectors.table import Table, of_length_one, readable
from holdfast.workers import Workers

BATCH = 64
"""Texts that a transformer reads at once."""

LONGEST = 512
"""Tokens of a text that are read, or fewer where the model can take fewer."""

MEND = "name a folder with model.safetensors, tokenizer.json and, for a transformer, config.json"


@dataclass(frozen=True, slots=True)
class LocalEncoder:
    """A folder with a static table (model2vec: one matrix `embeddings`) or a sentence transformer, mean-pooled.

    Raises:
        ModelError: the folder is absent, or lacks a tokenizer or weights in safetensors.
    """

    folder: Path

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            why = "An encoder is a folder on this machine: nothing is fetched from a hub by name."
            raise ModelError(f"There is no folder {str(self.folder)!r}.", why, MEND)
        files = {path.name for path in _weights(self.folder).iterdir()}
        if "tokenizer.json" not in files or not any(name.endswith(".safetensors") for name in files):
            why = "A tokenizer.json and weights in safetensors are needed; pickled weights are never opened."
            raise ModelError(f"The folder {str(self.folder)!r} holds no encoder.", why, MEND)
        _pooled_by_mean(self.folder)

    @property
    def name(self) -> str:
        """The folder as it was given."""
        return str(self.folder)

    @property
    def origin(self) -> str:
        """That it is the user's own."""
        return f"the folder {self.folder.name!r} of this machine; its licence is its maker's"

    def encode(self, texts: Sequence[str], workers: Workers) -> Dense:
        """(texts, width): the mean of a text's tokens, of length one; zeros for a text without tokens."""
        folder = _weights(self.folder)
        table = _static(folder)
        return table.encode(texts, workers) if table else _by_transformer(folder, texts, workers)


def _weights(folder: Path) -> Path:
    """Where the weights are: some sentence transformers keep them one folder further down."""
    inner = (folder / name for name in ("0_Transformer", "0_StaticEmbedding"))
    return next((each for each in inner if each.is_dir()), folder)


def _pooled_by_mean(folder: Path) -> None:
    said = folder / "1_Pooling" / "config.json"
    if said.is_file() and not json.loads(said.read_text()).get("pooling_mode_mean_tokens", True):
        why = "Its 1_Pooling/config.json asks for another pooling than the mean of the tokens."
        raise ModelError(f"The encoder {str(folder)!r} cannot be used.", why, "name an encoder with mean pooling")


def _static(folder: Path) -> Table | None:
    """The table, if that is all there is; a token that stands for what the tokenizer does not know counts nothing."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    if (folder / "config.json").is_file() and "hidden_size" in json.loads((folder / "config.json").read_text()):
        return None
    try:
        held = load_file(folder / "model.safetensors") if (folder / "model.safetensors").is_file() else {}
    except SafetensorError as broken:
        raise ModelError(f"The encoder {str(folder)!r} cannot be loaded.", str(broken), MEND) from broken
    rows = held.get("embeddings", held.get("embedding.weight"))
    if rows is None:
        why = "Its model.safetensors has no matrix `embeddings`, and no config.json says what else it is."
        raise ModelError(f"The folder {str(folder)!r} holds no encoder.", why, MEND)
    if "mapping" in held:
        rows = rows[held["mapping"]]
    rows = rows.astype(np.float32) * held.get("weights", np.ones(1)).reshape(-1, 1)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    unknown = json.loads(tokenizer.to_str())["model"].get("unk_token")
    if isinstance(unknown, str) and tokenizer.token_to_id(unknown) is not None:
        rows[tokenizer.token_to_id(unknown)] = 0.0
    return Table(tokenizer, rows.astype(np.float32))


def _by_transformer(folder: Path, texts: Sequence[str], workers: Workers) -> Dense:
    shared = _loaded(folder)
    order = np.argsort([len(text) for text in texts], kind="stable")  # so that little is padded
    parts = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
    batches: Iterator[list[str]] = ([readable(texts[at]) for at in part] for part in parts)
    vectors = np.zeros((len(texts), shared[1].config.hidden_size), dtype=np.float32)
    for part, rows in zip(parts, workers.map(_pooled, shared, batches), strict=True):
        vectors[part] = rows
    return vectors


def _loaded(folder: Path) -> tuple[Any, Any]:
    """The tokenizer and the model."""
    try:
        from safetensors import SafetensorError
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging
    except ImportError as missing:
        raise ModelError("transformers is not installed.", str(missing), "pip install 'holdfast[tune]'") from missing
    safe = {"local_files_only": True, "trust_remote_code": False}
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="right", **safe)
        model = AutoModel.from_pretrained(folder, use_safetensors=True, dtype="float32", **safe).eval()
    except (OSError, ValueError, SafetensorError) as broken:
        raise ModelError(f"The encoder {str(folder)!r} cannot be loaded.", str(broken), MEND) from broken
    finally:
        if bars:
            logging.enable_progress_bar()
    if tokenizer.pad_token is None:  # it is masked, so that any will do
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    return tokenizer, model


def _pooled(shared: tuple[Any, Any], texts: list[str]) -> Dense:
    import torch

    tokenizer, model = shared
    most = min(LONGEST, getattr(model.config, "max_position_embeddings", LONGEST))
    read = tokenizer(
        texts, padding=True, truncation=True, max_length=most, return_special_tokens_mask=True, return_tensors="pt"
    )
    seen, marks = read["attention_mask"], read["special_tokens_mask"]
    if not seen.any():
        return np.zeros((len(texts), model.config.hidden_size), dtype=np.float32)
    with torch.inference_mode():
        hidden = model(input_ids=read["input_ids"], attention_mask=seen).last_hidden_state
    # What is made of a text's frame alone says nothing of the text.
    told = (seen * (1 - marks)).any(dim=1).unsqueeze(-1)
    return of_length_one((((hidden * seen.unsqueeze(-1)).sum(dim=1)) * told).float().numpy())
