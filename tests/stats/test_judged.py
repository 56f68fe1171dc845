"""A judge's error inside the limits: published figures, invariants, and how often the limits err at the margin."""

from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from tests.stats.judging import allowed, grid, labelled_rates, reading, truth

from holdfast.stats import p_worse_than, pair
from holdfast.stats.error_rates import PERFECT, ErrorRates, Rate, corrected_rate
from holdfast.stats.judged import Judged, JudgedApart, judged

badness = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=60)
good_rates = st.builds(Rate, st.floats(0.75, 1), st.integers(50, 400))
judges = st.builds(ErrorRates, good_rates, good_rates)


def known(found, kept, labels=inf):
    return ErrorRates(Rate(found, labels), Rate(kept, labels))


def rates(bad, n=1000):
    return np.repeat([1.0, 0.0], [bad, n - bad])


# --- one rate ---------------------------------------------------------------------------------------------------------


def test_rogan_and_gladen_find_the_rate_behind_the_judges():
    """True 5 %, kept .90, found .80: the judge reads .05 x .80 + .95 x .10 = 13.5 %."""
    found = corrected_rate(rates(135), known(0.80, 0.90))
    assert found.estimate == pytest.approx(0.05)
    assert found.lower < 0.05 < found.upper
    assert corrected_rate(rates(90), known(0.80, 0.90)).estimate == 0.0, "a rate is never below zero"


def test_the_interval_is_lee_and_others():
    """Their formula by hand, for 135 of 1000 with 100 labels a class."""
    z, n, m = scipy_stats.norm.ppf(0.975), 1000, 100
    size = n * 0.135 * 0.865 / (0.135 * 0.865 * 1000 / 999)  # Korn & Graubard's is of the sample variance
    p, q0, q1 = (135 / n * size + z**2 / 2) / (size + z**2), 91 / 102, 81 / 102
    theta = (p + q0 - 1) / (q0 + q1 - 1)
    moved = 2 * z**2 * (-(1 - theta) * q0 * (1 - q0) / (m + 2) + theta * q1 * (1 - q1) / (m + 2))
    spread = p * (1 - p) / (size + z**2) + (1 - theta) ** 2 * q0 * (1 - q0) / 102 + theta**2 * q1 * (1 - q1) / 102
    half = z * sqrt(spread) / (q0 + q1 - 1)
    found = corrected_rate(rates(135), known(0.80, 0.90, m))
    assert (found.lower, found.upper) == pytest.approx((max(0.0, theta + moved - half), theta + moved + half), abs=1e-9)


def test_a_judge_that_knows_nothing_leaves_all_open():
    found = corrected_rate(rates(100), known(0.5, 0.55, 50))
    assert (found.lower, found.upper) == (0.0, 1.0)
    for errors in (known(0.5, 0.55, 50), known(0.6, 0.4), (PERFECT, known(0.5, 0.55, 50))):
        made = judged(rates(100), rates(100), errors)
        assert made.limits(0.95) == (-1.0, 1.0)
        assert made.judge_alone(0.95) == 1.0
        assert p_worse_than(0.05, made) == 1.0
    assert judged(rates(1), rates(9), known(0.6, 0.4)).labels_needed(0.05) is None
    assert judged(rates(1), rates(9), (PERFECT, known(0.6, 0.4))).labels_needed(0.05) is None


@pytest.mark.parametrize(("value", "size"), [(1.1, 10), (-0.1, 10), (0.5, 0), (float("nan"), 10)])
def test_what_is_no_rate_is_refused(value, size):
    with pytest.raises(ValueError, match="rate"):
        Rate(value, size)
    with pytest.raises(ValueError, match="rate"):
        corrected_rate([value, 2.0], PERFECT)


@pytest.mark.parametrize(
    ("theta", "kept", "found", "n", "labels"),
    [
        (0.05, 0.90, 0.80, 330, 100),
        (0.05, 0.90, 0.80, 700, 200),
        (0.2, 0.95, 0.9, 330, 50),
        (0.01, 0.98, 0.95, 700, 100),
    ],
)
def test_the_interval_of_one_rate_covers(theta, kept, found, n, labels):
    assert uncovered(n, theta, found, kept, labels, 1500) <= allowed(1500)


def test_the_interval_of_one_rate_covers_where_prompts_cluster():
    assert uncovered(400, 0.1, 0.9, 0.95, 200, 600, size=4) <= allowed(600)


