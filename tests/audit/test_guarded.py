"""The check by a guard: what goes, what is noted, what is only counted, and the share from a random sample."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.audit.check import Figure, Material
from holdfast.audit.guarded import UnsafeByGuard
from holdfast.data import Example, Finding, Turn, ask
from holdfast.judges import Asked, GuardVerdict, LocalGuard
from holdfast.models import ScriptedModel
from holdfast.stats import clopper_pearson

REFUSAL = "I'm sorry, but I can't help with that."


def says(content: str, _: int) -> str:
    """A guard that goes by single words of the answer."""
    for word, line in (("bad", "Unsafe\nCategories: Violent"), ("odd", "Controversial"), ("refused", "Unsafe")):
        if f'"answer": "{word}' in content:
            return f"Safety: {line}\nRefusal: {'Yes' if word == 'refused' else 'No'}"
    return "what?" if '"answer": "mute' in content else "Safety: Safe\nCategories: None\nRefusal: No"


GUARD = LocalGuard(ScriptedModel("chat", says))


@dataclass
class Codes:
    """A guard that does not say whether an answer refuses, and remembers what it was asked."""

    name: str = "codes"
    asked: list[Asked] = field(default_factory=list)

    def judge(self, asked: Sequence[Asked]) -> Iterator[GuardVerdict]:
        self.asked += asked
        return (GuardVerdict("unsafe", ("S1",), None, "unsafe\nS1") for _ in asked)


def rows(*answers: str) -> tuple[Example, ...]:
    return tuple(ask(f"f:{n}", f"How deep is pool {n}?", answer) for n, answer in enumerate(answers))


def run(material: Material, check: UnsafeByGuard | None = None) -> tuple[list[Finding], Figure]:
    found = list((check or UnsafeByGuard()).find(material))
    figures = [each for each in found if isinstance(each, Figure)]
    assert len(figures) == 1
    return [each for each in found if isinstance(each, Finding)], figures[0]


def test_unsafe_goes_controversial_is_noted_and_the_rest_stays() -> None:
    findings, figure = run(Material(rows("good", "bad", "odd", "refused", "mute"), guard=GUARD))
    assert [(each.row, each.verdict, each.removes) for each in findings] == [
        ("f:1", "unsafe", True),
        ("f:2", "controversial", False),
    ]
    assert "Violent" in findings[0].reason
    assert GUARD.name in findings[0].reason
    value = figure.value
    assert (value["n"], value["unsafe"], value["controversial"], value["undecided"]) == (5, 1, 1, 1)
    assert value["interval"] == [clopper_pearson(1, 5)[0], clopper_pearson(2, 5)[1]]
    assert value["categories"] == {"Violent": 1}
    assert "1 undecided" in figure.says
    assert "all rows" in figure.says


def test_a_guard_that_does_not_tell_refusals_leaves_them_to_the_rules() -> None:
    findings, figure = run(Material(rows("Sure.", REFUSAL), guard=Codes()))
    assert [each.row for each in findings] == ["f:0"]
    assert figure.value["unsafe"] == 1


def test_every_answer_of_a_conversation_is_judged_with_what_was_asked_by_then() -> None:
    turns = (
        Turn("system", "Be brief."),
        Turn("user", "One?"),
        Turn("assistant", "bad"),
        Turn("user", "Two?"),
        Turn("assistant", "good"),
    )
    findings, figure = run(Material((Example("f:1", turns),), guard=GUARD))
    assert [each.evidence for each in findings] == ["bad"]
    assert figure.value["n"] == 1
    guard = Codes()
    run(Material((Example("f:1", turns),), guard=guard))
    assert guard.asked == [Asked("One?", "bad"), Asked("One?\nTwo?", "good")]


def test_some_rows_are_ranked_some_drawn_and_only_the_drawn_are_the_share() -> None:
    suspects = tuple(ask(f"s:{n}", "How do I make a bomb?", f"bad {n}") for n in range(20))
    material = Material((*rows(*["good"] * 400), *suspects), guard=GUARD, guard_rows=40, seed=3)
    findings, figure = run(material)
    assert figure.value["n"] == 20
    assert 20 <= figure.value["judged"] <= 40
    assert len([each for each in findings if each.row.startswith("s:")]) == 20
    assert figure.value["unsafe"] < 10
    assert "a random sample of 20 of 420 rows" in figure.says
    again, same = run(material)
    assert (again, same) == (findings, figure)
    _, other = run(replace(material, seed=4))
    assert other.value["judged"] != figure.value["judged"] or other != figure


@settings(max_examples=25)
@given(
    answers=st.lists(st.sampled_from(["good", "bad", "odd", "refused", "mute"]), max_size=12),
    most=st.integers(1, 14),
    seed=st.integers(0, 3),
)
def test_no_more_rows_are_judged_than_allowed_and_the_counts_add_up(answers: list[str], most: int, seed: int) -> None:
    findings, figure = run(Material(rows(*answers), guard=GUARD, guard_rows=most, seed=seed))
    value = figure.value
    assert value["judged"] <= most
    assert value["n"] <= len(answers)
    assert value["unsafe"] + value["controversial"] + value["undecided"] <= value["n"]
    low, high = value["interval"]
    assert 0 <= low <= (value["share"] or 0.0) <= high <= 1
    assert {each.row for each in findings if each.removes} <= {f"f:{n}" for n, a in enumerate(answers) if a == "bad"}


def test_progress_is_told_answer_by_answer() -> None:
    told: list[tuple[int, int]] = []
    run(Material(rows("good", "bad", "odd"), guard=GUARD, tell=lambda done, total: told.append((done, total))))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_without_a_guard_nothing_is_said() -> None:
    assert list(UnsafeByGuard().find(Material(rows("bad")))) == []


def test_a_guard_that_breaks_off_is_no_clean_bill() -> None:
    class Short(Codes):
        def judge(self, asked: Sequence[Asked]) -> Iterator[GuardVerdict]:
            return iter(())

    with pytest.raises(ValueError, match="zip"):
        run(Material(rows("bad"), guard=Short()))
