"""A second judge beside the first: what it says of the same answers, and how often the two disagree.

The first decides; no figure of a suite follows from the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from holdfast.measure.results import Answer, Outcome, SuiteResult
from holdfast.measure.suite import UNANSWERED, Reader, takes_time
from holdfast.stats import korn_graubard


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two judges of the same answers, by whether the suite's word is kept."""

    first: str
    second: str
    second_version: str
    n: int
    """Answers that both scored."""
    differ: int
    share: float | None
    """Of the prompts' answers that both scored; None where there are none."""
    interval: tuple[float, float] | None
    """95 %, two-sided, clustered; an answer that one of them did not score counts against it on both sides."""
    both_broken: int
    only_first: int
    """Answers that break the suite's word by the first judge alone."""
    only_second: int
    both_kept: int
    unscored_first: int
    unscored_second: int

    def to_json(self) -> dict[str, Any]:
        """Counts, share and interval, and the four cells."""
        cells = {name: getattr(self, name) for name in ("both_broken", "only_first", "only_second", "both_kept")}
        return {
            "judge": self.second,
            "judge_version": self.second_version,
            "n": self.n,
            "differ": self.differ,
            "share": self.share,
            "interval": list(self.interval) if self.interval else None,
            "table": cells,
            "unscored": {"first": self.unscored_first, "second": self.unscored_second},
        }


def read_beside(result: SuiteResult, second: Reader | None) -> SuiteResult:
    """The result with the second judge's words beside the first's; as it is where there is no second judge.

    Answers that were never given have no text, and stay unscored; those that are a thought alone are not put to a
    model that judges.
    """
    if second is None:
        return result
    prompts = {prompt.id: prompt for prompt in result.prompts}
    given = [answer for answer in result.answers if not (_never_given(answer) or _left_out(answer, second))]
    read = second.read([prompts[answer.prompt_id] for answer in given], [answer.text for answer in given])
    words = {(a.prompt_id, a.sample): judged.outcome for a, judged in zip(given, read, strict=True)}
    answers = tuple(replace(a, beside=words.get((a.prompt_id, a.sample), _unread(a))) for a in result.answers)
    return replace(result, answers=answers, beside=second.name, beside_version=second.version)


def _never_given(answer: Answer) -> bool:
    return answer.outcome == "unscored" and not answer.text


def _left_out(answer: Answer, second: Reader) -> bool:
    return answer.thinking == "open" and takes_time(second)


def _unread(answer: Answer) -> Outcome:
    return "unscored" if _never_given(answer) else UNANSWERED.outcome


def disagreement(result: SuiteResult) -> Disagreement | None:
    """How the two judges of a result disagree; None where there was one."""
    if not result.beside:
        return None
    pairs = [(result.is_bad(answer), _bad_beside(result, answer)) for answer in result.answers]
    by_prompt: dict[str, list[bool | None]] = {}
    for answer, (one, other) in zip(result.answers, pairs, strict=True):
        differs = None if one is None or other is None else one != other
        by_prompt.setdefault(answer.prompt_id, []).append(differs)
    both = [(one, other) for one, other in pairs if one is not None and other is not None]
    share, interval = _share(result, by_prompt)
    return Disagreement(
        first=result.settings.get("judge", ""),
        second=result.beside,
        second_version=result.beside_version,
        n=len(both),
        differ=sum(one != other for one, other in both),
        share=share,
        interval=interval,
        both_broken=both.count((True, True)),
        only_first=both.count((True, False)),
        only_second=both.count((False, True)),
        both_kept=both.count((False, False)),
        unscored_first=sum(one is None for one, _ in pairs),
        unscored_second=sum(other is None for _, other in pairs),
    )


def _bad_beside(result: SuiteResult, answer: Answer) -> bool | None:
    return result.is_bad(replace(answer, outcome=answer.beside or "unscored"))


def _share(
    result: SuiteResult, by_prompt: dict[str, list[bool | None]]
) -> tuple[float | None, tuple[float, float] | None]:
    clusters = {prompt.id: prompt.cluster for prompt in result.prompts}
    known = [[each for each in differs if each is not None] for differs in by_prompt.values()]
    shares = [float(np.mean(each)) for each in known if each]
    if not shares:
        return None, None
    labels = [clusters[id] for id in by_prompt]
    low = korn_graubard([_filled(each, False) for each in by_prompt.values()], labels)[0]
    high = korn_graubard([_filled(each, True) for each in by_prompt.values()], labels)[1]
    return float(np.mean(shares)), (low, high)


def _filled(differs: Sequence[bool | None], if_unknown: bool) -> float:
    return float(np.mean([if_unknown if each is None else each for each in differs]))
