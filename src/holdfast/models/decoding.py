"""How answers are asked for and what comes back. Knows nothing of any engine."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from holdfast.errors import ConfigError

Chat = Sequence[Mapping[str, str]]
"""A conversation so far, as chat-template messages: `role` and `content`."""

Stop = Literal["end", "length", "filtered", "rejected", "unknown"]


@dataclass(frozen=True, slots=True)
class Decoding:
    """How tokens are chosen: part of what a measurement is, so a suite states it and a result records it.

    Raises:
        ConfigError: with every value that cannot be, not only the first.
    """

    temperature: float = 0.0
    """0 is greedy: always the likeliest token."""
    top_p: float = 1.0
    """Only the likeliest tokens that together reach this mass (Holtzman et al. 2020, arXiv:1904.09751)."""
    max_tokens: int = 64
    """Tokens after which an answer is cut, and then counted as cut."""
    samples: int = 1
    """Answers per prompt, k."""

    def __post_init__(self) -> None:
        wrong = [fault for fault, found in self._faults() if found]
        if wrong:
            raise ConfigError(
                "This decoding cannot be: " + "; ".join(wrong) + ".", "",
                "For example --samples 1 --temperature 0, or --samples 5 alone, which means temperature 1.",
            )  # fmt: skip

    def _faults(self) -> Iterator[tuple[str, bool]]:
        yield f"temperature {self.temperature} is no number from 0", not self.temperature >= 0
        yield f"top_p {self.top_p} is not in (0, 1]", not 0 < self.top_p <= 1
        yield f"max_tokens {self.max_tokens} is below 1", self.max_tokens < 1
        yield f"samples {self.samples} is below 1", self.samples < 1
        greedy = self.temperature == 0
        yield f"{self.samples} samples at temperature 0 are one answer repeated", greedy and self.samples > 1

    @property
    def settings(self) -> dict[str, str]:
        """The four values in words, for a suite's settings."""
        return {
            "temperature": f"{self.temperature:g}",
            "top_p": f"{self.top_p:g}",
            "max_tokens": str(self.max_tokens),
            "samples": str(self.samples),
        }


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer to one prompt."""

    prompt: int
    """The prompt's place in the sequence that was asked."""
    sample: int
    """Which of its k answers, from 0."""
    text: str
    """What it says; of a model that thinks first, what follows its thought."""
    stop: Stop
    """`end`: the model closed its turn. `length`: it was cut at `max_tokens`. Of served models also `filtered`: a
    filter of the server's kept it back; `rejected`: the server turned the prompt down; `unknown`: it does not say.
    """
    why: str = ""
    """Why there is no answer that can be judged; empty where there is one."""
    thought: str = ""
    """What it wrote before its answer, without the marks around it; empty where it did not think."""

    @property
    def unanswered(self) -> bool:
        """Whether it is a thought alone: never closed, or followed by nothing."""
        return bool(self.thought) and not self.text.strip()


class Model(Protocol):
    """Whatever can be asked: a local checkpoint, an endpoint, a script."""

    @property
    def name(self) -> str:
        """What the user called it."""

    @property
    def weights(self) -> str:
        """sha256 over the weights, so that the same model is recognised under another name; of a served model, whose
        weights cannot be seen, what it is known by (`is_served` tells).
        """

    @property
    def template(self) -> str:
        """sha256 of the chat template; empty where nobody can know it."""

    def answer(self, prompts: Sequence[Chat], decoding: Decoding, seed: int = 0) -> Iterator[tuple[Reply, ...]]:
        """Answer every prompt `decoding.samples` times, some at a time, in any order.

        Each batch can be kept as it arrives. A sampled answer depends on the model, the decoding, the seed, the
        conversation and the sample's number, and nothing else: not on the batch nor on other prompts.
        """


@runtime_checkable
class OneByOne(Model, Protocol):
    """A model that may be paid by the answer: each comes by itself, and none that is known is asked for."""

    def answer_rest(
        self, prompts: Sequence[Chat], decoding: Decoding, seed: int, known: Collection[tuple[int, int]]
    ) -> Iterator[tuple[Reply, ...]]:
        """As `answer`, but for the (place of the prompt, sample) that are known."""
