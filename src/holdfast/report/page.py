"""What a report is made of: finished results and facts about the run. Does not know how it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.compare.results import Comparison
from holdfast.measure.results import Measurement


@dataclass(frozen=True, slots=True)
class Training:
    """What the fine-tune did. A fact nobody measured is None and is shown as a dash."""

    recipe: str
    rows: int | None = None
    """Rows trained on, after the audit and the mix."""
    quarantined: int | None = None
    """Rows the audit set aside."""
    steps: int | None = None
    loss: float | None = None
    """The last training loss, in nats per supervised token."""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class JudgeError:
    """How often the judge errs, in words and, where it was calibrated, in numbers."""

    says: str
    sensitivity: float | None = None
    """Share of the unsafe answers that the judge calls unsafe."""
    specificity: float | None = None
    """Share of the safe answers that the judge calls safe."""
    labels: int | None = None
    """Human labels behind the two numbers."""


@dataclass(frozen=True, slots=True)
class Section:
    """One condition: a tuned model beside the model it came from."""

    name: str
    comparison: Comparison
    before: Measurement
    after: Measurement
    training: Training | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that one report says."""

    title: str
    sections: tuple[Section, ...]
    judge: JudgeError
    untested: tuple[str, ...]
    """What was not tested, one plain phrase each."""
    next_command: str
    version: str
    """Holdfast's version."""
    date: str
    """The day of the run, as it is to be printed: a report has no clock of its own."""
    decoder: Mapping[str, str] = field(default_factory=dict)
    """How answers were sampled: temperature, top-p, tokens, samples."""
