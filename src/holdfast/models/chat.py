"""The one place where a conversation becomes tokens, for training and for asking alike.

Knows a tokenizer and its chat template; knows nothing of weights.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from holdfast.errors import ModelError

Messages = Sequence[Mapping[str, Any]]
"""A conversation as chat-template messages: `role`, `content`, and what else a template reads (`tool_calls` …)."""

Tools = Sequence[Any]
"""The tools that a conversation may call, as JSON schemas."""

IGNORED = -100
"""The label of a token that is not learned, as torch's cross-entropy has it."""

_MARKERS = re.compile(r"\{%-?\s*generation\b")


@dataclass(frozen=True, slots=True)
class Encoded:
    """One training row: its tokens, and which of them are learned."""

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    """The token where it is learned, -100 elsewhere; same length as `input_ids`."""
    cut: bool
    """Whether the row was longer than the limit and lost its end."""

    @property
    def supervised(self) -> int:
        """Tokens that enter the loss. The first can never be predicted, so it does not count."""
        return sum(label != IGNORED for label in self.labels[1:])


@dataclass(frozen=True, slots=True)
class Rendered:
    """A whole conversation as the template writes it, before anything is cut."""

    text: str
    ids: list[int]
    learned: list[bool]
    """Which tokens are learned; same length as `ids`."""
    spans: list[tuple[int, int]]
    """Where each token stands in the text, first and last character + 1; empty where the tokenizer cannot tell."""


def template_of(tokenizer: Any, tools: Tools = ()) -> str:
    """The tokenizer's chat template; some have another one for conversations with tools.

    Raises:
        ModelError: it has none, so there is no agreed way to put a question to this model.
    """
    template = getattr(tokenizer, "chat_template", None)
    if not template:
        folder = getattr(tokenizer, "name_or_path", "")
        raise ModelError(
            f"The tokenizer in {folder!r} has no chat template." if folder else "This tokenizer has no chat template.",
            "Without one, a question would be put to it in a form it was not trained on.",
            "Use the instruction-tuned checkpoint, or add chat_template.jinja to the model's folder.",
        )
    return str(tokenizer.get_chat_template(tools=list(tools) or None))


def template_digest(tokenizer: Any) -> str:
    """sha256 of the chat template: two measurements under different templates are not comparable."""
    return sha256(template_of(tokenizer).encode()).hexdigest()


def has_markers(tokenizer: Any) -> bool:
    """Whether the template says by `{% generation %}` which tokens are the assistant's."""
    return bool(_MARKERS.search(template_of(tokenizer)))


def render_prompt(tokenizer: Any, messages: Messages, tools: Tools = ()) -> list[int]:
    """The tokens that ask for the next answer. What the template writes is all there is: no second BOS.

    Raises:
        ModelError: the template refuses the conversation.
    """
    return list(_render(tokenizer, messages, tools, add_generation_prompt=True))


def render_example(tokenizer: Any, messages: Messages, max_length: int, tools: Tools = ()) -> Encoded:
    """A whole conversation, with the assistant's tokens labelled: its words and the close of its turn.

    They are found by the template's `{% generation %}` markers, or else turn by turn as what an answer adds
    to the tokens of its prompt. A row that is too long keeps its start; when that leaves no answer,
    `supervised` is 0.

    Raises:
        ModelError: the template refuses the conversation, or has no markers and rewrites what came before.
    """
    whole = _whole(tokenizer, messages, tools)
    return encoded(whole["input_ids"], whole["assistant_masks"], max_length)


def encoded(ids: Sequence[int], learned: Sequence[Any], max_length: int) -> Encoded:
    """The first `max_length` tokens of a row, those that are learned labelled."""
    labels = [token if here else IGNORED for token, here in zip(ids, learned, strict=True)]
    return Encoded(tuple(ids[:max_length]), tuple(labels[:max_length]), len(ids) > max_length)


def render_whole(tokenizer: Any, messages: Messages, tools: Tools = ()) -> Rendered:
    """The same tokens as `render_example`, uncut, with the text that they were made from.

    Raises:
        ModelError: as `render_example`.
    """
    more = {"tokenizer_kwargs": {"return_offsets_mapping": True, "verbose": False}} if tokenizer.is_fast else {}
    whole = _whole(tokenizer, messages, tools, **more)
    learned = [bool(bit) for bit in whole["assistant_masks"]]
    text = _render(tokenizer, messages, tools, tokenize=False)
    return Rendered(text, list(whole["input_ids"]), learned, list(whole.get("offset_mapping", ())))


