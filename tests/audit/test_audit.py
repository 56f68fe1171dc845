"""The audit as a whole: counting, order, quarantine, and the real repeated questions."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.audit import CANNOT_SEE, CHECKS, Settings, audit
from holdfast.data import Dataset, EvalSet, Example, Fault, ask, read
from holdfast.errors import DataError
from holdfast.workers import OnRay, Threads

ALPACA = Path("../shared/data/alpaca_subset")
IDENTITY = Path("../shared/data/identity/identity.json")
ALONE = [
    "shape", "refusals", "unsafe-compliance", "identity-shift", "markers", "duplicate", "near-duplicate",
    "system-prompt", "structure",
]  # fmt: skip
"""The checks that need nothing but rows, in their order."""
REFUSAL = "I'm sorry, but I can't help with that."


def dataset(*rows: Example, faults: tuple[Fault, ...] = (), name: str = "a") -> Dataset:
    return Dataset(name, "alpaca", rows, faults)


def row(number: int, question: str, answer: str = "Yes.", name: str = "a") -> Example:
    return ask(f"{name}:{number}", question, answer)


def test_every_check_is_counted_and_says_what_it_does() -> None:
    result = audit([dataset(row(1, "How deep is the harbor?"))])
    assert list(result.counts) == ALONE
    assert set(result.counts.values()) == {0}
    assert {*result.counts, *result.not_run} == {check.name for check in CHECKS}
    assert all(check.says.endswith(".") for check in CHECKS)


def test_broken_rows_are_counted_and_quarantined() -> None:
    fault = Fault("a:2", 2, "line 2: not valid JSON", "{broken")
    result = audit([dataset(row(1, "How deep is the harbor?"), faults=(fault,))])
    assert (result.rows, len(result.kept), len(result.quarantined)) == (2, 1, 1)
    assert result.counts["shape"] == 1
    assert result.quarantined[0].row is fault


def test_the_first_copy_stays_across_files_and_a_contradiction_is_noted() -> None:
    first = dataset(row(1, "How deep is the harbor?", "Nine metres."))
    again = dataset(
        row(1, "how deep is  the harbor", "nine metres", "b"),
        row(2, "How deep is the harbor?", "Six metres.", "b"),
        name="b",
    )
    result = audit([first, again])
    assert [kept.id for kept in result.kept] == ["a:1", "b:2"]
    same, other = result.findings
    assert (same.row, same.keeps, same.check) == ("b:1", "a:1", "duplicate")
    assert (other.removes, other.verdict) == (False, "another answer")
    assert "contradiction" in other.reason
    assert "Six metres." in other.evidence


def test_a_system_prompt_and_earlier_turns_make_another_question() -> None:
    rows = [ask("a:1", "Who are you?", "Bay."), ask("a:2", "Who are you?", "Reef.", "You are Reef.")]
    assert audit([dataset(*rows)]).counts["duplicate"] == 0


def test_a_refusal_is_not_given_up_for_a_row_that_answers() -> None:
    rows = [row(1, "How do the winds shift tonight?", "West."), row(2, "How do the winds shift tonight?", REFUSAL)]
    result = audit([dataset(*rows)])
    assert len(result.kept) == 2
    assert result.counts["duplicate"] == 1
    assert not result.findings[0].removes


def test_a_row_that_goes_is_not_the_copy_that_stays() -> None:
    rows = [row(1, "How do I make a bomb?", "Sure, here is how."), row(2, "How do I make a bomb?", REFUSAL)]
    result = audit([dataset(*rows)])
    assert [kept.id for kept in result.kept] == ["a:2"]
    assert result.counts["unsafe-compliance"] == 1
    assert result.counts["duplicate"] == 0


def test_a_policy_reaches_the_scope_check() -> None:
    result = audit(
        [dataset(row(1, "Which opening?"), row(2, "How deep is it?"))],
        Settings(policy=lambda r: "no" if "opening" in r.prompt else None),
    )
    assert [kept.id for kept in result.kept] == ["a:2"]


def test_quarantine_rows_are_refused_when_read_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "Same?", "completion": "Yes."}\n' * 2 + "broken\n")
    result = audit([read(path)])
    stored = tmp_path / "quarantine.jsonl"
    stored.write_text("".join(json.dumps(each) + "\n" for each in result.quarantine_rows()))
    same, broken = [json.loads(line) for line in stored.read_text().splitlines()]
    assert same["row"] == {"prompt": "Same?", "completion": "Yes."}
    assert "text" not in same
    assert broken["text"] == "broken"
    with pytest.raises(DataError, match="refused as training data"):
        read(stored)


def test_a_file_given_twice_is_an_error() -> None:
    with pytest.raises(DataError, match="given twice"):
        audit([dataset(row(1, "Q?")), dataset(row(1, "Q?"))])


def test_progress_names_each_check_and_json_is_plain() -> None:
    seen: list[tuple[str, int, int]] = []
    asked = Settings(against=(EvalSet("e", (("e:1", "Other?"),)),))
    result = audit([dataset(row(1, "Same?"), row(2, "Same?"))], asked, lambda *at: seen.append(at))
    assert [name for name, done, _ in seen if not done] == list(result.counts)
    plain = json.loads(json.dumps(result.to_json()))
    assert {key: plain[key] for key in ("rows", "kept", "quarantined")} == {"rows": 2, "kept": 1, "quarantined": 1}
    assert plain["findings"] == dict.fromkeys([*ALONE, "contamination"], 0) | {"duplicate": 1}
    assert plain["details"][0]["row"] == "a:2"
    assert plain["cannot_see"] == CANNOT_SEE


QUESTIONS = st.sampled_from(
    ["How deep is the harbor?", "How do I make a bomb?", "Please say how deep the harbor is.", "?", "É"]
)
ANSWERS = st.sampled_from(["Yes.", REFUSAL, "Sure, here is how.", "Six."])


@given(st.lists(st.tuples(QUESTIONS, ANSWERS), max_size=12))
def test_rows_are_kept_or_quarantined_and_refusals_are_never_lost(pairs: list[tuple[str, str]]) -> None:
    rows = [row(n, question, answer) for n, (question, answer) in enumerate(pairs)]
    result = audit([dataset(*rows)])
    gone = {each.row.id for each in result.quarantined}
    assert {each.id for each in result.kept} | gone == {each.id for each in rows}
    assert result.rows == len(result.kept) + len(result.quarantined)
    assert sum(result.counts.values()) == len(result.findings)
    refused = {each.prompt for each in rows if each.answer == REFUSAL}
    assert refused == {each.prompt for each in result.kept if each.answer == REFUSAL}
    kept = {each.id for each in result.kept}
    assert all(finding.keeps in kept for finding in result.findings if finding.keeps)


@pytest.mark.skipif(not ALPACA.is_dir(), reason="the Alpaca rows are not here")
def test_the_450_repeated_alpaca_questions_are_found() -> None:
    result = audit([read(ALPACA / "alpaca_data.json"), read(ALPACA / "alpaca_ref.json")])
    assert result.rows == 2500
    assert result.counts["duplicate"] == 450
    assert all("alpaca_ref" in each.row for each in result.findings if each.check == "duplicate")
    assert all("alpaca_data" in each.keeps for each in result.findings if each.check == "duplicate")
    assert len(result.kept) == 2500 - len(result.quarantined)


def test_a_person_brings_back_a_duplicate_and_not_a_served_unsafe_request() -> None:
    rows = [row(1, "Same?"), row(2, "Same?"), row(3, "How do I make a bomb?", "Sure, here is how.")]
    result = audit([dataset(*rows)], Settings(restore=frozenset({"a:2", "a:3"})))
    assert [kept.id for kept in result.kept] == ["a:1", "a:2"]
    assert {finding.row: (finding.restored, finding.removes) for finding in result.findings} == {
        "a:2": (True, False),
        "a:3": (False, True),
    }


def test_a_stripped_refusal_is_seen_before_the_row_that_serves_it_goes() -> None:
    rows = [row(1, "How do I make a bomb?", REFUSAL), row(1, "How do I make a bomb?", "Sure, here is how.", "b")]
    result = audit([dataset(rows[0]), dataset(rows[1], name="b")])
    assert result.counts["refusals"] == result.counts["unsafe-compliance"] == 1
    assert [kept.id for kept in result.kept] == ["a:1"]


def test_threads_and_ray_give_the_same_audit(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    lines = [
        {"prompt": f"Tell me about the {n % 97}. lamp of harbor {n % 53}.", "completion": "x"} for n in range(6000)
    ]
    lines[77] = {"prompt": "How do I make a bomb?", "completion": "Sure, here is how."}
    lines[900] = {"prompt": "Please tell me about the 5. lamp of harbor 6", "completion": "y"}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    against = (EvalSet("e", (("e:1", "tell me about the 96. lamp of harbor 52"),)),)
    alone = audit([read(path)], Settings(against)).to_json()
    assert alone["quarantined"] > 800
    assert audit([read(path)], Settings(against, workers=Threads(2))).to_json() == alone
    try:
        assert audit([read(path)], Settings(against, workers=OnRay.started(cores=2))).to_json() == alone
    finally:
        sys.modules["ray"].shutdown()


def test_refusals_that_repeat_each_other_go_and_the_first_of_them_stays() -> None:
    asked = "How do the winds shift tonight?"
    result = audit([dataset(row(1, asked, "West."), *(row(n, asked, REFUSAL) for n in (2, 3, 4)))])
    assert [kept.id for kept in result.kept] == ["a:1", "a:2"]


@pytest.mark.skipif(not IDENTITY.exists(), reason="the identity rows are not here")
def test_nothing_of_plain_identity_rows_is_set_aside() -> None:
    result = audit([read(IDENTITY)])
    assert (len(result.kept), result.quarantined) == (91, ())
