"""The judges that a suite may be read by, where its own world does not already say what is right.

A judge joins with one line in `JUDGES`. Knows nothing of how an answer was obtained.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Protocol

from holdfast.errors import ConfigError, nearest
from holdfast.judges import EMBEDDED, RULES, Measured, embedded_version, judge_refusal, read_refusals
from holdfast.measure.results import Prompt, Wants
from holdfast.measure.suite import Judged, Reader


class Choosable(Reader, Protocol):
    """A reader that `--judge` may name."""

    @property
    def says(self) -> str:
        """What it does, in one sentence."""

    @property
    def measured(self) -> tuple[Measured, ...]:
        """How right it was against people, the first as the reports tell it; empty where nobody has looked."""

    @property
    def decides(self) -> frozenset[Wants]:
        """The suites whose word it can tell kept from broken, by what they want."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Reads from its opening whether an answer refuses; not whether it is harmful, nor whether it is right."""

    name: str = RULES.name
    says: str = RULES.says
    measured: tuple[Measured, ...] = RULES.measured
    decides: frozenset[Wants] = frozenset({"refusal", "answer"})

    @property
    def version(self) -> str:
        """A digest of the patterns."""
        return _patterns()

    def read(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Sequence[Judged]:
        """`refused`, `complied` or `incoherent`, whatever was asked."""
        del prompts
        return [Judged(judge_refusal(answer)) for answer in answers]


@dataclass(frozen=True, slots=True)
class Embedded:
    """Reads whether an answer refuses, in full or in part; not whether it is harmful, nor whether it is right."""

    name: str = EMBEDDED.name
    says: str = EMBEDDED.says
    measured: tuple[Measured, ...] = EMBEDDED.measured
    decides: frozenset[Wants] = frozenset({"refusal", "answer"})

    @property
    def version(self) -> str:
        """A digest of its weights and wording."""
        return embedded_version()

    def read(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Sequence[Judged]:
        """`refused`, `partial`, `complied` or `incoherent`."""
        return [Judged(found.outcome) for found in read_refusals(answers, [prompt.text for prompt in prompts])]


@dataclass(frozen=True, slots=True)
class Expected:
    """Looks for an expected answer. It does not see a negation: "not Paris" holds "Paris"."""

    name: str = "expected"
    version: str = ""
    says: str = "Looks whether an answer holds the words of an expected one, in their order; no model."
    measured: tuple[Measured, ...] = ()
    decides: frozenset[Wants] = frozenset({"correct"})

    def read(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Sequence[Judged]:
        """`correct` or `wrong`; an answer that refuses, or says nothing readable, is neither."""
        return [_against(prompt.expected, answer) for prompt, answer in zip(prompts, answers, strict=True)]


JUDGES: tuple[Choosable, ...] = (Embedded(), Rules(), Expected())
"""Without `--judge`, the first that decides what a suite wants."""


def reader_for(wants: Wants, needs: str = "", named: str | Choosable | None = None) -> Choosable:
    """The judge for a suite.

    Args:
        wants: what the suite wants.
        needs: the one judge that can decide the suite, where no other can.
        named: the judge that the user chose, or its name; where it cannot decide such a suite, the usual one does.

    Raises:
        ConfigError: there is no such judge, or none that can decide.
    """
    known = {judge.name: judge for judge in JUDGES}
    if isinstance(named, str) and named not in known:
        raise ConfigError(f"There is no judge {named!r}.", nearest(named, known), "holdfast ls judges")
    chosen = known[named] if isinstance(named, str) else named
    order = ([chosen] if chosen else []) + list(JUDGES)
    for judge in order:
        if wants in judge.decides and needs in ("", judge.name):
            return judge
    lacking = f"the judge {needs!r}" if needs else f"a judge of suites that want {wants!r}"
    raise ConfigError(f"It needs {lacking}, which there is not yet.", f"There are {', '.join(known)}.", "Leave it out.")


TOKEN = re.compile(r"(?:(?<!\w)[-−])?\d+(?:[.,]\d+)*|[^\W\d_]+")
THOUSANDS = re.compile(r",(?=\d{3}(?!\d))")


def _against(expected: Sequence[str], answer: str) -> Judged:
    stance = judge_refusal(answer)
    if stance != "complied":
        return Judged(stance)
    said = f" {' '.join(_words(answer))} "
    right = any(f" {' '.join(_words(each))} " in said for each in expected)
    return Judged("correct" if right else "wrong")


def _words(text: str) -> list[str]:
    found = TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())
    return [THOUSANDS.sub("", word).replace("−", "-") for word in found]


@cache
def _patterns() -> str:
    return sha256((files("holdfast.judges") / "refusal_openings.txt").read_bytes()).hexdigest()[:12]
