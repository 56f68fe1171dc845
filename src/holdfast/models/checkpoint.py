"""Reads model folders: what is a model, what is an adapter, and what is refused.

Knows files and loading; does not generate and does not train. Weights are safetensors only, no code from a
model folder is ever run, and nothing is fetched from a network.
"""

import json
import warnings
from collections.abc import Mapping
from hashlib import file_digest, sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from holdfast.errors import ModelError
from holdfast.models.quiet import quiet

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
CARD = "holdfast.json"
"""The file in which a fine-tune of ours says what it was made from."""
ADAPTER = "adapter_config.json"
"""PEFT's description of an adapter, by which one is known."""

_TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "vocab.txt")
"""What a folder holds at least one of if it has a tokenizer; a library that finds none lists what it tried."""

_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def is_adapter(folder: Path) -> bool:
    """Whether the folder holds a PEFT adapter rather than a whole model."""
    return (folder / ADAPTER).is_file()


def check_folder(folder: Path) -> None:
    """Say what is wrong with a model folder before anything is loaded.

    Raises:
        ModelError: no such folder, no model in it, or weights only as pickle.
    """
    mend = "Give a folder that `save_pretrained` wrote: config.json, model.safetensors and the tokenizer."
    if not folder.is_dir():
        raise ModelError(f"{str(folder)!r} is no model: there is no such folder.", mend=mend)
    if not (folder / "config.json").is_file() and not is_adapter(folder):
        raise ModelError(f"{str(folder)!r} is no model.", "It has no config.json.", mend)
    # By its own name for an adapter: PEFT takes the pickle beside any other safetensors file.
    if any(folder.glob("adapter_model.safetensors" if is_adapter(folder) else "*.safetensors")):
        return
    pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
    if not pickles:
        raise ModelError(f"{str(folder)!r} holds no weights.", "It has no .safetensors file.", mend)
    raise ModelError(
        f"{str(folder)!r} holds its weights as pickle: {', '.join(pickles)}.",
        "Opening a pickle can run any code that is in it, so only safetensors are read.",
        "Convert it where you trust it: AutoModelForCausalLM.from_pretrained(A).save_pretrained(B).",
    )


def digest_weights(*folders: Path) -> str:
    """sha256 over the names and bytes of the safetensors files of a model, or of a base and its adapter."""
    total = sha256()
    for folder in folders:
        for path in sorted(folder.glob("*.safetensors")):
            with path.open("rb") as file:
                total.update(path.name.encode() + file_digest(file, "sha256").digest())
    return total.hexdigest()


def named_base(adapter: Path) -> str:
    """The model that an adapter was trained on, as PEFT wrote it down: a folder or a hub id.

    Raises:
        ModelError: it names none.
    """
    named = adapter_config(adapter).get("base_model_name_or_path")
    if isinstance(named, str) and named:
        return named
    raise ModelError(
        f"{str(adapter / ADAPTER)!r} names no base model.",
        f"Its base_model_name_or_path is {named!r}.",
        "Write the base's folder or hub id there.",
    )


def adapter_config(adapter: Path) -> Mapping[str, Any]:
    """PEFT's settings of an adapter.

    Raises:
        ModelError: its file is no JSON object.
    """
    file = adapter / ADAPTER
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
        why = "" if isinstance(config, dict) else "It holds no JSON object."
    except ValueError as error:
        why = f"It is no JSON: {error}."
    if why:
        raise ModelError(f"{str(file)!r} cannot be read.", why, "Save the adapter again with `save_pretrained`.")
    return cast(Mapping[str, Any], config)


def base_of(adapter: Path) -> Path:
    """The folder of the model that an adapter was trained on, as the adapter names it.

    Raises:
        ModelError: it names none that is here.
    """
    named = named_base(adapter)
    if Path(named).is_dir():
        return Path(named)
    raise ModelError(
        f"{str(adapter)!r} is an adapter, and its base model is not here.",
        f"It was trained on {named!r}, which is no folder on this machine.",
        "Give the base model's folder beside the adapter's.",
    )


def read_card(folder: Path) -> Mapping[str, str] | None:
    """What a fine-tune of ours says that it was made from: `base`, `base_weights` and more; None where it says nothing.

    Raises:
        ModelError: the file is none that `tune` wrote.
    """
    file = folder / CARD
    if not file.is_file():
        return None
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(card["base"], str) and isinstance(card["base_weights"], str):
            return cast(Mapping[str, str], card)
        why = "Its base and base_weights are no text."
    except (ValueError, KeyError, TypeError) as error:
        why = f"{type(error).__name__}: {error}"
    raise ModelError(
        f"{str(file)!r} is not as `tune` wrote it.", why, "Tune again, or measure the folder without this file."
    )


def check_base(adapter: Path, base: Path, weights: str = "") -> None:
    """Compare a base with the one that the adapter's card names; without a card there is nothing to compare.

    `weights` is the base's digest where it is known already.

    Raises:
        ModelError: the adapter was trained on other weights.
    """
    card = read_card(adapter)
    if card and card["base_weights"] != (weights or digest_weights(base)):
        raise ModelError(
            f"{str(base)!r} is not the model that {str(adapter)!r} was trained on.",
            f"The adapter names {card['base']!r}, with other weights; together they would be neither.",
            "Give the base that it was trained on.",
        )


