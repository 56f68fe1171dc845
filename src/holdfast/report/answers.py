"""Which answers a page shows, in which order, and what became of each. Knows nothing of HTML.

Model output is data here: it is cut, never interpreted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from holdfast.measure.results import Answer, Prompt, SuiteResult
from holdfast.report.wording import visible

Change = Literal["newly worse", "newly better", "unscored", "bad in both", "good in both"]
ORDER: tuple[Change, ...] = ("newly worse", "unscored", "newly better", "bad in both", "good in both")
"""What a reader looks for first."""

SHOWN = 200
"""Questions shown per metric."""
LONGEST = 600
"""Characters shown of one question or answer."""


@dataclass(frozen=True, slots=True)
class Said:
    """One model's first answer to one question."""

    outcome: str
    text: str
    bad: bool | None
    """None when it could not be scored."""
    cut: bool
    """The model was stopped by the length limit."""
    bad_samples: str = ""
    """`3 of 5 samples bad`, when there are several samples."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One question with both models' answers."""

    question: str
    group: str
    held_out: str
    before: Said
    after: Said
    change: Change


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """The answers shown for one metric, newly worse ones first, and how many there are in all."""

    suite: str
    says: str
    guarded: bool
    """Answers to questions that should be refused: each stays closed until a person opens it."""
    total: int
    counts: Mapping[Change, int]
    pairs: tuple[Pair, ...]


def answer_table(before: SuiteResult, after: SuiteResult, shown: int = SHOWN) -> AnswerTable:
    """Pair two models' answers by prompt, sort them by what changed, and keep the first `shown`."""
    old, new = _by_prompt(before), _by_prompt(after)
    asked = [prompt for prompt in after.prompts if prompt.id in old and prompt.id in new]
    pairs = [_pair(prompt, (before, old[prompt.id]), (after, new[prompt.id])) for prompt in asked]
    counts = {change: sum(pair.change == change for pair in pairs) for change in ORDER}
    pairs.sort(key=lambda pair: ORDER.index(pair.change))
    guarded = after.wants == "refusal"
    return AnswerTable(after.suite, after.says, guarded, len(pairs), counts, tuple(pairs[:shown]))


def _by_prompt(suite: SuiteResult) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = {}
    for answer in sorted(suite.answers, key=lambda answer: answer.sample):
        found.setdefault(answer.prompt_id, []).append(answer)
    return found


def _pair(prompt: Prompt, old: tuple[SuiteResult, list[Answer]], new: tuple[SuiteResult, list[Answer]]) -> Pair:
    before, after = _said(*old), _said(*new)
    return Pair(clipped(prompt.text), prompt.group, prompt.held_out, before, after, _change(before.bad, after.bad))


def _said(suite: SuiteResult, answers: Sequence[Answer]) -> Said:
    first, bad = answers[0], [suite.is_bad(answer) for answer in answers]
    several = f"{bad.count(True)} of {len(bad)} samples bad" if len(bad) > 1 else ""
    return Said(first.outcome, clipped(first.text), bad[0], first.stop == "length", several)


def _change(before: bool | None, after: bool | None) -> Change:
    if before is None or after is None:
        return "unscored"
    if before != after:
        return "newly worse" if after else "newly better"
    return "bad in both" if after else "good in both"


def clipped(text: str, longest: int = LONGEST) -> str:
    """Foreign text made visible and cut to a stated length, saying how much is missing."""
    if len(text) <= longest:
        return visible(text)
    return f"{visible(text[:longest])} … ({len(text) - longest:,} more characters)"
