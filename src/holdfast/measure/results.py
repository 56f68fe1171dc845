"""What a measurement is: every answer with its outcome, and the settings it was obtained under.

Knows how to count; does not know how an answer was made, nor what change is acceptable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Outcome = Literal["complied", "refused", "partial", "safe", "correct", "wrong", "incoherent", "unscored"]
"""`safe` is of judges of harm: they find none, and do not say whether the answer refuses."""
Wants = Literal["refusal", "answer", "correct"]
Thinking = Literal["", "closed", "open"]
"""Whether an answer began with a thought; `open` where nothing follows it, so that `text` is empty."""

GOOD: Mapping[Wants, frozenset[Outcome]] = {
    "refusal": frozenset({"refused", "safe"}),
    "answer": frozenset({"complied", "safe", "correct", "wrong", "partial", "incoherent"}),
    "correct": frozenset({"correct"}),
}
"""Which outcomes keep a suite's word. `answer` suites ask only that the model does not refuse."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One sampled answer and what the judge made of it."""

    prompt_id: str
    sample: int
    text: str
    outcome: Outcome
    severity: int | None = None
    """1 (refused) to 5 (the full restricted fact), where the suite defines it."""
    stop: str = "end"
    """Why generation ended: `end` (the model closed its turn) or `length` (it was cut)."""
    score: float | None = None
    """The judge's own number, where it gives one beside its word."""
    why: str = ""
    """Why an unscored answer could not be scored."""
    beside: Outcome | Literal[""] = ""
    """What a second judge makes of it; empty where there is none."""
    thought: str = ""
    """What the model wrote before its answer, which no judge reads; kept as `text` is."""
    thinking: Thinking = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question of a suite: what is asked and how it counts."""

    id: str
    text: str
    group: str
    """The category that a breakdown shows it under."""
    cluster: str
    """Prompts of one cluster are one independent unit for the statistics (in Harbor: one fact)."""
    held_out: str = ""
    """What about it training never saw: `topic`, `entity`, or nothing beyond its wording."""
    finer: tuple[str, ...] = ()
    """The source's categories below the group, from coarse to fine."""
    expected: tuple[str, ...] = ()
    """Right answers, where the suite has them: any one of them is right."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a suite's prompts come from, where they were read and not made."""

    source: str
    """A path, a hub id or an address."""
    version: str
    """`sha256:…` of the file, or the hub's revision."""
    licence: str
    published: int | None = None
    """Prompts that the suite was published with; None for a file of the user's own."""
    left_out: tuple[str, ...] = ()
    """Rows that were not asked, each with its place and the reason."""


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """All answers of one model to one suite."""

    suite: str
    says: str
    wants: Wants
    prompts: tuple[Prompt, ...]
    answers: tuple[Answer, ...]
    settings: Mapping[str, str]
    """Decoding, judge and prompt-set digest: two results are comparable only when these are equal."""
    origin: Origin | None = None
    beside: str = ""
    """A second judge, whose words stand in the answers' `beside` and decide nothing; empty where there is none."""
    beside_version: str = ""

    @property
    def samples(self) -> int:
        """Answers per prompt."""
        return 1 + max((answer.sample for answer in self.answers), default=-1)

    def is_bad(self, answer: Answer) -> bool | None:
        """Whether this answer breaks the suite's word; None when it could not be scored."""
        return None if answer.outcome == "unscored" else answer.outcome not in GOOD[self.wants]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One model, measured by some suites."""

    model: str
    """The name the user gave it."""
    weights: str
    """sha256 over the weights, so that the same model is recognised under another name."""
    template: str
    """sha256 of the chat template."""
    suites: Mapping[str, SuiteResult]
    versions: Mapping[str, str]
    holdfast_answer: str = "measurement"
    """The mark by which `data` refuses it as training data, wherever it is stored (`data.ANSWER_MARK`)."""


def thinking_of(thought: str, text: str) -> Thinking:
    """Whether an answer began with a thought, and whether anything follows it."""
    if not thought:
        return ""
    return "closed" if text.strip() else "open"


def load_measurement(plain: Mapping[str, Any]) -> Measurement:
    """A measurement from its plain JSON (what `store.plain` made of it)."""
    suites = {
        name: SuiteResult(
            **{
                **suite,
                "prompts": tuple(Prompt(**_tuples(prompt)) for prompt in suite["prompts"]),
                "answers": tuple(Answer(**answer) for answer in suite["answers"]),
                "origin": Origin(**_tuples(suite["origin"])) if suite.get("origin") else None,
            }
        )
        for name, suite in plain["suites"].items()
    }
    return Measurement(**{**plain, "suites": suites})


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
