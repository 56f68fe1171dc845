"""Weights on the straight line from a model to what tuning made of it.

WiSE-FT (Wortsman et al. 2022, arXiv:2109.01903, section 3): w(alpha) = (1 - alpha) w0 + alpha w1 for every weight.
Knows weights and adapters; does not know what will be asked of the model, nor which alpha is good.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.errors import ConfigError, ModelError
from holdfast.models.checkpoint import adapter_config

KEEPING_THE_BASE = (True, False, "gaussian", "eva", "orthogonal", None)
"""Initial values of A and B that leave the base as it was; all others also change it, or are not known to."""

_BESIDE: Mapping[str, str] = {
    "modules_to_save": "it holds whole modules beside A and B (modules_to_save), which no scale reaches",
    "trainable_token_indices": "it holds rows of the embedding (trainable_token_indices), which no scale reaches",
    "use_dora": "it is DoRA: the sum of base and adapter is divided by its norm, which is not linear in the scale",
    "ensure_weight_tying": "it shares A and B between tied modules (ensure_weight_tying), where a scale counts twice",
    "layer_replication": "it repeats layers of the base (layer_replication), so that even scale 0 is not the base",
}
"""Settings of a LoRA configuration that make scaling something else than interpolation, and why."""

HARMLESS = {
    "peft_type", "task_type", "peft_version", "auto_mapping", "base_model_name_or_path", "revision", "inference_mode",
    "runtime_config", "r", "lora_alpha", "lora_dropout", "lora_bias", "use_rslora", "rank_pattern", "alpha_pattern",
    "fan_in_fan_out", "init_lora_weights", "bias", "target_modules", "exclude_modules", "target_parameters",
    "layers_to_transform", "layers_pattern", "eva_config", "megatron_core", "qalora_group_size",
}  # fmt: skip
"""Settings under which the change to every weight stays `scale * B A`; one that is not known counts against it."""


class Live(NamedTuple):
    """A floating-point tensor of a network and every name it has there: more than one where weights are tied."""

    names: tuple[str, ...]
    tensor: Any


def check_alpha(alpha: float) -> float:
    """The alpha itself.

    Raises:
        ConfigError: it is not in [0, 1].
    """
    if 0 <= alpha <= 1:
        return alpha
    raise ConfigError(
        f"alpha {alpha:g} is not in [0, 1].",
        "Past its ends the line leaves both models: that is extrapolation, and not offered.",
        "0 is the base, 1 the tuned model.",
    )


def why_not_scaled(config_or_folder: Any) -> str:
    """Why scaling this adapter is not interpolation, in words; empty when it is.

    Takes a PEFT configuration, or the folder of a saved adapter, whose tensors are looked at too: PEFT saves a
    resized embedding without saying so in the configuration. Errs on the side of a reason.
    """
    if not isinstance(config_or_folder, str | Path):
        return _why_not(config_or_folder.to_dict())
    folder = Path(config_or_folder)
    return _why_not(adapter_config(folder)) or _beside(folder)


def _why_not(config: Mapping[str, Any]) -> str:
    if config.get("peft_type") != "LORA":
        return f"it is no LoRA but {getattr(config.get('peft_type'), 'value', config.get('peft_type'))}"
    told = [reason for setting, reason in _BESIDE.items() if config.get(setting)]
    if told:
        return told[0]
    if config.get("bias", "none") != "none":
        return f"it holds biases of the base (bias={config['bias']!r}), which no scale reaches"
    if config.get("init_lora_weights", True) not in KEEPING_THE_BASE:
        return f"its initial values change the base too (init_lora_weights={config['init_lora_weights']!r})"
    other = sorted(setting for setting, value in config.items() if value and setting not in HARMLESS)
    return f"its setting {other[0]} is not known to leave scaling exact" if other else ""


def _beside(folder: Path) -> str:
    """A reason when the saved tensors are more than A and B."""
    from safetensors import safe_open

    with safe_open(folder / "adapter_model.safetensors", framework="numpy") as file:
        other = [name for name in file.keys() if ".lora_" not in name]  # noqa: SIM118 - no dict
    return f"it holds {other[0]} beside A and B, which no scale reaches" if other else ""


def interpolate(network: Any, start: Mapping[str, Any], end: Mapping[str, Any], alpha: float) -> None:
    """Write (1 - alpha) * start + alpha * end into every floating-point tensor of the network.

    `start` and `end` are state dicts, on any device; of tied weights one name is enough. The sum is taken in
    float32 and rounded once, to the dtype that holds both ends, so both ends are exact; it never goes on from
    what the network holds. Integer buffers stay as they are.

    Raises:
        ConfigError: alpha is not in [0, 1].
        ModelError: a tensor is missing at one end, of another shape there, or packed; nothing was written then.
    """
    import torch

    check_alpha(alpha)
    ends = [(live, _tensor(start, live, "start"), _tensor(end, live, "end")) for live in live_tensors(network)]
    with torch.no_grad():
        for live, first, last in ends:
            live.tensor.copy_(_between(first.to(live.tensor.device), last.to(live.tensor.device), alpha))


def _between(first: Any, last: Any, alpha: float) -> Any:
    """One tensor, in the dtype that holds both ends; an end is taken whole: the formula would lose the sign of -0."""
    import torch

    if alpha in (0, 1):
        return last if alpha else first
    stored = torch.promote_types(first.dtype, last.dtype)
    wide = torch.promote_types(stored, torch.float32)
    return torch.lerp(first.to(wide), last.to(wide), alpha).to(stored)


def live_tensors(network: Any) -> Iterator[Live]:
    """The floating-point parameters and saved buffers of a network, tied ones once.

    Raises:
        ModelError: a parameter is packed integers, as in a quantised model.
    """
    from torch.nn import Parameter

    tied: dict[int, Live] = {}
    for name, tensor in network.state_dict(keep_vars=True).items():
        if tensor.is_floating_point():
            known = tied.get(id(tensor), Live((), tensor))
            tied[id(tensor)] = Live((*known.names, name), tensor)
        elif isinstance(tensor, Parameter):
            raise ModelError(
                f"The weight {name!r} is stored as {tensor.dtype}.",
                "Between two packed weights there is no line that means anything.",
                "Interpolate before quantising.",
            )
    yield from tied.values()


def _tensor(weights: Mapping[str, Any], live: Live, side: str) -> Any:
    """What one end holds for a tensor of the network."""
    found = [weights[name] for name in live.names if name in weights]
    if not found:
        what, why = f"The {side} of the line has no weight {live.names[0]!r}.", "The network has."
    elif found[0].shape != live.tensor.shape:
        what = f"The weight {live.names[0]!r} is {tuple(found[0].shape)} at the {side} of the line."
        why = f"In the network it is {tuple(live.tensor.shape)}."
    elif any(other is not found[0] and not other.equal(found[0]) for other in found[1:]):
        what = f"The weights {' and '.join(live.names)} differ at the {side} of the line."
        why = "In the network they are tied: one tensor."
    else:
        return found[0]
    raise ModelError(what, why, "Interpolate between a model and what was tuned from it.")


def scale_adapter(network: Any, alpha: float) -> None:
    """Multiply B of a LoRA or rsLoRA adapter by alpha, for good: saved, it is the model at alpha for any reader.

    The product is taken in float32 and rounded once to B's dtype. A second call multiplies again.

    Raises:
        ConfigError: alpha is not in [0, 1].
        ModelError: for this kind of adapter that is not interpolation.
    """
    import torch

    check_alpha(alpha)
    adapter = network.active_adapter
    reason = why_not_scaled(network.peft_config[adapter])
    if reason:
        raise ModelError("This adapter cannot be scaled.", f"{reason[0].upper()}{reason[1:]}.", "Merge it first.")
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if f".lora_B.{adapter}" in name or f".lora_embedding_B.{adapter}" in name:
                weight.copy_(weight.float() * alpha)