def uncovered(n, theta, found, kept, labels, repeats, size=1):
    """Share of data sets whose 95 % interval of one rate misses it; the prompts of a cluster are bad together."""
    rng, missed, clusters = np.random.default_rng([n, labels]), 0, np.arange(n) // size
    for _ in range(repeats):
        bad = np.repeat(rng.random(n // size) < theta, size)
        read = reading(rng, bad, found, kept, 1)[:, 0].astype(float)
        interval = corrected_rate(read, labelled_rates(rng, found, kept, labels), clusters)
        missed += not interval.lower <= theta <= interval.upper
    return missed / repeats


# --- a difference -----------------------------------------------------------------------------------------------------


@given(badness, st.integers(1, 3), st.sampled_from([0.9, 0.95, 0.99]))
def test_a_perfect_judge_leaves_the_limits_as_they_are(pairs, size, level):
    before, after = np.array(pairs).T / 5
    clusters = np.arange(len(before)) // size
    plain = pair(before, after, clusters)
    for errors in (PERFECT, (PERFECT, PERFECT)):
        made = judged(before, after, errors, clusters)
        assert made.estimate == pytest.approx(plain.estimate, abs=1e-12)
        assert made.limits(level) == pytest.approx(plain.limits(level), abs=1e-9)
        assert made.judge_alone(level) == 0.0


@given(badness, judges, judges, st.integers(1, 3))
def test_swapping_the_sides_turns_the_limits_round(pairs, one, other, size):
    before, after = np.array(pairs).T / 5
    clusters = np.arange(len(before)) // size
    for errors, turned in ((one, one), ((one, other), (other, one))):
        low, high = judged(before, after, errors, clusters).limits(0.95)
        assert judged(after, before, turned, clusters).limits(0.95) == pytest.approx((-high, -low), abs=1e-9)


@given(badness, judges, judges)
def test_limits_contain_the_estimate_and_are_nested_in_the_level(pairs, one, other):
    before, after = np.array(pairs).T / 5
    for errors in (one, (one, other)):
        made = judged(before, after, errors)
        bounds = [made.limits(level) for level in (0.8, 0.95, 0.99)]
        assert all(-1 <= low <= made.estimate <= high <= 1 for low, high in bounds if abs(made.estimate) <= 1)
        assert bounds == sorted(bounds, key=lambda limits: limits[1] - limits[0])


@given(badness, judges, judges, st.sampled_from([2, 10, inf]))
def test_more_labels_of_the_same_rates_never_widen(pairs, one, other, factor):
    before, after = np.array(pairs).T / 5

    def more(errors):
        return ErrorRates(*(Rate(rate.value, rate.size * factor) for rate in (errors.found, errors.kept)))

    for few, many in ((one, more(one)), ((one, other), (more(one), more(other)))):
        few_low, few_high = judged(before, after, few).limits(0.95)
        low, high = judged(before, after, many).limits(0.95)
        assert low >= few_low - 1e-9
        assert high <= few_high + 1e-9


def test_alike_on_both_sides_false_alarms_cancel():
    """The worsening read, 0.03, over J = 0.75; nothing else of the judge counts."""
    made = judged(rates(50), rates(80), known(0.80, 0.95))
    assert isinstance(made, Judged)
    assert made.estimate == pytest.approx(0.04)
    low, high = pair(rates(50), rates(80)).limits(0.95)
    assert made.limits(0.95) == pytest.approx((low / 0.75, high / 0.75))


def test_a_judge_that_became_stricter_is_no_worsening():
    """2 % bad on both sides; false alarms go from 1 to 5 %."""
    before, after = round(1000 * (0.02 + 0.98 * 0.01)), round(1000 * (0.02 + 0.98 * 0.05))
    made = judged(rates(before), rates(after), (known(1, 0.99), known(1, 0.95)))
    assert isinstance(made, JudgedApart)
    assert made.estimate == pytest.approx(0.0, abs=0.001)
    assert pair(rates(before), rates(after)).limits(0.95)[0] > 0.02
    low, high = made.limits(0.95)
    assert low < 0 < high


def test_few_labels_leave_what_no_number_of_prompts_takes_away():
    few = known(0.9, 0.97, 100)
    made = judged(rates(50_000, 1_000_000), rates(50_000, 1_000_000), (few, few))
    assert made.judge_alone(0.95) == pytest.approx(made.limits(0.95)[1], abs=0.001)
    assert made.judge_alone(0.95) > 0.04


def test_where_nothing_bad_is_read_after_no_label_of_good_answers_is_called_for():
    """160 labels of good answers without an error leave 2 points of false alarms before, and there were none."""
    errors = known(0.95, 1.0, 160)
    made = judged(np.zeros(1000), np.zeros(1000), (errors, errors))
    assert made.limits(0.95)[1] < 0.006
    assert made.judge_alone(0.95) == 0.0


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("margin", [0.02, 0.05])
def test_labels_needed_are_enough_and_no_fewer_would_do(apart, margin):
    errors = known(0.9, 0.97, 40)
    before, after = rates(40), rates(50)
    made = judged(before, after, (errors, errors) if apart else errors)
    needed = made.labels_needed(margin)
    assert needed is not None
    assert needed.total == needed.sides * (needed.bad + needed.good)

    def left(share):
        sized = ErrorRates(Rate(0.9, share * needed.bad), Rate(0.97, share * needed.good))
        if apart:
            return judged(before, after, (sized, sized)).judge_alone(0.95)
        return margin * (sized.youden / sized.youden_limits(0.95)[0] - 1)

    assert left(1.0) <= margin / 2
    assert left(0.9) > margin / 2
    if apart:
        assert needed.good > 3 * needed.bad, "at a low rate the false alarms matter more"


def test_a_known_judge_needs_no_more_labels():
    made = judged(rates(40), rates(50), (known(0.9, 0.97), known(0.8, 0.95)))
    assert made.judge_alone(0.95) == pytest.approx(0.0, abs=1e-12)
    needed = made.labels_needed(0.03)
    assert needed is not None
    assert needed.total == 0


# --- how often the limits err, with the true worsening at the margin --------------------------------------------------

CELLS = [
    # prompts, per cluster, samples, base, margin, judge before, judge after, labels a class, apart
    (100, 1, 1, 0.0, 0.05, (1.0, 1.0), (1.0, 1.0), 50, True),
    (320, 1, 1, 0.02, 0.05, (0.98, 0.98), (0.98, 0.98), 100, True),
    (320, 1, 1, 0.02, 0.03, (0.98, 0.98), (0.90, 0.95), 300, True),
    (320, 2, 1, 0.1, 0.1, (0.9, 0.8), (0.8, 0.98), 50, True),
    (320, 1, 5, 0.3, 0.05, (0.9, 0.9), (0.98, 0.8), 100, True),
    (320, 1, 1, 0.02, 0.05, (0.98, 0.98), (0.98, 0.98), 20, False),
    (320, 2, 5, 0.1, 0.05, (0.8, 0.9), (0.8, 0.9), 50, False),
    (1000, 1, 1, 0.3, 0.1, (0.8, 0.98), (0.8, 0.98), 100, False),
]


def errors(cell, repeats, *, whole=False, sticky=False):
    """Share of data sets whose upper limit is below, whose lower limit is above, and whose uncorrected upper limit is
    below the true worsening.
    """
    n, size, samples, base, margin, old, new, labels, apart = cell
    rng, clusters = np.random.default_rng([n, size, samples, labels, round(100 * margin)]), np.arange(n) // size
    counted = np.zeros(3)
    for _ in range(repeats):
        bad = truth(rng, n, size, base, margin, whole=whole)
        read = [
            reading(rng, side, *judge, samples, sticky=sticky).mean(axis=1)
            for side, judge in zip(bad, (old, new), strict=True)
        ]
        before, after = (labelled_rates(rng, *judge, labels) for judge in (old, new))
        made = judged(*read, (before, after) if apart else before, clusters)
        lower, upper = made.limits(0.95)
        counted += upper < margin, lower > margin, made.read.limits(0.95)[1] < margin
    return counted / repeats


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_limits_hold_their_level_at_the_margin(cell):
    below, above, _ = errors(cell, 500)
    assert max(below, above) <= allowed(500)


def test_the_judges_own_word_would_pass_a_worse_model():
    """The judge finds less after than before: what it reads passes, and the corrected limits do not."""
    cell = (1000, 1, 1, 0.1, 0.05, (0.98, 0.9), (0.8, 0.98), 100, True)
    below, _, read = errors(cell, 200)
    assert read > 0.9
    assert below <= allowed(200)


def test_rare_whole_clusters_in_noise_are_the_worst_known_case():
    """Four of a hundred false alarms on five samples of each prompt, and a cluster in fifty that turns bad: 6.1 %."""
    cell = (320, 2, 5, 0.0, 0.02, (0.9, 0.9), (0.9, 0.9), 300, False)
    below, above, _ = errors(cell, 500, whole=True)
    assert max(below, above) <= allowed(500, 0.065)


GRID = [
    (
        (n, o["size"], o["samples"], base, o["margin"], old, new, o["labels"], old != new or o["apart"]),
        {"whole": o["whole"], "sticky": o["sticky"]},
    )
    for n, base, old, new, o in grid(
        seed=1, labels=(20, 50, 100, 300), apart=(True, False), whole=(False, True), sticky=(False, True)
    )
]


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "kind"), GRID, ids=str)
def test_limits_hold_their_level_over_the_grid(cell, kind):
    below, above, read = errors(cell, 10_000, **kind)
    print(f"| {cell} | {kind} | {below:.4f} | {above:.4f} | {read:.4f} |")  # noqa: T201 - the table in docs/methods.md
    assert max(below, above) <= allowed(10_000)


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 320, 1000])
@pytest.mark.parametrize("theta", [0.0, 0.02, 0.1, 0.3])
@pytest.mark.parametrize(("found", "kept"), [(1.0, 1.0), (0.98, 0.98), (0.9, 0.98), (0.8, 0.9)])
@pytest.mark.parametrize("count", [20, 100, 300])
def test_the_interval_of_one_rate_covers_over_the_grid(n, theta, found, kept, count):
    missed, repeats = uncovered(n, theta, found, kept, count, 2_000), 2_000
    print(f"| {n} | {theta} | {found} | {kept} | {count} | {1 - missed:.4f} |")  # noqa: T201 - the table in docs/methods.md
    assert missed <= allowed(repeats)
