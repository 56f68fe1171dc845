"""Training seeds as a random factor, the base's own noise, the worst category and what stands beside the limits."""

from math import hypot, sqrt

import numpy as np
import pytest
from compare_sides import first, gate, metric, only, side
from scipy import stats as scipy_stats

from holdfast.compare import Comparison, Gate, Known, compare
from holdfast.errors import ConfigError
from holdfast.stats import OverSeeds, clopper_pearson, over_seeds, pair


def over(before, afters, margins=None) -> Comparison:
    sides = [side(f"seed {at}", each) for at, each in enumerate(afters)]
    return compare(side("base", before), sides, Gate(margins or {}), np.random.default_rng(0))


def drawn(rng, n, rates):
    return [metric(rng.random(n) < rate) for rate in rates]


def test_five_seeds_are_judged_as_a_way_of_training():
    rng, base = np.random.default_rng(1), metric(first(400, 0))
    afters = drawn(rng, 400, [0.00, 0.01, 0.02, 0.03, 0.04])
    found = over(base, afters)
    change = only(found)
    assert "5 training seeds" in found.seeds
    assert len(found.tuned) == 5
    assert (change.samples, change.any_of_k) == (1, {})
    alone = [only(gate(base, each)) for each in afters]
    assert change.worsening == pytest.approx(np.mean([each.worsening for each in alone]))
    # Five times the answers know the prompts better, and the seeds' spread is added.
    prompts = pair(first(400, 0), np.mean([[row.value for row in each.rows] for each in afters], axis=0))
    spread = scipy_stats.t.ppf(0.975, 4) * np.std([each.worsening for each in alone], ddof=1) / sqrt(5)
    arm = hypot(prompts.limits(0.95)[1] - prompts.estimate, spread)
    assert change.upper == pytest.approx(change.worsening + arm)
    assert "training seeds" in change.method


def test_one_checkpoint_is_spoken_of_alone():
    assert gate(metric(first(40, 0)), metric(first(40, 1))).seeds.startswith("this checkpoint only")


@pytest.mark.parametrize("seeds", [0, 2, 4])
def test_fewer_than_five_seeds_say_too_little(seeds):
    with pytest.raises(ConfigError, match=r"from 5 on"):
        over(metric(first(40, 0)), [metric(first(40, 1))] * seeds)


def test_one_seed_given_twice_is_refused():
    afters = [side(f"seed {at}", metric(first(40, at)), weights=f"{at % 4}abc") for at in range(5)]
    with pytest.raises(ConfigError, match="more than once: 0abc"):
        compare(side("base", metric(first(40, 0))), afters, Gate(), np.random.default_rng(0))


def test_seeds_without_spread_leave_the_prompts_limits():
    paired = pair(first(100, 0), first(100, 4))
    assert over_seeds(paired, [0.04] * 5).limits(0.95) == pytest.approx(paired.limits(0.95))
    assert over_seeds(paired, [0.0, 0.08]).limits(0.95)[1] > paired.limits(0.95)[1]
    with pytest.raises(ValueError, match="1 seeds"):
        over_seeds(paired, [0.04])


def seeds_errors(repeats, seeds, spread, n=300, margin=0.03):
    """How often the limits err where the seeds' mean worsening is the margin; each seed has a rate of its own."""
    rng = np.random.default_rng([seeds, round(1000 * spread)])
    below = above = 0
    for _ in range(repeats):
        # A gamma over seeds keeps rates above zero and its mean at the margin.
        rates = rng.gamma((margin / spread) ** 2, spread**2 / margin, seeds) if spread else np.full(seeds, margin)
        bad = rng.random((seeds, n)) < np.clip(rates, 0, 1)[:, None]
        before = np.zeros(n)
        found = over_seeds(pair(before, bad.mean(axis=0)), bad.mean(axis=1))
        lower, upper = found.limits(0.95)
        below, above = below + (upper < margin), above + (lower > margin)
    return below / repeats, above / repeats


