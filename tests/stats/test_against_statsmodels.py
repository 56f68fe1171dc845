"""The same numbers as statsmodels gives, where it is installed; scipy's stand with each method's own tests."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.stats import clopper_pearson, clustered_mean, holm, mcnemar, pair, wilson

api = pytest.importorskip("statsmodels.api", reason="statsmodels is not installed")
tables = pytest.importorskip("statsmodels.stats.contingency_tables")
multitest = pytest.importorskip("statsmodels.stats.multitest")
proportion = pytest.importorskip("statsmodels.stats.proportion")

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=8)


@given(st.tuples(*[st.integers(0, 40)] * 4))
def test_mcnemars_exact_p(table):
    both, worse, better, neither = table
    theirs = tables.mcnemar([[both, worse], [better, neither]], exact=True).pvalue
    assert mcnemar(worse, better) == pytest.approx(theirs, abs=1e-12)


@given(p_values)
@settings(deadline=None)
def test_holms_adjusted_p_values(p):
    rejected, theirs = multitest.multipletests(p, alpha=0.05, method="holm")[:2]
    assert holm(p) == pytest.approx(theirs, abs=1e-12)
    assert ((holm(p) <= 0.05) == rejected).all()


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_limits_of_one_rate(rate):
    bad, n = rate
    for ours, method in ((clopper_pearson, "beta"), (wilson, "wilson")):
        assert ours(bad, n) == pytest.approx(proportion.proportion_confint(bad, n, 0.05, method), abs=1e-9)


@pytest.mark.parametrize("size", [1, 2, 10])
def test_a_clustered_mean_is_the_regression_on_a_constant_with_clustered_errors(size):
    rng = np.random.default_rng(size)
    clusters = np.arange(200) // size
    change = rng.normal(0.1, 1, 200) + np.repeat(rng.normal(0, 1, 200 // size), size)
    fit = api.OLS(change, np.ones(200)).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    assert clustered_mean(change, clusters) == pytest.approx(tuple(fit.conf_int()[0]), abs=1e-9)


def test_the_variances_behind_the_limits_are_clustered_ones():
    rng = np.random.default_rng(9)
    before, after, clusters = rng.binomial(5, 0.2, 300) / 5, rng.binomial(5, 0.3, 300) / 5, np.arange(300) // 3
    parts = pair(before, after, clusters)
    for values, variance in (
        (np.maximum(after - before, 0), parts.rise_variance),
        (np.maximum(before - after, 0), parts.fall_variance),
    ):
        fit = api.OLS(values, np.ones(300)).fit(cov_type="cluster", cov_kwds={"groups": clusters})
        assert variance == pytest.approx(float(fit.cov_params()[0, 0]), rel=1e-9)
    spread = parts.rise_variance + parts.fall_variance - 2 * parts.covariance
    fit = api.OLS(after - before, np.ones(300)).fit(cov_type="cluster", cov_kwds={"groups": clusters})
    assert spread == pytest.approx(float(fit.cov_params()[0, 0]), rel=1e-9)
