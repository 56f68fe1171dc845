"""The one place where a conversation becomes tokens, for training and for asking alike.

Knows a tokenizer and its chat template; knows nothing of weights.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from holdfast.errors import ModelError
from holdfast.models.decoding import Chat

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


def template_of(tokenizer: Any) -> str:
    """The tokenizer's chat template.

    Raises:
        ModelError: it has none, so there is no agreed way to put a question to this model.
    """
    template = getattr(tokenizer, "chat_template", None)
    if not template:
        raise ModelError(
            "This model's tokenizer has no chat template.",
            "Without one, a question would be put to it in a form it was not trained on.",
            "Use the instruction-tuned checkpoint, or add chat_template.jinja to the model's folder.",
        )
    return str(tokenizer.get_chat_template())


def template_digest(tokenizer: Any) -> str:
    """sha256 of the chat template: two measurements under different templates are not comparable."""
    return sha256(template_of(tokenizer).encode()).hexdigest()


def render_prompt(tokenizer: Any, messages: Chat) -> list[int]:
    """The tokens that ask for the next answer. What the template writes is all there is: no second BOS.

    Raises:
        ModelError: the template refuses the conversation.
    """
    return list(_render(tokenizer, messages, add_generation_prompt=True))


def render_example(tokenizer: Any, messages: Chat, max_length: int) -> Encoded:
    """A whole conversation, with the assistant's tokens labelled: its words and the close of its turn.

    They are found by the template's `{% generation %}` markers, or else turn by turn as what an answer adds
    to the tokens of its prompt. A row that is too long keeps its start; when that leaves no answer,
    `supervised` is 0.

    Raises:
        ModelError: the template refuses the conversation, or has no markers and rewrites what came before.
    """
    if _MARKERS.search(template_of(tokenizer)):
        ids, learned = _by_markers(tokenizer, messages)
    else:
        ids, learned = _by_prefix(tokenizer, messages)
    labels = [token if here else IGNORED for token, here in zip(ids, learned, strict=True)]
    return Encoded(tuple(ids[:max_length]), tuple(labels[:max_length]), len(ids) > max_length)


def _render(tokenizer: Any, messages: Chat, **options: bool) -> Any:
    """Apply the template; its complaints become ours. It writes BOS itself, and tokenizing adds no other."""
    from jinja2 import TemplateError

    template_of(tokenizer)
    try:
        return tokenizer.apply_chat_template(
            [dict(message) for message in messages], **{"return_dict": False, "tokenize": True, **options}
        )
    except TemplateError as error:
        roles = ", ".join(message["role"] for message in messages)
        raise ModelError(
            f"The chat template refuses a conversation of {roles}.",
            f"It says: {error}.",
            "Drop the row, or bring its turns into the order that this model knows.",
        ) from error


def _by_markers(tokenizer: Any, messages: Chat) -> tuple[list[int], list[bool]]:
    both = _render(tokenizer, messages, return_dict=True, return_assistant_tokens_mask=True)
    return list(both["input_ids"]), [bool(bit) for bit in both["assistant_masks"]]


def _by_prefix(tokenizer: Any, messages: Chat) -> tuple[list[int], list[bool]]:
    """Label what each answer adds. Holds only if every prompt's tokens begin the tokens of what follows."""
    whole = _render(tokenizer, messages)
    learned = [False] * len(whole)
    for place, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = _render(tokenizer, messages[:place], add_generation_prompt=True)
        after = _render(tokenizer, messages[: place + 1])
        if after[: len(before)] != before or whole[: len(after)] != after:
            raise ModelError(
                "This chat template has no {% generation %} markers and rewrites earlier turns.",
                f"The tokens before turn {place} are not the start of the tokens with it, so which of "
                f"them to learn cannot be told: {message['content'][:60]!r}.",
                "Put {% generation %}…{% endgeneration %} around the assistant in chat_template.jinja.",
            )
        learned[len(before) : len(after)] = [True] * (len(after) - len(before))
    return whole, learned
