"""WordLlama: a token table of 16 MB inside a Python package, so that texts are placed by meaning without a download."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from holdfast.errors import ModelError
from holdfast.vectors.encoder import Dense
from holdfast.vectors.table import Table
from holdfast.workers import Workers

VERSION = "0.4.0.post1"
WEIGHTS = "wordllama/weights/l2_supercat_256.safetensors"
TOKENIZER = "wordllama/tokenizers/l2_supercat_tokenizer_config.json"


def is_installed() -> bool:
    """Whether the package is here, in the version whose files are known."""
    found = _package()
    return found is not None and found.version == VERSION


@dataclass(frozen=True, slots=True)
class WordLlama:
    """The package's own numbers: rows of 256, without the padding that makes its own loop slow.

    Raises:
        ModelError: the package is not installed, or in another version.
    """

    name: str = "wordllama"
    origin: str = (
        "the wordllama package 0.4.0.post1 (MIT); its table is derived from the token codebooks of Llama 2 70B and"
        " Phi 3, so the Llama 2 Community License may apply"
    )

    def __post_init__(self) -> None:
        _files()

    def encode(self, texts: Sequence[str], workers: Workers) -> Dense:
        """(texts, 256): the mean of a text's tokens, of length one; zeros for a text without tokens."""
        return _table().encode(texts, workers)


def _package() -> Distribution | None:
    try:
        return distribution("wordllama")
    except PackageNotFoundError:
        return None


def _files() -> tuple[Path, Path]:
    mend = "pip install 'holdfast[embed]'"
    found = _package()
    if found is None:
        raise ModelError("The encoder `wordllama` is not installed.", "Its numbers come with its package.", mend)
    weights, tokenizer = Path(str(found.locate_file(WEIGHTS))), Path(str(found.locate_file(TOKENIZER)))
    if found.version != VERSION or not (weights.is_file() and tokenizer.is_file()):
        why = f"Holdfast reads the files of {VERSION} itself, because the package looks for them in the wrong place."
        raise ModelError(f"The encoder `wordllama` is installed as {found.version}.", why, mend)
    return weights, tokenizer


def _table() -> Table:
    # The package itself is not imported: it sets up logging for the whole process, and would ask a hub for its files.
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    weights, tokenizer = _files()
    reader = Tokenizer.from_file(str(tokenizer))
    reader.no_padding()
    reader.no_truncation()
    return Table(reader, load_file(weights)["embedding.weight"].astype("float32"))
