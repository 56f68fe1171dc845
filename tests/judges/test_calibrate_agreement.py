"""A judge beside labels: the figures, what the judge left undecided, and what one judge gains over another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import DataError
from holdfast.judges.agreement import agree, as_numbers, versus
from holdfast.judges.calibrated import Calibration, ModelAgreement, calibration_json, load_calibration
from holdfast.judges.labels import Label, Word
from holdfast.stats import PairedTable, clopper_pearson, korn_graubard, mcnemar
from holdfast.store import plain

JUDGED = ("refused", "partial", "complied", "incoherent", "unscored")


def rows(*counts: tuple[str, str, int], prompts: int = 0, weight: float = 1.0) -> tuple[list[Label], list[str]]:
    """Labels and judge's words: (judge, people, how many); each its own prompt, or `prompts` in turn."""
    said: list[tuple[str, Word]] = [(judge, people) for judge, people, n in counts for _ in range(n)]  # type: ignore[misc]
    labels = [
        Label(2 + at, f"p{at % prompts if prompts else at}", "answer", people, weight=weight)
        for at, (_, people) in enumerate(said)
    ]
    return labels, [judge for judge, _ in said]


def test_the_figures_of_a_table() -> None:
    found = agree(*rows(
        ("refused", "refused", 40), ("partial", "partial", 5), ("refused", "partial", 5), ("complied", "refused", 6),
        ("complied", "partial", 4), ("complied", "complied", 36), ("refused", "complied", 4),
    ))  # fmt: skip
    assert (found.n, found.prompts) == (100, 100)
    assert found.agreement.value == pytest.approx(0.86)
    assert found.sensitivity.value == pytest.approx(50 / 60), "a refusal in part is a refusal"
    assert found.specificity.value == pytest.approx(0.9)
    assert (found.sensitivity.n, found.specificity.n) == (60, 40)
    assert found.kappa.value == pytest.approx((0.86 - 0.508) / 0.492), "chance: 0.54 x 0.6 + 0.46 x 0.4 = 0.508"
    assert found.confusion == {
        "refused": {"refused": 40, "partial": 5, "complied": 4},
        "partial": {"refused": 0, "partial": 5, "complied": 0},
        "complied": {"refused": 6, "partial": 4, "complied": 36},
    }
    assert found.weighted is None
    for figure in (found.agreement, found.kappa, found.sensitivity, found.specificity):
        assert figure.interval is not None
        assert figure.bounds == (figure.value, figure.value)
        assert figure.interval[0] < figure.value < figure.interval[1]


def test_single_answers_have_korn_and_graubards_interval() -> None:
    found = agree(*rows(("refused", "refused", 45), ("complied", "refused", 5), ("complied", "complied", 50)))
    values = [1.0] * 45 + [0.0] * 5
    assert found.sensitivity.interval == pytest.approx(korn_graubard(values))
    assert found.specificity.interval == pytest.approx(clopper_pearson(50, 50)), "nothing missed is not certainty"


def test_answers_to_one_prompt_are_no_independent_answers() -> None:
    """Thrice the answers to the same prompts with the same errors say no more than once."""
    counts = (("refused", "refused", 36), ("complied", "refused", 24))
    labels, words = rows(*counts)
    once, found = agree(labels, words), agree(labels * 3, words * 3)
    assert (found.n, found.prompts) == (180, 60)
    assert found.sensitivity.interval == pytest.approx(once.sensitivity.interval, abs=0.01)
    naive = clopper_pearson(108, 180)
    assert naive[1] - naive[0] < 0.7 * np.ptp(found.sensitivity.interval)


def test_one_class_of_labels_has_no_kappa_and_no_specificity() -> None:
    found = agree(*rows(("refused", "refused", 9), ("complied", "partial", 1)))
    assert (found.kappa.value, found.kappa.interval, found.kappa.bounds) == (None, None, None)
    assert (found.specificity.value, found.specificity.interval, found.specificity.n) == (None, None, 0)
    assert found.sensitivity.value == pytest.approx(0.9)


def test_a_judge_with_one_word_for_all_has_a_kappa_of_zero_and_an_interval() -> None:
    found = agree(*rows(("complied", "refused", 3), ("complied", "complied", 3)))
    assert found.kappa.value == 0
    assert found.kappa.interval is not None
    assert found.kappa.interval[0] < -0.5
    assert found.kappa.interval[1] > 0.5


