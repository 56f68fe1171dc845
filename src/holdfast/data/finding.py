"""What a check has to say about a row."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One row, one reason, and the words that show it."""

    check: str
    row: str
    """The example's id, `file:line`."""
    reason: str
    """One sentence that a person can act on."""
    evidence: str
    """The span of the row (or of what it repeats) that the reason rests on."""
    keeps: str = ""
    """For a duplicate or a contaminated row: the row or evaluation item that stays."""
    score: float | None = None
    """How near, where the check measures nearness."""
    removes: bool = True
    """Whether the row leaves the training set; a finding that only warns leaves it in."""
    verdict: str = ""
    """The kind of match, where the check tells several apart."""
    restored: bool = False
    """Whether a person brought the row back by its id."""