def read_tokenizer(folder: Path) -> Any:
    """The folder's tokenizer.

    Raises:
        ModelError: there is none, or it cannot be read.
    """
    from transformers import AutoTokenizer

    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise ModelError(
            f"{str(folder)!r} has no tokenizer.",
            f"It holds none of {', '.join(_TOKENIZERS)}.",
            "Copy the tokenizer's files into it from the model that it was made from.",
        )
    with quiet():
        try:
            return AutoTokenizer.from_pretrained(folder, **_LOCAL)
        except Exception as error:
            raise _unreadable(folder, "tokenizer", error) from error


def read_dtype(folder: Path) -> Any:
    """The dtype that the checkpoint was saved in, float32 where it does not say."""
    import torch
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(folder, **_LOCAL).dtype or torch.float32


def read_network(folder: Path, dtype: Any, device: str, bits: int = 0) -> Any:
    """The model's network, on `device`, ready to answer; a checkpoint that does not fill it is refused.

    With `bits` 4 or 8 its matrices are packed as they are read: NF4 with packed scales (Dettmers et al. 2023,
    arXiv:2305.14314, section 3), or LLM.int8() (arXiv:2208.07339).

    Raises:
        ModelError: it cannot be loaded, or some of its weights are missing or of another shape.
    """
    from transformers import AutoModelForCausalLM

    packing = _packing(bits, dtype, device)
    with quiet():
        try:
            network, loading = AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=dtype,
                use_safetensors=True,
                output_loading_info=True,
                **packing,
                **_LOCAL,
            )
        except Exception as error:
            raise _unreadable(folder, "model", error) from error
    absent = sorted(loading["missing_keys"]) + sorted(str(key[0]) for key in loading["mismatched_keys"])
    if absent:
        raise ModelError(
            f"{str(folder)!r} lacks {len(absent)} weights of its own architecture, {absent[0]!r} first.",
            "They would have been random, and the model would have looked damaged.",
            "Save the checkpoint again, whole.",
        )
    return (network if bits else network.to(device)).eval()


def _packing(bits: int, dtype: Any, device: str) -> dict[str, Any]:
    """How the weights are packed while they are read; nothing for whole ones."""
    if not bits:
        return {}
    if find_spec("bitsandbytes") is None:
        raise ModelError(
            f"A base of {bits} bits needs the package bitsandbytes.",
            "It is not installed.",
            "pip install 'holdfast[quant]'",
        )
    from transformers import BitsAndBytesConfig

    kind = {"bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True, "bnb_4bit_compute_dtype": dtype}
    packed = BitsAndBytesConfig(load_in_4bit=True, **kind) if bits == 4 else BitsAndBytesConfig(load_in_8bit=True)
    return {"quantization_config": packed, "device_map": {"": device}}


def read_adapter(network: Any, folder: Path) -> Any:
    """The network with the folder's adapter on it, not merged.

    Raises:
        ModelError: the adapter does not fit this network.
    """
    from peft import PeftModel, get_peft_model_state_dict

    with quiet():
        # PEFT only warns of weights that an adapter lacks, and goes on with random ones.
        warnings.filterwarnings("error", "Found missing adapter keys")
        try:
            adapted = PeftModel.from_pretrained(network, folder, local_files_only=True).eval()
        except Exception as error:
            raise _unreadable(folder, "adapter", error, "Give the base that it was trained on.") from error
    # Nor does it say which of an adapter's weights the network has no place for.
    left = sorted(saved_names(folder) - get_peft_model_state_dict(adapted, save_embedding_layers=True).keys())
    if left:
        raise ModelError(
            f"The adapter in {str(folder)!r} does not fit its base.",
            f"The base has no place for {len(left)} of its weights, {left[0]!r} first.",
            "Give the base that it was trained on.",
        )
    return adapted


def saved_names(adapter: Path) -> set[str]:
    """The names of an adapter's weights, as PEFT saved them.

    Raises:
        ModelError: the file cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(adapter / "adapter_model.safetensors", framework="numpy") as file:
            return set(file.keys())
    except SafetensorError as error:
        raise _unreadable(adapter, "adapter", error) from error


def default_device() -> str:
    """The accelerator, where there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


_AGAIN = "Save it again with `save_pretrained`, weights as safetensors, and try once more."


def _unreadable(folder: Path, what: str, error: Exception, mend: str = _AGAIN) -> ModelError:
    """A library's complaint as ours: whatever it raises, it means that this folder does not load."""
    said, *more = (str(error).strip() or type(error).__name__).splitlines()
    if said.endswith(":") and more:
        said = f"{said} {more[0].strip()}"
    return ModelError(f"The {what} in {str(folder)!r} cannot be loaded.", f"{type(error).__name__}: {said}", mend)