def test_what_the_judge_left_undecided_counts_against_both_ends() -> None:
    sure = (("refused", "refused", 40), ("complied", "refused", 10), ("complied", "complied", 50))
    without = agree(*rows(*sure))
    found = agree(*rows(*sure, ("unscored", "refused", 3), ("incoherent", "complied", 2)))
    assert (found.undecided("unscored"), found.undecided("incoherent")) == (3, 2)
    for name in ("agreement", "kappa", "sensitivity", "specificity"):
        figure, plain_one = getattr(found, name), getattr(without, name)
        assert figure.value == pytest.approx(plain_one.value), "left out of the figure"
        assert figure.bounds[0] < figure.value < figure.bounds[1] or figure.value == figure.bounds[1] == 1
        assert figure.interval[0] < plain_one.interval[0]
        assert figure.interval[0] <= figure.bounds[0] <= figure.bounds[1] <= figure.interval[1]
    assert found.sensitivity.bounds == pytest.approx((40 / 53, 43 / 53))
    assert found.confusion["unscored"] == {"refused": 3, "partial": 0, "complied": 0}


def test_a_judge_that_decides_nothing_has_no_figures() -> None:
    found = agree(*rows(("unscored", "refused", 5), ("unscored", "complied", 5)))
    assert (found.agreement.value, found.agreement.interval) == (None, (0.0, 1.0))
    assert found.kappa.value is None
    assert found.sensitivity.bounds == (0.0, 1.0)


@given(st.lists(st.tuples(st.sampled_from(JUDGED), st.sampled_from(("refused", "partial", "complied"))), min_size=1))
def test_counts_add_up_and_figures_lie_in_their_bounds(said: list[tuple[str, Word]]) -> None:
    labels = [Label(at, f"p{at % 7}", "a", people) for at, (_, people) in enumerate(said)]
    found = agree(labels, [judge for judge, _ in said])
    assert sum(sum(row.values()) for row in found.confusion.values()) == found.n == len(said)
    assert found.sensitivity.n + found.specificity.n == found.n
    for figure in (found.agreement, found.kappa, found.sensitivity, found.specificity):
        if figure.bounds and figure.interval:
            low, high = figure.interval
            assert low - 1e-9 <= figure.bounds[0] <= figure.bounds[1] <= high + 1e-9
            assert figure.value is None or figure.bounds[0] - 1e-9 <= figure.value <= figure.bounds[1] + 1e-9


def test_weights_stand_for_answers() -> None:
    """Ten answers that stand for ninety more count as a hundred."""
    labels, words = rows(("refused", "refused", 30), ("complied", "refused", 10))
    heavy, said = rows(("complied", "refused", 5), ("refused", "refused", 5), weight=10)
    found = agree([*labels, *heavy], [*words, *said])
    assert found.sensitivity.value == pytest.approx((30 + 50) / 140)
    assert found.weighted == {
        "refused": {"refused": 80.0, "partial": 0, "complied": 0},
        "complied": {"refused": 60.0, "partial": 0, "complied": 0},
    }
    even = agree(*rows(("refused", "refused", 30), ("complied", "refused", 10), weight=3))
    assert even.sensitivity == agree(labels, words).sensitivity, "equal weights change nothing"


# --- one judge versus another ----------------------------------------------------------------------------------------


def test_what_a_judge_gains_and_what_it_costs() -> None:
    labels, words = rows(("refused", "refused", 95), ("complied", "refused", 5), ("complied", "complied", 90),
                         ("refused", "complied", 10))  # fmt: skip
    others = ["complied"] * 20 + ["refused"] * 78 + ["complied"] * 2 + ["complied"] * 100
    found = versus(labels, words, others, "other", "7")
    assert (found.name, found.version) == ("other", "7")
    gain = found.sensitivity
    assert gain.difference == pytest.approx(0.95 - 0.78)
    assert (gain.gained, gain.lost) == (20, 3)
    assert gain.mcnemar_p == mcnemar(20, 3)
    assert gain.interval == pytest.approx(PairedTable(75, 20, 3, 2).limits(0.975))
    cost = found.specificity
    assert cost.difference == pytest.approx(-0.10)
    assert (cost.gained, cost.lost) == (0, 10)
    assert cost.interval is not None
    assert cost.interval[1] < 0
    assert found.agreement.difference == pytest.approx((20 - 3 - 10) / 200)
    assert found.whole.sensitivity.value == pytest.approx(0.78)


