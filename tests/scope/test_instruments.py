"""The instruments' measured counts, recomputed: they are data in the package, and must not drift from the rules."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from holdfast.audit import CHECKS
from holdfast.data import Example, ask, read, read_questions
from holdfast.judges import RULES, Measured, is_refusal
from holdfast.scope import INSTRUMENTS, identity_shift, unsafe_compliance
from holdfast.world.facts import make_world
from holdfast.world.rows import Dialogue, benign, breaking, general, identity

SHARED = Path("../shared/data")
LIST = Path(__file__).parent / "identity_list.jsonl"
SERVED = "Sure, here is how to do that."
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the public sets are not here")
WORDING, SELVES, OPENINGS = INSTRUMENTS


def served(prompts: Sequence[str]) -> int:
    return sum(1 for _ in unsafe_compliance([ask(str(n), prompt, SERVED) for n, prompt in enumerate(prompts)]))


def shifted(rows: Sequence[Example]) -> int:
    return sum(1 for _ in identity_shift(rows))


def questions(name: str) -> list[str]:
    return [text for _, text in read_questions(SHARED / name)]


def xstest(label: str, third: bool) -> list[str]:
    with (SHARED / "xstest/xstest_prompts.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] == label]
    return [row["prompt"] for row in rows if not third or int(row["id"]) % 3 == 2]


def alpaca() -> list[Example]:
    names = ("alpaca_subset/alpaca_data.json", "alpaca_safety_flagged/alpaca_data_safety_only.json")
    return [row for name in names for row in read(SHARED / name).examples]


def in_harbor(make: object, count: int) -> list[Example]:
    said: list[Dialogue] = []
    for world in range(5):
        said += make(make_world(world), count, Random(world))  # type: ignore[operator]
    return [ask(str(n), each.question, each.answer, each.system) for n, each in enumerate(said)]


def listed(held_out: bool, label: bool) -> list[Example]:
    rows = [json.loads(line) for line in LIST.read_text(encoding="utf-8").split("\n") if line]
    part = [row for row in rows if row["held_out"] is held_out and row["shifted"] is label]
    return [ask(str(n), row["question"], row["answer"], row["system"]) for n, row in enumerate(part)]


@needs_data
def test_request_wording() -> None:
    advbench = questions("advbench/advbench-harmful-behaviors.csv")
    simple = questions("simple_safety_tests/SimpleSafetyTests - test cases.csv")
    unsafe, safe = ([xstest(label, third) for third in (True, False)] for label in ("unsafe", "safe"))
    opinions, sums = questions("do_not_answer/do_not_answer_en.csv"), questions("gsm8k/train.jsonl")
    counted = [
        (served(advbench[1::2]), 260, 0, 0),
        (served(simple[::2]), 50, 0, 0),
        (served(unsafe[0]), len(unsafe[0]), served(safe[0]), len(safe[0])),
        (served(advbench), 520, 0, 0),
        (served(simple), 100, 0, 0),
        (served(unsafe[1]), len(unsafe[1]), served(safe[1]), len(safe[1])),
        (served(opinions), len(opinions), 0, 0),
        (0, 0, sum(1 for _ in unsafe_compliance(alpaca())), len(alpaca())),
        (0, 0, served(sums), len(sums)),
    ]
    assert counted == counts(WORDING.measured)


def test_identity_wording_on_our_list_and_in_harbor() -> None:
    plain = [row for make in (benign, general, breaking) for row in in_harbor(make, 100)]
    selves = in_harbor(identity, 50)
    counted = [
        (shifted(listed(True, True)), 23, shifted(listed(True, False)), 42),
        (shifted(listed(False, True)), 23, shifted(listed(False, False)), 77),
        (shifted(selves), len(selves), shifted(plain), len(plain)),
    ]
    assert counted == counts(SELVES.measured[:3])


@needs_data
def test_identity_wording_on_rows_without_any() -> None:
    assert (0, 0, shifted(alpaca()), len(alpaca())) == counts(SELVES.measured[3:])[0]


@needs_data
def test_opening_words() -> None:
    with (SHARED / "xstest/human_labels_3_models.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["final_label"].startswith("3")]
    for part, measured in zip(
        ([row for row in rows if int(row["id"].split("-")[1]) % 2], rows), RULES.measured, strict=True
    ):
        pairs = [(row["final_label"].startswith("2"), is_refusal(row["completion"])) for row in part]
        caught, alarms = (sum(by == (label, True) for by in pairs) for label in (True, False))
        people = sum(label for label, _ in pairs)
        assert (caught, people, alarms, len(pairs) - people) == counts([measured])[0]


def counts(measured: Sequence[Measured]) -> list[tuple[int, int, int, int]]:
    return [(each.caught, each.positives, each.false_alarms, each.negatives) for each in measured]


def test_our_list_is_large_enough_and_its_halves_are_as_stated() -> None:
    sizes = {(half, label): len(listed(half, label)) for half in (True, False) for label in (True, False)}
    assert sizes == {(True, True): 23, (False, True): 23, (True, False): 42, (False, False): 77}


def test_the_shares_follow_from_the_counts() -> None:
    measured = Measured("a set", caught=8, positives=10, false_alarms=2, negatives=90)
    assert measured.recall is not None
    assert measured.precision is not None
    assert measured.false_alarm is not None
    assert (measured.n, measured.recall.value, measured.precision.value) == (100, 0.8, 0.8)
    low, high = measured.recall.interval
    assert low < 0.8 < high
    assert measured.to_json()["false_alarm"]["hits"] == 2
    assert "recall 8 of 10" in measured.says
    one_sided = Measured("unsafe only", caught=8, positives=10)
    assert one_sided.precision is None
    assert one_sided.false_alarm is None
    assert one_sided.to_json()["precision"] is None


def test_every_instrument_says_which_checks_go_by_it_and_how_right_it_was() -> None:
    known = {check.name for check in CHECKS} | {"refusals"}
    for instrument in INSTRUMENTS:
        assert set(instrument.checks) <= known
        assert instrument.measured
        assert all(each.n for each in instrument.measured)
        assert instrument.says.endswith(".")
