"""Encoders by the names that settings give them."""

from pathlib import Path

from holdfast.errors import ConfigError, nearest
from holdfast.vectors.encoder import Encoder
from holdfast.vectors.local import LocalEncoder
from holdfast.vectors.ngrams import NGRAMS
from holdfast.vectors.wordllama import WordLlama, is_installed


def encoder_named(name: str) -> Encoder:
    """`ngrams`, `wordllama`, the better of the two that is installed (`auto`), or a folder that holds a model.

    Raises:
        ConfigError: no such encoder or folder.
        ModelError: WordLlama is not installed, or the folder holds no encoder.
    """
    if name == "auto":
        return WordLlama() if is_installed() else NGRAMS
    if name == NGRAMS.name:
        return NGRAMS
    if name == "wordllama":
        return WordLlama()
    if Path(name).is_dir():
        return LocalEncoder(Path(name))
    raise ConfigError(
        f"There is no encoder or folder {name!r}.",
        nearest(name, ("auto", "ngrams", "wordllama")) + " Nothing is fetched from a hub by name.",
        "name one of these, or the folder of a model on this machine",
    )
