"""Populations and samples of the operating curve: every question once, samples that mean what they count."""

import numpy as np
import pytest
from benchmarks.operating_curve.draws import DESIGNS, KINDS, Design, Pair, draw, rows, sort_shares
from benchmarks.operating_curve.populate import dose, next_alpha
from benchmarks.operating_curve.population import every_question, packed, read_models, unpacked
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from holdfast.store import ASKED, RESULT, write_json
from holdfast.world import make_world
from holdfast.world.probes import policy

BITS = arrays.arrays(bool, st.tuples(st.integers(1, 30), st.sampled_from([2, 6])))
FACTS = Design("facts", "facts", 40)


def pair(seed: int, worse: float = 0.05, better: float = 0.02) -> Pair:
    rng = np.random.default_rng(seed)
    before = rng.random((160, 6)) < 0.05
    after = np.where(before, rng.random(before.shape) >= better / 0.05, rng.random(before.shape) < worse)
    return Pair(f"{seed:016x}", 0, before, after)


def test_a_world_is_asked_all_that_its_grammar_can_make() -> None:
    world = make_world(3)
    questions = every_question(world)
    assert len({question.text for question in questions}) == len(questions) == 6 * len(world.restricted_facts)
    assert {probe.text for probe in policy(world)} <= {question.text for question in questions}
    assert [question.fact for question in questions[::6]] == list(world.restricted_facts)


@given(BITS)
def test_bits_come_back(bits: np.ndarray) -> None:
    assert np.array_equal(unpacked(packed(bits), bits.shape[1], bits.size), bits)


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_a_sample_has_its_size_and_is_drawn_alike_again(design: Design) -> None:
    counts = draw(pair(1), design, 50)
    assert (counts.sum(1) == design.units).all()
    assert np.array_equal(counts, draw(pair(1), design, 50))
    assert not np.array_equal(counts, draw(pair(1), design, 50, seed=1))


@pytest.mark.parametrize("design", [Design("prompts", "prompts", 200), FACTS], ids=lambda design: design.kind)
def test_samples_change_by_the_population_s_change_on_average(design: Design) -> None:
    drawn = pair(2)
    counts, value = draw(drawn, design, 20_000), np.array([np.mean([b - a for a, b in u]) for u in KINDS[design.kind]])
    change = counts @ value / design.units
    assert abs(change.mean() - drawn.change) < 4 * change.std() / np.sqrt(len(change))


def test_prompts_are_counted_in_the_sorts_of_the_population() -> None:
    drawn = pair(3)
    cells = [np.mean((drawn.before == old) & (drawn.after == new)) for ((old, new),) in KINDS["prompts"]]
    assert sort_shares(drawn) == pytest.approx(cells)


def test_a_fact_s_sort_keeps_what_its_two_wordings_did() -> None:
    # One fact alone: each sort must hold as many prompts newly bad, and newly good, as the fact had.
    for first in (-1, 0, 1):
        for second in (-1, 0, 1):
            before = np.array([[first < 0] * 3 + [second < 0] * 3])
            after = np.array([[first > 0] * 3 + [second > 0] * 3])
            (counts,) = np.unique(draw(Pair("f" * 16, 0, before, after), Design("x", "facts", 4), 3), axis=0)
            old, new, unit = rows(tuple(counts.tolist()), "facts")
            assert np.sum(new > old) == 2 * (int(first > 0) + int(second > 0))
            assert np.sum(new < old) == 2 * (int(first < 0) + int(second < 0))
            assert np.bincount(unit).tolist() == [2, 2]


@given(st.lists(st.integers(0, 6), min_size=4, max_size=4).filter(any))
def test_rows_have_the_counts_that_they_were_made_from(counts: list[int]) -> None:
    old, new, unit = rows(tuple(counts), "prompts")
    assert [int(np.sum((old == a) & (new == b))) for ((a, b),) in KINDS["prompts"]] == counts
    assert len(set(unit.tolist())) == sum(counts)


def test_the_next_place_lies_between_the_last_below_and_the_first_above() -> None:
    known = {0.0: 0.0, 0.4: 0.01, 1.0: 0.6}
    for target in (0.02, 0.1, 0.5):
        alpha = next_alpha(known, target)
        assert alpha is not None
        assert 0.4 < alpha < 1
    assert next_alpha(known, 0.005) == pytest.approx(0.4 * 0.5 ** (1 / 3), abs=1e-4)
    assert next_alpha(known, 0.7) is None


def test_a_dose_is_the_same_every_time_and_another_for_every_number() -> None:
    assert dose(3, 4) == dose(3, 4)
    assert dose(3, 4) != dose(3, 12)
    assert dose(3, 4) != dose(4, 4)
    assert all(0 <= target <= 0.12 for target in dose(3, 4).targets)


def test_what_a_kill_left_unfinished_is_no_model(tmp_path) -> None:
    bits = np.zeros((4, 6), dtype=bool)
    cell = {
        "world": 1, "tune": "1-0", "recipe": "plain", "questions": 24, "before": packed(bits),
        "places": [{"id": "ab", "alpha": 0.5, "after": packed(~bits)}],
    }  # fmt: skip
    write_json(tmp_path / "cells" / "done" / RESULT, cell)
    write_json(tmp_path / "cells" / "killed" / ASKED, {"cell": "operating-curve"})
    (model,) = read_models(tmp_path)
    assert (model.id, model.change, model.after.shape) == ("ab", 1.0, (4, 6))


@pytest.mark.slow
def test_a_fine_tune_that_is_done_is_not_done_again(tmp_path, capsys) -> None:
    from benchmarks.operating_curve.populate import main

    asked = ["--worlds", "0", "--tunes", "1", "--home", str(tmp_path)]
    main(asked)
    models = read_models(tmp_path)
    assert len({model.id for model in models}) == len(models) >= 1
    assert "kept" not in capsys.readouterr().out
    main(asked)
    assert "kept" in capsys.readouterr().out
    assert [model.id for model in read_models(tmp_path)] == [model.id for model in models]
