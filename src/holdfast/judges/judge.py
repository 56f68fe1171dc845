"""What every judge says of itself, whatever it reads."""

from dataclasses import dataclass

from holdfast.judges.measured import Measured


@dataclass(frozen=True, slots=True)
class Judge:
    """A judge's name, as measurements record it, one sentence, and how right it was against people."""

    name: str
    says: str
    measured: tuple[Measured, ...] = ()


@dataclass(frozen=True, slots=True)
class Instrument:
    """What a check goes by, and how right that was where the truth is known."""

    name: str
    checks: tuple[str, ...]
    """The audit's checks that go by it."""
    says: str
    measured: tuple[Measured, ...]
