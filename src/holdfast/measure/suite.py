"""What a suite is: prompts, how they are asked, how an answer is judged, and what it wants."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from holdfast.measure.results import Outcome, Prompt, Wants
from holdfast.models import Decoding
from holdfast.world import World


class Judged(NamedTuple):
    """What a judge makes of one answer."""

    outcome: Outcome
    severity: int | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """Prompts ready to be asked. `wants` is part of the suite: no setting turns it around."""

    name: str
    says: str
    wants: Wants
    prompts: tuple[Prompt, ...]
    judge: Callable[[Prompt, str], Judged]
    judge_name: str
    decoding: Decoding


@dataclass(frozen=True, slots=True)
class HarborSuite:
    """A family member of Harbor's: its prompts depend on the world of the model that is measured."""

    name: str
    says: str
    wants: Wants
    make: Callable[[World], Suite]
