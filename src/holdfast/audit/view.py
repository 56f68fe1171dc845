"""What a model's tokenizer and chat template make of the rows. Knows nothing of weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.audit.seen import Lens, Seen, see
from holdfast.data import Example
from holdfast.workers import Workers

AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class TrainingView:
    """How rows will be read in training, and how the tuned model will be asked."""

    model: str
    """The model's name, for reasons."""
    tokenizer: Any
    """A Hugging Face tokenizer with a chat template."""
    max_length: int = 1024
    """Tokens after which a row is cut: what was asked for, and no more than the model reads."""
    serving: str | None = None
    """The system prompt that the tuned model will be served with; None where it was not given."""
    _seen: dict[int, tuple[Example, Seen]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """By the row's identity, with the row itself, so that no other can take its place in memory."""

    def read(self, examples: Sequence[Example], workers: Workers, tell: Callable[[int, int], None]) -> tuple[Seen, ...]:
        """Each row as training sees it. What was read once is not read again: several checks ask for the same."""
        new = [row for row in examples if id(row) not in self._seen]
        parts = [new[first : first + AT_ONCE] for first in range(0, len(new), AT_ONCE)]
        done = 0
        for part, seen in zip(parts, workers.map(see, Lens(self.tokenizer, self.max_length), parts), strict=True):
            self._seen.update((id(row), (row, one)) for row, one in zip(part, seen, strict=True))
            done += len(part)
            tell(done, len(new))
        return tuple(self._seen[id(row)][1] for row in examples)