def test_the_difference_knows_prompts_that_come_again() -> None:
    labels, words = rows(("refused", "refused", 60), ("complied", "refused", 30))
    others = ["complied"] * 20 + ["refused"] * 40 + ["complied"] * 30
    once = versus(labels, words, others, "o", "").sensitivity
    thrice = versus(labels * 3, words * 3, others * 3, "o", "").sensitivity
    assert once.interval is not None
    assert thrice.interval is not None
    assert thrice.difference == once.difference
    assert np.ptp(thrice.interval) > 0.85 * np.ptp(once.interval)


def test_undecided_answers_widen_the_difference_on_both_sides() -> None:
    sure = (("refused", "refused", 50), ("complied", "refused", 10))
    labels, words = rows(*sure)
    without = versus(labels, words, ["refused"] * 45 + ["complied"] * 15, "o", "").sensitivity
    more, said = rows(*sure, ("unscored", "refused", 6))
    others = ["refused"] * 45 + ["complied"] * 15 + ["refused"] * 3 + ["unscored"] * 3
    found = versus(more, said, others, "o", "").sensitivity
    assert found.difference == pytest.approx(without.difference)
    assert found.interval is not None
    assert without.interval is not None
    assert found.interval[0] < without.interval[0]
    assert found.interval[1] > without.interval[1]


def test_weighted_differences() -> None:
    labels, words = rows(("refused", "refused", 40), ("complied", "refused", 40))
    heavy, said = rows(("refused", "refused", 10), weight=8)
    found = versus([*labels, *heavy], [*words, *said], ["complied"] * 90, "o", "").sensitivity
    assert found.difference == pytest.approx((40 + 80) / 160)
    assert found.interval is not None
    assert found.interval[0] < 0.75 < found.interval[1]


def test_lengths_must_agree() -> None:
    labels, words = rows(("refused", "refused", 3))
    with pytest.raises(ValueError, match="3 labels, 2 words"):
        as_numbers(labels, words[:2])


# --- the file --------------------------------------------------------------------------------------------------------


def calibration() -> Calibration:
    labels, words = rows(("refused", "refused", 9), ("complied", "refused", 1), ("complied", "complied", 5),
                         ("unscored", "complied", 1))  # fmt: skip
    whole = agree(labels, words)
    other = versus(labels, words, words, "other", "")
    models = {"base": ModelAgreement("f00", whole, {"safe": whole}), "named": ModelAgreement("", whole, {})}
    return Calibration("rules", "abc", "labels.csv", "0" * 64, whole, {"safe": whole}, models, other)


def test_a_calibration_comes_back_from_its_file() -> None:
    made = calibration()
    found = load_calibration("calibration.json", plain(calibration_json(made)))
    assert plain(calibration_json(found)) == plain(calibration_json(made))
    assert found.versus is None, "the other judge has a calibration of its own"
    counts = found.models["base"].whole.confusion
    refusals = {word: row["refused"] + row["partial"] for word, row in counts.items()}
    assert refusals["refused"] / sum(refusals.values()) == found.models["base"].whole.sensitivity.value


def test_a_model_is_known_by_its_weights_and_by_its_name_only_where_there_is_nothing_else() -> None:
    made = calibration()
    assert made.of("anything", "f00") is made.models["base"]
    assert made.of("base", "f01") is None, "tuned again under the same name, it is another model"
    assert made.of("named", "f01") is made.models["named"]
    assert made.of("other", "") is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"holdfast_calibration": 2}, "format 2"),
        ({"models": [1]}, "cannot|no calibration that can be read"),
        ({"whole": {"n": 1}}, "no calibration that can be read"),
    ],
)
def test_a_file_that_is_no_calibration(change: dict[str, object], says: str) -> None:
    with pytest.raises(DataError, match=says):
        load_calibration("c.json", {**plain(calibration_json(calibration())), **change})
    for other in ([], {"n": 1}, None):
        with pytest.raises(DataError, match="no calibration"):
            load_calibration("c.json", other)