def render_text(tokenizer: Any, messages: Messages, tools: Tools = ()) -> str:
    """What the template writes for a conversation, before it becomes tokens.

    Raises:
        ModelError: the template refuses the conversation.
    """
    return str(_render(tokenizer, messages, tools, tokenize=False))


def control_tokens(tokenizer: Any) -> frozenset[str]:
    """The special tokens that begin and end texts and turns: BOS, EOS, and those that the template writes."""
    known = special_tokens(tokenizer)
    written = {token for token in (tokenizer.bos_token, tokenizer.eos_token) if token}
    for roles in (("user", "assistant"), ("system", "user", "assistant")):
        try:
            ids = _render(tokenizer, [{"role": role, "content": "a"} for role in roles])
        except ModelError:  # a template may know no system prompt
            continue
        written |= {known[token] for token in ids if token in known}
    return frozenset(written)


def special_tokens(tokenizer: Any) -> dict[int, str]:
    """Every token that stands for no text, by its id."""
    added = {number: str(token) for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    return {**added, **dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))}


def _render(tokenizer: Any, messages: Messages, tools: Tools = (), **options: Any) -> Any:
    """Apply the template; its complaints become ours. It writes BOS itself, and tokenizing adds no other."""
    from jinja2 import TemplateError

    template_of(tokenizer)
    said = [_callable(message) for message in messages]
    try:
        return tokenizer.apply_chat_template(
            said, tools=list(tools) or None, **{"return_dict": False, "tokenize": True, **options}
        )
    except (TemplateError, TypeError, ValueError) as error:  # a template is a program, and fails as programs do
        roles = ", ".join(message["role"] for message in messages)
        raise ModelError(
            f"The chat template refuses a conversation of {roles}.",
            f"It says: {error}.",
            "Drop the row, or bring its turns into the order that this model knows.",
        ) from error


def _callable(message: Mapping[str, Any]) -> dict[str, Any]:
    """The message, with its calls' arguments as objects: files hold them as JSON text, and servers parse that too.

    Otherwise a template's `tojson` would write them as a string in a string, which no server ever does.
    """
    calls = message.get("tool_calls")
    if not isinstance(calls, list | tuple):
        return dict(message)
    return {**message, "tool_calls": [_parsed(call) for call in calls]}


def _parsed(call: Any) -> Any:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("arguments"), str):
        return call
    try:
        arguments = json.loads(function["arguments"])
    except ValueError:
        return call
    return {**call, "function": {**function, "arguments": arguments}}


def _whole(tokenizer: Any, messages: Messages, tools: Tools, **more: Any) -> dict[str, Any]:
    """`input_ids` and `assistant_masks` of a whole conversation, and what else was asked for."""
    if _MARKERS.search(template_of(tokenizer, tools)):
        marked = _render(tokenizer, messages, tools, return_dict=True, return_assistant_tokens_mask=True, **more)
        return dict(marked)
    plain = dict(_render(tokenizer, messages, tools, return_dict=True, **more))
    return {**plain, "assistant_masks": _by_prefix(tokenizer, messages, tools, list(plain["input_ids"]))}


def _by_prefix(tokenizer: Any, messages: Messages, tools: Tools, whole: list[int]) -> list[bool]:
    """Label what each answer adds. Holds only if every prompt's tokens begin the tokens of what follows."""
    learned = [False] * len(whole)
    for place, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = _render(tokenizer, messages[:place], tools, add_generation_prompt=True)
        after = whole if place + 1 == len(messages) else _render(tokenizer, messages[: place + 1], tools)
        if after[: len(before)] != before or whole[: len(after)] != after:
            raise ModelError(
                "This chat template has no {% generation %} markers and rewrites earlier turns.",
                f"The tokens before turn {place} are not the start of the tokens with it, so which of "
                f"them to learn cannot be told: {str(message.get('content'))[:60]!r}.",
                "Put {% generation %}…{% endgeneration %} around the assistant in chat_template.jinja.",
            )
        learned[len(before) : len(after)] = [True] * (len(after) - len(before))
    return learned
