"""What is kept of a measurement comes back as it was, and holds no text of an answer."""

import json
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.compare import Gate, Metric, Row, Side, compare, to_json
from holdfast.errors import DataError
from holdfast.ledger import keep, prompt_set, restore
from holdfast.store import digest

VALUES = st.one_of(st.none(), st.sampled_from([0.0, 1.0]), st.floats(0, 1))


@st.composite
def sides(draw: st.DrawFn) -> Side:
    """Prompts in any order, samples with gaps, values of any kind."""
    numbers = draw(st.dictionaries(st.text(min_size=1, max_size=3), st.sets(st.integers(0, 3), min_size=1), min_size=1))
    places = draw(st.permutations([(id, sample) for id, found in numbers.items() for sample in found]))
    rows = tuple(Row(id, sample, draw(VALUES), f"c{id}", f"g{id}", draw(st.booleans())) for id, sample in places)
    answers = tuple(digest(place)[:16] for place in places) if draw(st.booleans()) else ()
    return Side("m", "w", "t", {"a": Metric("a", "says", "low", rows, {"judge": "rules"}, answers, "correct")})


def by_place(metric: Metric) -> dict[tuple[str, int], tuple[Row, str]]:
    answers = metric.answers or ("",) * len(metric.rows)
    return {(row.prompt_id, row.sample): (row, answer) for row, answer in zip(metric.rows, answers, strict=True)}


@given(sides())
def test_what_is_kept_comes_back(side: Side) -> None:
    kept = keep(side)
    rows = json.loads(json.dumps(kept.rows))
    tables = json.loads(json.dumps(dict(kept.prompts)))
    assert digest(rows) == kept.digest
    assert all(digest(table) == sha256 for sha256, table in tables.items())
    back = restore("m", rows, tables.__getitem__)
    assert by_place(back.metrics["a"]) == by_place(side.metrics["a"])
    assert (back.weights, back.template, back.metrics["a"].wants) == ("w", "t", "correct")
    assert back.metrics["a"].settings == {"judge": "rules"}
    assert keep(back).digest == kept.digest


def test_a_verdict_of_what_was_kept_is_that_of_the_measurement() -> None:
    rng = np.random.default_rng(3)

    def drawn(rate: float) -> Side:
        rows = tuple(
            Row(f"p{at // 2}", at % 2, None if rng.random() < 0.02 else float(rng.random() < rate), f"f{at // 4}", "g")
            for at in range(800)
        )
        return Side("m", "", "", {"a": Metric("a", "", "high", rows, {})})

    before, after = drawn(0.1), drawn(0.15)
    back = [restore("m", (kept := keep(each)).rows, kept.prompts.__getitem__) for each in (before, after)]
    found = compare(before, after, Gate(), np.random.default_rng(0))
    again = compare(back[0], back[1], Gate(), np.random.default_rng(0))
    assert to_json(found) == to_json(again)


def test_releases_on_the_same_prompts_share_their_table() -> None:
    def side(value: float) -> Side:
        rows = tuple(Row(f"p{at}", 0, value, "", "") for at in range(5))
        return Side("m", "", "", {name: Metric(name, "", "high", rows, {}) for name in ("a", "b")})

    one, other = keep(side(0)), keep(side(1))
    assert one.digest != other.digest
    assert len(one.prompts) == 1
    assert one.prompts == other.prompts


def test_a_prompt_in_two_clusters_is_refused() -> None:
    rows = (Row("p", 0, 0.0, "x"), Row("p", 1, 0.0, "y"))
    with pytest.raises(DataError, match="two clusters"):
        keep(Side("m", "", "", {"a": Metric("a", "", "high", rows, {})}))


def test_a_set_of_prompts_is_known_in_any_order() -> None:
    rows = tuple(Row(f"p{at}", 0, 0.0, "", "") for at in range(5))

    def found(rows: tuple[Row, ...], **settings: str) -> str:
        return prompt_set(Metric("a", "", "high", rows, settings))

    assert found(rows) == found(rows[::-1], judge="other")
    assert found(rows) != found(rows[:4])
    assert found(rows, prompts="x") != found(rows, prompts="y"), "other texts under the same names"


def test_everything_that_a_comparison_reads_is_kept() -> None:
    """A field that joins these must be kept too, or a verdict computed again is another one."""
    assert [field.name for field in fields(Side)] == ["name", "weights", "template", "metrics"]
    known = ["name", "says", "bad_is", "rows", "settings", "answers", "wants"]
    assert [field.name for field in fields(Metric)] == known
    assert [field.name for field in fields(Row)] == ["prompt_id", "sample", "value", "cluster", "group", "truncated"]