@pytest.mark.parametrize(("seeds", "spread"), [(5, 0.0), (5, 0.01), (10, 0.02)])
def test_limits_over_seeds_hold_their_level(seeds, spread):
    below, above = seeds_errors(1000, seeds, spread)
    allowed = 0.05 + 3 * (0.05 * 0.95 / 1000) ** 0.5
    assert below <= allowed
    assert above <= allowed


@pytest.mark.parametrize("level", [0.9, 0.99])
def test_over_seeds_is_paired(level):
    found = over_seeds(pair(first(100, 3), first(100, 8)), [0.03, 0.05, 0.07])
    assert isinstance(found, OverSeeds)
    lower, upper = found.limits(level)
    assert -1 <= lower < found.estimate < upper <= 1


# --- noise ---


def test_the_bases_own_samples_show_its_noise():
    rng = np.random.default_rng(2)
    values = rng.random((200, 5)) < 0.2
    before = metric(values.ravel(), samples=5, temperature="0.8")
    after = metric(np.zeros(1000), samples=5, temperature="0.8")
    noise = only(gate(before, after)).noise
    pairs = [(a, b) for a in range(5) for b in range(5) if a != b]
    assert noise.flips == pytest.approx(np.mean([values[:, a] != values[:, b] for a, b in pairs]))
    assert noise.interval[0] < 0.32 < noise.interval[1]
    assert (noise.source, noise.newly_worse, noise.newly_better) == ("samples", None, None)


def test_a_greedy_base_measured_once_says_nothing_of_noise():
    assert only(gate(metric(first(100, 3), samples=2), metric(first(100, 5), samples=2))).noise is None


def test_the_base_measured_again_shows_what_changes_with_no_training():
    old, again = metric(first(100, 4)), metric(np.roll(first(100, 4), 1))
    known = Known(again=side("base", again))
    found = compare(side("base", old), side("tuned", metric(first(100, 9))), Gate(), np.random.default_rng(0), known)
    noise = only(found).noise
    assert (noise.source, noise.newly_worse, noise.newly_better, noise.flips) == ("again", 1, 1, 0.02)


def test_a_second_measurement_must_be_of_the_base():
    old, after = side("base", metric(first(40, 0)), weights="ab"), side("tuned", metric(first(40, 2)), weights="cd")
    for again, told in (
        (side("other", metric(first(40, 0)), weights="ef"), "weights: ab at first, ef again"),
        (side("base", metric(first(40, 0), temperature="1"), weights="ab"), "temperature"),
        (side("base", metric(first(40, 0), name="else"), weights="ab"), "no metric in common"),
    ):
        with pytest.raises(ConfigError, match=told):
            compare(old, after, Gate(), np.random.default_rng(0), Known(again=again))


# --- beside the limits ---


def test_the_worst_category_has_a_bound_that_holds_for_all():
    bad = np.zeros(200)
    bad[1:21:2] = 1  # ten of the southern hundred
    worst = only(gate(metric(np.zeros(200)), metric(bad))).worst_group
    assert (worst.group, worst.groups) == ("south", 2)
    assert worst.upper == pytest.approx(clopper_pearson(10, 100, 0.975, tails=1)[1])


def test_other_intervals_stand_beside():
    beside = only(gate(metric(first(200, 2)), metric(first(200, 30)))).beside
    for low, high in (beside.bootstrap, beside.student, beside.newcombe):
        assert low < 0.14 < high
        assert high - low == pytest.approx(0.098, abs=0.01)
    clustered = only(gate(metric(first(200, 2), size=2), metric(first(200, 30), size=2))).beside
    assert clustered.newcombe is None
    alone = only(gate(metric(first(4, 0), size=4), metric(first(4, 2), size=4))).beside
    assert alone.student is None


def test_nothing_scored_has_nothing_beside():
    change = only(gate(metric([None] * 30), metric(first(30, 0))))
    assert (change.beside, change.worsening, change.verdict) == (None, None, "undecided")
