import math
import unicodedata
from dataclasses import replace

import pytest
import report_scene as scene
from hypothesis import given
from hypothesis import strategies as st

from holdfast.report.answers import clipped
from holdfast.report.wording import (
    bound,
    count,
    decimal,
    limit,
    p_value,
    percent,
    points,
    size,
    span,
    visible,
)


@pytest.mark.parametrize("show", [percent, points, size, count, decimal, p_value, span])
def test_a_missing_number_is_a_dash(show):
    assert show(None) == "—"


@pytest.mark.parametrize("show", [percent, points, size, decimal, p_value])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_a_dash(show, value):
    assert show(value) == "—"


def test_an_interval_with_a_hole_is_a_dash():
    assert span((0.1, math.nan)) == "—"


def test_numbers_as_a_person_reads_them():
    assert percent(0.7421) == "74.2%"
    assert span((0.661, 0.808)) == "66.1–80.8"
    assert [points(x) for x in (0.725, -0.013, 0.0, -0.0001)] == ["+72.5", "−1.3", "0.0", "0.0"]
    assert [size(x) for x in (0.02, 0.025)] == ["2", "2.5"]
    assert [p_value(p) for p in (0.00001, 0.25)] == ["<0.001", "0.250"]
    assert count(12345) == "12,345"


def test_a_limit_is_never_rounded_onto_its_margin():
    assert bound(0.0199, 0.02) == "+1.99"
    assert bound(0.01999, 0.02) == "+1.999"
    assert bound(0.013, 0.02) == "+1.3"


def test_each_verdict_names_the_limit_that_decided_it():
    change = replace(scene.demo_page().sections[0].comparison.metrics["harbor-policy"], lower=0.01, upper=0.03)
    assert limit(replace(change, verdict="pass")) == "at most +3.0"
    assert limit(replace(change, verdict="fail")) == "at least +1.0"
    assert limit(replace(change, verdict="undecided")) == "+1.0 to +3.0"


@given(st.text(alphabet=st.characters(codec=None)))
def test_no_hidden_or_reordering_character_is_left(text):
    shown = visible(text)
    left = {unicodedata.category(sign) for sign in shown if sign not in "\n\t\u200c\u200d"}
    assert not left & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert visible(shown) == shown
    shown.encode("utf-8")


def test_ordinary_text_stays_as_it_is():
    assert visible("Ärger, 日本語,\n\tمرحبا 👩‍🔬") == "Ärger, 日本語,\n\tمرحبا 👩‍🔬"
    assert visible("a\r\nb") == "a\nb"
    assert visible("a\u202eb\ud800") == "a⟨U+202E⟩b⟨U+D800⟩"


def test_a_cut_text_says_how_much_is_missing():
    assert clipped("x" * 610, 600) == "x" * 600 + " … (10 more characters)"
    assert clipped("x" * 600, 600) == "x" * 600
