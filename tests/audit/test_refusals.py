"""Refusals: their share, what they refuse, and where another row answers the same question."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.audit.check import Figure, Material
from holdfast.audit.refusals import Refusals
from holdfast.data import Example, Finding, ask, read
from holdfast.judges import RULES, is_refusal
from holdfast.stats import clopper_pearson

SAFETY = Path("../shared/data/safety_tuned_llamas/safety_only_data_Instructions.json")
ALPACA = Path("../shared/data/alpaca_subset/alpaca_data.json")
REFUSAL = "I'm sorry, but I can't help with that."
UNSAFE = "How do I make a bomb?"


def run(*rows: Example, **more: object) -> tuple[list[Finding], Figure]:
    found = list(Refusals().find(Material(rows, **more)))  # type: ignore[arg-type]
    (figure,) = [each for each in found if isinstance(each, Figure)]
    return [each for each in found if isinstance(each, Finding)], figure


def counts(figure: Figure) -> dict[str, int]:
    return {name: figure.value[name]["count"] for name in ("refusals", "justified", "over_refusals", "missing")}


def test_an_answer_to_a_question_that_is_refused_in_its_file_is_a_contradiction() -> None:
    findings, _ = run(ask("a:1", "How deep is it?", REFUSAL), ask("a:2", "how deep is  it", "Nine metres."))
    (finding,) = findings
    assert (finding.row, finding.keeps, finding.verdict, finding.removes) == ("a:2", "a:1", "contradicted", False)
    assert "a:1" in finding.reason


def test_an_answer_from_another_file_replaced_the_refusal() -> None:
    findings, _ = run(ask("b:7", UNSAFE, "Sure, here is how."), ask("a:1", UNSAFE, REFUSAL))
    (finding,) = findings
    assert (finding.row, finding.keeps, finding.verdict) == ("b:7", "a:1", "stripped")
    assert "replaced" in finding.reason


def test_a_refusal_beside_is_named_before_one_elsewhere() -> None:
    rows = [ask("a:1", UNSAFE, REFUSAL), ask("b:1", UNSAFE, "Sure."), ask("b:2", UNSAFE, REFUSAL)]
    findings, _ = run(*rows)
    assert [(each.row, each.keeps, each.verdict) for each in findings] == [("b:1", "b:2", "contradicted")]


def test_another_system_prompt_is_another_question() -> None:
    findings, _ = run(ask("a:1", "Who?", REFUSAL, "You are Bay."), ask("a:2", "Who?", "Bay.", "You are Reef."))
    assert findings == []


def test_the_share_is_split_by_what_is_refused() -> None:
    rows = [
        ask("a:1", UNSAFE, REFUSAL),
        ask("a:2", "How do I bake bread?", REFUSAL),
        ask("a:3", "How do I steal a car?", "Sure, here is how."),
        ask("a:4", "How deep is it?", "Nine metres."),
    ]
    _, figure = run(*rows)
    assert counts(figure) == {"refusals": 2, "justified": 1, "over_refusals": 1, "missing": 1}
    assert figure.value["refusals"]["interval"] == list(clopper_pearson(2, 4))
    assert figure.value["by"] == RULES.says
    assert len(figure.value["measured"]) == len(RULES.measured)
    assert "2 of 4 rows refuse" in figure.says


def test_a_policy_that_is_broken_counts_as_missing_refusals() -> None:
    rows = [ask("a:1", "Which opening?", "The Orrin."), ask("a:2", "How deep?", "Nine.")]
    _, figure = run(*rows, policy=lambda row: "it tells of chess" if "opening" in row.prompt else None)
    assert counts(figure)["missing"] == 1


@pytest.mark.parametrize(("n", "refused", "told"), [(1_001, 0, True), (1_000, 0, False), (1_001, 1, False)])
def test_many_rows_without_any_refusal_are_worth_a_sentence(n: int, refused: int, told: bool) -> None:
    rows = [ask(f"a:{k}", f"What is {k} plus one?", REFUSAL if k < refused else str(k + 1)) for k in range(n)]
    _, figure = run(*rows)
    assert ("none refuses" in figure.says) is told


def test_no_rows_are_no_share() -> None:
    _, figure = run()
    assert figure.value["refusals"]["share"] is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"), st.sampled_from(["One?", "Two?", UNSAFE]), st.sampled_from(["Five.", REFUSAL])
        ),
        max_size=12,
    )
)
def test_findings_are_the_answers_whose_question_is_refused_anywhere(kinds: list[tuple[str, str, str]]) -> None:
    rows = [ask(f"{file}:{n}", question, answer) for n, (file, question, answer) in enumerate(kinds)]
    findings, figure = run(*rows)
    refused = {question for _, question, answer in kinds if answer == REFUSAL}
    wanted = [row.id for row, (_, q, answer) in zip(rows, kinds, strict=True) if answer != REFUSAL and q in refused]
    assert [each.row for each in findings] == wanted
    assert not any(each.removes for each in findings)
    by_id = {row.id: row for row in rows}
    for each in findings:
        other = by_id[each.keeps]
        assert (other.answer, other.prompt) == (REFUSAL, by_id[each.row].prompt)
    told = counts(figure)
    assert told["justified"] + told["over_refusals"] == told["refusals"] == sum(a == REFUSAL for *_, a in kinds)


@pytest.mark.skipif(not SAFETY.exists(), reason="the public sets are not here")
def test_real_rows() -> None:
    safe, plain = read(SAFETY).examples, read(ALPACA).examples
    _, figure = run(*safe)
    assert figure.value["refusals"]["share"] > 0.2
    _, figure = run(*plain)
    assert figure.value["refusals"]["share"] < 0.02
    swapped = [ask(f"swapped:{n}", row.prompt, "Sure, here is how.") for n, row in enumerate(safe[:50])]
    findings, _ = run(*safe[:50], *swapped)
    stripped = {each.row for each in findings if each.verdict == "stripped"}
    assert stripped == {f"swapped:{n}" for n, row in enumerate(safe[:50]) if is_refusal(row.answer)}
    assert len(stripped) > 10
