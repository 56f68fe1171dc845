"""A model behind an OpenAI-compatible server: how its prompts are asked. Sees neither its weights nor its template."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from holdfast.endpoint import ENDPOINT, ENOUGH, INSTALL, EndpointError, Said, Server, Unanswered, is_installed
from holdfast.errors import ConfigError
from holdfast.models.decoding import Chat, Decoding, Reply, Stop
from holdfast.models.thoughts import with_thought

VOUCHED = "vouched:"
EXAMPLE = f"{ENDPOINT}NAME@http://HOST:PORT/v1"
STOPS: Mapping[str, Stop] = {"stop": "end", "length": "length", "content_filter": "filtered"}
"""The API's `finish_reason` in our words; every other is `unknown`."""


def is_served(weights: str) -> bool:
    """Whether what stands where a digest of weights would is the name that a served model is known by."""
    return weights.startswith((ENDPOINT, VOUCHED))


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model as a server names it, asked with the conversation, the decoding and a seed for each answer.

    Raises:
        ConfigError: with all that is wrong with the name, the address, the key, the settings and the extra `endpoint`.
    """

    model: str
    """What the server calls it."""
    server: Server
    vouched: str = ""
    """The name under which the user vouches that what this model's name stands for does not change."""

    def __post_init__(self) -> None:
        wrong = [] if self.model else [("it has no name", f"give {EXAMPLE}")]
        wrong += [*self.server.faults(EXAMPLE), *self.server.key_faults()]
        wrong += [] if is_installed() else [("the OpenAI client is not installed", INSTALL)]
        if wrong:
            what = f"The served model {self.model!r} cannot be asked: {'; '.join(fault for fault, _ in wrong)}."
            raise ConfigError(what, "", "; ".join(dict.fromkeys(mend for _, mend in wrong)))

    @property
    def name(self) -> str:
        """As it is named on the command line."""
        return f"{ENDPOINT}{self.model}@{self.server.url}"

    @property
    def weights(self) -> str:
        """What it is known by: no digest, for nobody can see the weights of a served model."""
        return f"{VOUCHED}{self.vouched}/{self.model}" if self.vouched else self.name

    @property
    def template(self) -> str:
        """Empty: the chat template is the server's own."""
        return ""

    def answer(self, prompts: Sequence[Chat], decoding: Decoding, seed: int = 0) -> Iterator[tuple[Reply, ...]]:
        """Answer every prompt `decoding.samples` times, each answer as it comes.

        Raises:
            EndpointError: the server fails a request after all retries, or turns the first ones down one and all.
        """
        return self.answer_rest(prompts, decoding, seed, ())

    def answer_rest(
        self, prompts: Sequence[Chat], decoding: Decoding, seed: int, known: Collection[tuple[int, int]]
    ) -> Iterator[tuple[Reply, ...]]:
        """The same, but for the (place of the prompt, sample) that are known.

        How far equal seeds give equal answers is the server's to say.
        """
        pairs = ((place, sample) for place in range(len(prompts)) for sample in range(decoding.samples))
        wanted = [pair for pair in pairs if pair not in known]
        requests = (self._request(prompts[place], sample, decoding, seed) for place, sample in wanted)
        accepts, count = bool(known), 0  # a server that answered before does not turn down everything
        for some in self.server.ask(requests, f"The served model {self.model!r}", "answered"):
            yield tuple(_reply(*wanted[at], got) for at, got in some)
            count += len(some)
            accepts = accepts or any(isinstance(got, Said) or got.filtered for _, got in some)
            if count >= ENOUGH and not accepts:
                raise self._refused(next(got.why for _, got in some if isinstance(got, Unanswered)))

    def _request(self, chat: Chat, sample: int, decoding: Decoding, seed: int) -> dict[str, Any]:
        return {
            "model": self.model,
            "messages": [dict(message) for message in chat],
            "temperature": decoding.temperature,
            "top_p": decoding.top_p,
            "max_tokens": decoding.max_tokens,
            "seed": seed_of(seed, chat, sample),
        }

    def _refused(self, why: str) -> EndpointError:
        return EndpointError(
            f"The served model {self.model!r} turned down every prompt so far.", why, "Check the model and its address."
        )


def seed_of(seed: int, chat: Chat, sample: int) -> int:
    """The seed of one answer, in [0, 2^31): of this seed, conversation and sample alone."""
    words = json.dumps([seed, sample, [dict(message) for message in chat]], sort_keys=True, ensure_ascii=False)
    return int.from_bytes(sha256(words.encode()).digest()[:4], "little") >> 1


def _reply(place: int, sample: int, got: Said | Unanswered) -> Reply:
    if isinstance(got, Unanswered):
        return Reply(place, sample, "", "rejected", got.why or "no reason given")
    stop, said = STOPS.get(got.finish, "unknown"), with_thought(got.thought, got.text)
    why = "a content filter of the server's" if stop == "filtered" else ""
    return Reply(place, sample, said.answer, stop, why, said.thought)
