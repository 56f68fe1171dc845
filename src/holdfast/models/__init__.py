"""Loading, one rendering of a conversation, and answering in batches. Does not train and does not judge."""

from holdfast.models.between import Between, open_between
from holdfast.models.both import is_switched, load_both
from holdfast.models.chat import IGNORED, Encoded, render_example, render_prompt, template_digest
from holdfast.models.checkpoint import (
    ADAPTER,
    CARD,
    base_of,
    check_folder,
    default_device,
    digest_weights,
    is_adapter,
    named_base,
    read_card,
    read_dtype,
    read_network,
    read_tokenizer,
)
from holdfast.models.decoding import Chat, Decoding, Model, OneByOne, Reply, Stop
from holdfast.models.interpolation import check_alpha, interpolate, scale_adapter, why_not_scaled
from holdfast.models.local import LocalModel, load
from holdfast.models.quiet import quiet
from holdfast.models.scripted import ScriptedModel
from holdfast.models.served import ServedModel, is_served

__all__ = [
    "ADAPTER",
    "CARD",
    "IGNORED",
    "Between",
    "Chat",
    "Decoding",
    "Encoded",
    "LocalModel",
    "Model",
    "OneByOne",
    "Reply",
    "ScriptedModel",
    "ServedModel",
    "Stop",
    "base_of",
    "check_alpha",
    "check_folder",
    "default_device",
    "digest_weights",
    "interpolate",
    "is_adapter",
    "is_served",
    "is_switched",
    "load",
    "load_both",
    "named_base",
    "open_between",
    "quiet",
    "read_card",
    "read_dtype",
    "read_network",
    "read_tokenizer",
    "render_example",
    "render_prompt",
    "scale_adapter",
    "template_digest",
    "why_not_scaled",
]
