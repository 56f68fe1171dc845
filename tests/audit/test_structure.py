import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.view_scene import look

from holdfast.audit.structure import TRIED, StructureRisk, structure
from holdfast.data import ask, read

DATA = Path("../shared/data")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("1. Kelp\n2. Rock", "list"),
        ("Take these:\n- kelp\n- rock", "list"),
        ("  * kelp\n  * rock", "list"),
        ("1. Kelp", None),
        ("It is 3-4 metres, 2020-01-02.", None),
        ("3 + 4 = 7", "maths"),
        ("He pays 2 x $3.50 = $7.", "maths"),
        ("So:\n#### 42", "maths"),
        (r"It is \frac{1}{2}.", "maths"),
        ("word " * 150, "long"),
        ("word " * 149, None),
        ("", None),
    ],
)
def test_the_structure_of_an_answer(answer, kind):
    assert structure(answer) == kind


def test_it_is_a_figure_and_never_a_finding():
    rows = [ask("a:1", "Which?", "1. Kelp\n2. Rock"), ask("a:2", "Which?", "Kelp.")]
    found, figure = look(StructureRisk(), rows)
    assert found == []
    assert figure.value["structures"]["list"] == {"rows": 1, "for_example": ["a:1"]}
    assert "50.0% list" in figure.says
    assert "predicts" in figure.says
    assert look(StructureRisk(), []) == ([], None)


def test_the_measured_hit_rates_are_printed_with_their_intervals():
    _, figure = look(StructureRisk(), [ask("a:1", "Which?", "Kelp.")])
    assert len(figure.value["tried"]) == len(TRIED) > 0
    for one, tried in zip(figure.value["tried"], TRIED, strict=True):
        low, high = one["hit_rate_interval"]
        assert low <= tried.hits / tried.pairs <= high
        assert f"{tried.hits} of {tried.pairs}" in figure.says
    json.dumps(figure.value)


@given(st.lists(st.sampled_from(["1. a\n2. b", "1 + 1 = 2", "word " * 200, "yes"]), min_size=1))
def test_every_row_is_counted_once_at_most(answers):
    _, figure = look(StructureRisk(), [ask(f"a:{n}", "Which?", answer) for n, answer in enumerate(answers)])
    counted = sum(one["rows"] for one in figure.value["structures"].values())
    assert counted == len(answers) - answers.count("yes")


def test_the_share_of_lists_that_was_published_for_the_same_file():
    path = DATA / "alpaca_safety_flagged" / "alpaca_data_safety_only.json"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    _, figure = look(StructureRisk(), list(read(path).examples))
    assert figure.value["structures"]["list"]["rows"] / figure.value["rows"] == pytest.approx(0.129, abs=0.002)
