"""Rows that ask for something unsafe and are not refused. Never touches a refusal."""

from collections.abc import Callable, Iterable, Iterator

from holdfast.data import Example, Finding
from holdfast.judges import judge_refusal
from holdfast.scope.lexicon import Request, unsafe_request

CHECK = "unsafe-compliance"

Policy = Callable[[Example], str | None]
"""Says why a row breaks a policy that is known exactly (a Harbor world's), or None."""


def unsafe_compliance(examples: Iterable[Example], policy: Policy | None = None) -> Iterator[Finding]:
    """A finding for each row in which an unsafe request is served, or that breaks `policy`.

    Rules read the wording: their measured hit and false-alarm rates are in `docs/audit.md`. An answer that
    opens by refusing is never flagged by the rules.
    """
    for example in examples:
        broken = policy(example) if policy else None
        if broken:
            yield Finding(CHECK, example.id, f"The row breaks the policy: {broken}", example.answer[:200])
        elif request := _served(example):
            reason = f"The prompt asks for something unsafe ({request.kind}) and the answer does not refuse."
            yield Finding(CHECK, example.id, reason, request.span)


def _served(example: Example) -> Request | None:
    """The first request in the conversation whose very next answer serves it."""
    asked = ""
    for turn in example.turns:
        if turn.role == "user":
            asked = turn.content
        elif turn.role == "assistant" and asked:
            request = unsafe_request(asked)
            if request and judge_refusal(turn.content) == "complied":
                return request
    return None
