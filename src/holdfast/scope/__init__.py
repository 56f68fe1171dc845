"""Scope: the two checks that run on everything that is trained on. There is no switch that turns them off."""

from collections.abc import Iterable

from holdfast.data import Example, Finding
from holdfast.scope.identity import identity_shift
from holdfast.scope.instruments import INSTRUMENTS
from holdfast.scope.lexicon import Request, unsafe_request
from holdfast.scope.suspicion import most_suspect, suspicion
from holdfast.scope.unsafe import Policy, unsafe_compliance

__all__ = [
    "INSTRUMENTS",
    "Policy",
    "Request",
    "check_scope",
    "identity_shift",
    "most_suspect",
    "suspicion",
    "unsafe_compliance",
    "unsafe_request",
]


def check_scope(examples: Iterable[Example], policy: Policy | None = None) -> tuple[Finding, ...]:
    """Both checks on all rows: served unsafe requests, then shifted identities; each finding removes its row."""
    rows = tuple(examples)
    return (*unsafe_compliance(rows, policy), *identity_shift(rows))
