"""McNemar, Holm, any-of-k and the planning formula, against scipy, published values and simulation."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from holdfast.stats import any_of_k, any_of_k_each, half_width_spread, holm, mcnemar, prompts_needed, wilson


@given(st.integers(0, 200), st.integers(0, 200))
def test_mcnemar_is_the_exact_sign_test(worse, better):
    if worse + better == 0:
        assert mcnemar(worse, better) == 1.0
    else:
        theirs = scipy_stats.binomtest(worse, worse + better).pvalue
        assert mcnemar(worse, better) == pytest.approx(theirs, rel=1e-9)
    assert mcnemar(worse, better) == mcnemar(better, worse)


def test_mcnemar_of_a_published_example():
    # Armitage & Berry 1994, p. 127: two media for 50 specimens, 12 and 2 discordant, p = .0129.
    assert mcnemar(12, 2) == pytest.approx(0.0129, abs=5e-5)
    with pytest.raises(ValueError, match="not negative"):
        mcnemar(-1, 3)


def test_holm_of_a_worked_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]).shape == (0,)
    with pytest.raises(ValueError, match="lie in"):
        holm([0.2, 1.2])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_the_raw_and_bonferronis(p_values):
    raw, adjusted = np.array(p_values), holm(p_values)
    assert np.all(adjusted >= raw)
    assert np.all(adjusted <= np.minimum(1, raw * len(raw)))
    order = np.argsort(raw, kind="stable")
    assert np.all(np.diff(adjusted[order]) >= 0)
    assert adjusted.min() == min(1.0, raw.min() * len(raw))


def test_holm_keeps_the_family_wise_error():
    rng = np.random.default_rng(0)
    p = rng.random((4000, 6))
    wrong = np.mean([holm(row).min() <= 0.05 for row in p])
    assert wrong == pytest.approx(1 - (1 - 0.05 / 6) ** 6, abs=0.012)


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n), st.integers(1, n))))
def test_any_of_k_counts_the_subsets_with_a_bad_answer(case):
    bad, n, k = case
    subsets = list(combinations(range(n), k))
    assert any_of_k([bad], [n], k) == pytest.approx(np.mean([min(s) < bad for s in subsets]), abs=1e-12)


def test_any_of_k_is_unbiased_where_the_plug_in_is_low():
    # p = .01, n = k = 5: truth .0490, plug-in .0332.
    p = scipy_stats.binom.pmf(np.arange(6), 5, 0.01)
    assert p @ any_of_k_each(np.arange(6), 5, 5) == pytest.approx(1 - 0.99**5)
    assert p @ (1 - (1 - np.arange(6) / 5) ** 5) == pytest.approx(0.0332, abs=1e-4)


def test_any_of_k_averages_prompts_and_stays_finite_for_many_samples():
    assert any_of_k([0, 5], [10, 10], 1) == pytest.approx(0.25)
    assert any_of_k([1], [100_000], 100) == pytest.approx(0.001)


@pytest.mark.parametrize(("bad", "n", "k"), [([0], [4], 5), ([0], [4], 0), ([5], [4], 1), ([], [], 1)])
def test_any_of_more_than_was_sampled_is_refused(bad, n, k):
    with pytest.raises(ValueError, match=r"any of|needs"):
        any_of_k(bad, n, k)


def test_planned_prompts_reach_the_planned_power():
    # A worsening of 1 point with 10 % of prompts changing, to be shown to stay below 5 points.
    spread = np.sqrt(0.10 - 0.01**2)
    n = prompts_needed(0.04, spread)
    assert n == 387
    rng = np.random.default_rng(1)
    worse, better = rng.multinomial(n, [0.055, 0.045, 0.9], size=20_000)[:, :2].T
    passes = (worse - better) / n + 1.645 * np.sqrt(worse + better) / n < 0.05
    assert passes.mean() == pytest.approx(0.8, abs=0.02)


def test_a_change_on_the_margin_is_never_decided():
    assert prompts_needed(0.0, 1.0) is None
    assert prompts_needed(-0.02, 0.3) == prompts_needed(0.02, 0.3)


def test_a_half_width_gives_its_spread_back():
    n, z = 4000, 1.6448536269514722
    assert half_width_spread(z * 0.3 / np.sqrt(n), n, 0.95) == pytest.approx(0.3)
    low, high = wilson(400, n, tails=1)
    assert half_width_spread((high - low) / 2, n, 0.95) == pytest.approx(0.3, rel=0.01)
