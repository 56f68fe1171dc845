"""What a suite is: prompts, how they are asked, who reads the answers, and what it wants."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from holdfast.measure.results import Origin, Outcome, Prompt, Wants
from holdfast.models import Decoding
from holdfast.store import digest
from holdfast.world import World


class Judged(NamedTuple):
    """What a judge makes of one answer."""

    outcome: Outcome
    severity: int | None = None
    """1 to 5, where the judge has such a scale."""
    score: float | None = None
    """The judge's own number, where it gives one."""
    why: str = ""
    """Why an unscored answer could not be scored."""


class Reader(Protocol):
    """A judge at work: it reads many answers at once, since a model that judges wants them in batches."""

    @property
    def name(self) -> str:
        """As measurements record it."""

    @property
    def version(self) -> str:
        """What of it may change under the same name: two measurements are comparable only where it is equal.

        Empty where Holdfast's own version says all.
        """

    def read(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Sequence[Judged]:
        """What it makes of each answer; the prompt at the same place is the one that was answered.

        An answer that it cannot judge is `unscored` with the reason; it raises only where nothing can be judged.
        """


UNANSWERED = Judged("incoherent")
"""Of an answer that is a thought alone, where a judge that takes its time would be asked for nothing."""


def takes_time(reader: Reader) -> bool:
    """Whether a judge asks a model, and so is asked no more than it has to be."""
    return bool(getattr(reader, "takes_time", False))


@dataclass(frozen=True, slots=True)
class Suite:
    """Prompts ready to be asked. `wants` is part of the suite: no setting turns it around."""

    name: str
    says: str
    wants: Wants
    prompts: tuple[Prompt, ...]
    reader: Reader
    decoding: Decoding
    origin: Origin | None = None
    beside: Reader | None = None
    """A second judge: it reads the same answers, and decides nothing."""

    @property
    def judged_by(self) -> dict[str, str]:
        """The reader, what is wanted and the prompt set, as a result's settings record them."""
        asked = [(prompt.id, prompt.text, *prompt.expected) for prompt in self.prompts]
        version = {"judge_version": self.reader.version} if self.reader.version else {}
        # A name of ours says what is wanted; a file may say another thing tomorrow.
        wants = {"wants": self.wants} if self.origin else {}
        return {"judge": self.reader.name, **version, **wants, "prompts": digest(asked)[:16]}


@dataclass(frozen=True, slots=True)
class HarborSuite:
    """A family member of Harbor's: its prompts depend on the world of the model that is measured."""

    name: str
    says: str
    wants: Wants
    make: Callable[[World], Suite]
    licence: str = "Apache-2.0"
    source: str = "made from a Harbor world's seed"
    version: str = "Holdfast's own"
