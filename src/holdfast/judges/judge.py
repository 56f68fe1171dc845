"""What every judge says of itself, whatever it reads."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judge:
    """A judge's name, as measurements record it, and one sentence."""

    name: str
    says: str
