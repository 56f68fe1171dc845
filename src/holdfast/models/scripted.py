"""A model that says what it is told to: for tests at the seam between asking and judging."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from holdfast.errors import ModelError
from holdfast.models.decoding import Chat, Decoding, Reply
from holdfast.models.thoughts import split_thought

Script = Mapping[str, str] | Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class ScriptedModel:
    """Answers from a mapping of question to answer, or from a function of question and sample number."""

    name: str
    script: Script
    batch: int = 8
    """Prompts answered at a time."""

    @property
    def weights(self) -> str:
        """A digest of the name: two scripts of different names are different models."""
        return sha256(f"scripted {self.name}".encode()).hexdigest()

    @property
    def template(self) -> str:
        """A script renders nothing, so every script has the same template."""
        return sha256(b"scripted").hexdigest()

    def answer(self, prompts: Sequence[Chat], decoding: Decoding, seed: int = 0) -> Iterator[tuple[Reply, ...]]:
        """Say the script's line to the last thing the user said.

        Raises:
            ModelError: a mapping has no line for a question.
        """
        for start in range(0, len(prompts), self.batch):
            yield tuple(
                self._reply(place, sample, str(prompts[place][-1]["content"]))
                for place in range(start, min(start + self.batch, len(prompts)))
                for sample in range(decoding.samples)
            )

    def _reply(self, place: int, sample: int, question: str) -> Reply:
        said = split_thought(self._line(question, sample))
        return Reply(place, sample, said.answer, "end", thought=said.thought)

    def _line(self, question: str, sample: int) -> str:
        if not isinstance(self.script, Mapping):
            return self.script(question, sample)
        if question not in self.script:
            raise ModelError(f"The script {self.name!r} has no line for {question!r}.", mend="Add one to the mapping.")
        return self.script[question]
