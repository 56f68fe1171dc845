"""A side made from another engine's file: what the readers of such files share. Knows no format.

Two things are never guessed: which end of a metric is bad, and what a value means that is no share.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import Any

from holdfast.compare.chosen import Chosen, check
from holdfast.compare.results import BadIs, Metric, Row, Side
from holdfast.errors import ConfigError, DataError
from holdfast.measure.suites.clusters import clusters

Key = tuple[str, int]
"""A prompt's id and the number of a sample."""
LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
"""What Inspect's scorers write for a correct, a partly correct and an incorrect answer, and for none."""
GROUPS = ("category", "subject")
"""Fields that data sets keep a category in."""
FAULTS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked and answered, whatever metric reads it."""

    texts: Mapping[str, str]
    """Prompt id -> its wording: those that are worded almost alike are one cluster."""
    answers: Mapping[Key, str]
    """A digest of each answer, empty where it is not known. Every sample is here, scored or not."""
    cut: frozenset[Key] = frozenset()
    """Answers that were cut off at the longest allowed length."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """Prompt id -> its category, where the file has one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One metric as its file has it."""

    name: str
    says: str
    asked: Asked
    values: Mapping[Key, Any]
    """A value that is missing, None or NaN could not be scored."""
    settings: Mapping[str, str]
    bad_is: BadIs | None = None
    """What the file says, where it does."""


def side_of(file: str, model: str, template: str, drafts: Sequence[Draft], chosen: Chosen) -> Side:
    """The chosen metrics of a file, their prompts clustered by wording. The digest of the weights is not known.

    Raises:
        ConfigError: a metric that is not there, or one of which nobody says which end is bad; every one at once.
        DataError: a value that is neither a letter of Inspect's, true or false, nor a number from 0 to 1.
    """
    check(file, [*chosen.unknown({draft.name for draft in drafts})])
    if hidden := [draft.name for draft in drafts if not draft.name.isprintable()]:
        raise DataError(f"{file!r} has a metric {hidden[0]!r}.", "That name cannot be shown.", "Give it another name.")
    drafts = [draft for draft in drafts if chosen.has(draft.name)]
    bad_is = _directions(file, drafts, chosen)
    if faults := [fault for draft in drafts for fault in _faults(draft)]:
        more = [f"and {len(faults) - FAULTS_SHOWN} more"] if len(faults) > FAULTS_SHOWN else []
        raise DataError(
            f"{file!r} has values that are no share.", "\n  ".join([*faults[:FAULTS_SHOWN], *more]),
            "Compare the other metrics (--metric NAME), or turn these into shares in a CSV: prompt_id,sample,value.",
        )  # fmt: skip
    metrics = {draft.name: _metric(draft, bad_is[draft.name], chosen) for draft in drafts}
    shown = "".join(sign if sign.isprintable() else "?" for sign in model)
    return Side(shown, "", template, metrics)


def text_digest(text: str) -> str:
    """A digest of an answer; empty for one of which nothing was kept."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16] if text else ""


def group_of(about: Mapping[str, Any]) -> str:
    """The category that a sample's own fields name."""
    return next((found for name in GROUPS if isinstance(found := about.get(name), str)), "")


def _directions(file: str, drafts: Sequence[Draft], chosen: Chosen) -> dict[str, BadIs]:
    found = {draft.name: chosen.named.get(draft.name) or draft.bad_is or chosen.every for draft in drafts}
    if silent := [name for name, bad_is in found.items() if bad_is is None]:
        raise ConfigError(
            f"{file!r} does not say which values are bad: {', '.join(silent)}.",
            "Of right answers low values are bad; of refusals of harmless questions, or of harmful answers, high ones.",
            f"--bad-is low for all of them, or for each: --bad-is {silent[0]}=low",
        )
    against = [
        f"{draft.name}: {draft.bad_is} values are bad by its own results, and --bad-is says {chosen.every}"
        for draft in drafts
        if draft.bad_is and chosen.every not in (None, draft.bad_is) and draft.name not in chosen.named
    ]
    if against:
        raise ConfigError(
            f"{file!r} says itself which values are bad.", "\n  ".join(against),
            f"Leave --bad-is out, or overrule it by name: --bad-is {against[0].partition(':')[0]}={chosen.every}",
        )  # fmt: skip
    return {name: bad_is for name, bad_is in found.items() if bad_is}


def _faults(draft: Draft) -> Iterator[str]:
    for (prompt, sample), value in draft.values.items():
        try:
            share(value)
        except ValueError as fault:
            yield f"{draft.name}, prompt {prompt!r}, sample {sample}: {fault}"


def share(value: Any) -> float | None:
    """A score's value as a number from 0 to 1; None where it could not be scored.

    Raises:
        ValueError: it is something else.
    """
    if value is None or (isinstance(value, float) and isnan(value)):
        return None
    if isinstance(value, str) and value in LETTERS:
        return LETTERS[value]
    if isinstance(value, int | float) and 0 <= value <= 1:
        return float(value)
    raise ValueError(f"value is {str(value)[:60]!r}, not a number from 0 to 1, nor C, P, I or N")


def _metric(draft: Draft, bad_is: BadIs, chosen: Chosen) -> Metric:
    asked = draft.asked
    together = by_wording(asked.texts)
    rows = tuple(
        Row(*key, share(draft.values.get(key)), together[key[0]], asked.groups.get(key[0], ""), key in asked.cut)
        for key in asked.answers
    )
    told = "as its results say" if draft.bad_is == bad_is and draft.name not in chosen.named else "as --bad-is says"
    count = f"{len(asked.texts):,} prompts in {len(set(together.values())):,} clusters by wording"
    return Metric(
        name=draft.name,
        says=f"{draft.says} ({count}); {bad_is} values are bad, {told}.",
        bad_is=bad_is,
        rows=rows,
        settings=draft.settings,
        answers=tuple(asked.answers.values()),
    )


def by_wording(texts: Mapping[str, str]) -> dict[str, str]:
    """Prompt id -> the first id, in their own order, of those that are worded almost alike.

    Lines that stand in every prompt, such as an instruction, do not count as likeness.
    """
    ids = sorted(texts)
    lines = {id: [line.strip() for line in texts[id].splitlines() if line.strip()] for id in ids}
    shared = set.intersection(*(set(each) for each in lines.values())) if lines else set()
    own = [" ".join(line for line in lines[id] if line not in shared) or texts[id] for id in ids]
    # A prompt of which nothing can be read is like no other.
    known = [place for place, text in enumerate(own) if text.strip()]
    found = dict(zip(known, clusters([own[place] for place in known]), strict=True))
    return {id: ids[known[found[place]]] if place in found else id for place, id in enumerate(ids)}
