"""Labels on a sample, the judge on all: unbiased however the judge errs, and limits that hold near zero."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stats.judging import allowed, grid, label, reading, sheet, simple, truth

from holdfast.measure import Answer, Measurement, Prompt, SuiteResult
from holdfast.measure.sheet import draw_sheet
from holdfast.stats import clopper_pearson, p_worse_than, pair
from holdfast.stats.ppi import Labelled, rectified

SCHEMES = {"sheet": sheet, "simple": simple}


def labels(rows, weight=4.0, share=1.0):
    """From (prompt, whether after, human, judge)."""
    prompts, after, human, judge = (np.array(column) for column in zip(*rows, strict=True))
    many = np.ones(len(rows))
    return Labelled(prompts, after == 1, human.astype(float), judge.astype(float), weight * many, share * many)


def population(rng, n, samples, base, worsening, judges, *, size=1, whole=False, sticky=False):
    """Which prompts are bad, and the judge's words on their answers, before and after."""
    bad = truth(rng, n, size, base, worsening, whole=whole)
    return bad, [reading(rng, side, *judge, samples, sticky=sticky) for side, judge in zip(bad, judges, strict=True)]


def means(words):
    return [side.mean(axis=1) for side in words]


# --- the estimate -----------------------------------------------------------------------------------------------------


def test_the_estimate_is_the_formula():
    """θ = λ·mean(d̂) + mean(Y - λŶ) after - mean(Y - λŶ) before, by hand, for λ = ½."""
    before, after = np.zeros(10), np.repeat([1.0, 0.0], [4, 6])
    rows = [(0, 1, 1, 1), (1, 1, 0, 1), (6, 1, 0, 0), (7, 1, 1, 0), (0, 0, 0, 0), (8, 0, 1, 0)]
    made = rectified(before, after, labels(rows), lam=0.5)
    assert made.estimate == pytest.approx(0.5 * 0.4 + (0.5 - 0.5 + 0 + 1) / 4 - 1 / 2)
    assert (made.labels, made.certain, made.effective) == (6, 0, 4), "two of them are of one prompt"


def test_weights_count():
    """After: two answers that stand for 2 and for 6, of which the second is bad."""
    each = labels([(0, 1, 0, 0), (1, 1, 1, 0), (2, 0, 0, 0), (3, 0, 0, 0)])
    weighted = Labelled(each.prompts, each.after, each.human, each.judge, np.array([2.0, 6.0, 4.0, 4.0]), each.shares)
    assert rectified(np.zeros(8), np.zeros(8), weighted, lam=1.0).estimate == pytest.approx(0.75)


@given(st.integers(0, 10_000), st.integers(1, 3))
def test_with_every_answer_labelled_the_judge_does_not_count(seed, samples):
    rng = np.random.default_rng(seed)
    bad, words = population(rng, 40, samples, 0.2, 0.1, ((0.6, 0.7), (0.9, 0.5)))
    drawn = simple(rng, *words, 2 * 40 * samples)
    made = rectified(*means(words), label(drawn, bad, words))
    plain = pair(*np.array(bad, dtype=float))
    assert made.estimate == pytest.approx(plain.estimate)
    assert made.limits(0.95) == pytest.approx(plain.limits(0.95))
    assert made.certain == made.labels == 2 * 40 * samples
    assert made.judge_alone(0.95) == 0.0
    assert made.labels_needed(0.01) == made.labels


def test_labels_alone_are_used_where_the_judge_tells_nothing():
    rng = np.random.default_rng(1)
    bad, words = population(rng, 400, 1, 0.3, 0.0, ((0.5, 0.5), (0.5, 0.5)))
    made = rectified(*means(words), label(simple(rng, *words, 200), bad, words))
    assert made.lam < 0.2


def test_a_good_judge_narrows_the_limits():
    rng = np.random.default_rng(2)
    bad, words = population(rng, 1000, 1, 0.3, 0.05, ((0.97, 0.98), (0.97, 0.98)))
    found = label(simple(rng, *words, 300), bad, words)
    tuned, alone = (rectified(*means(words), found, lam=lam).limits(0.95) for lam in (None, 0.0))
    assert tuned[1] - tuned[0] < 0.6 * (alone[1] - alone[0])


def test_no_wrong_reading_among_the_labels_is_never_taken_for_none():
    """100 labels without a wrong one: up to 3 % of both sides' answers may be wrong, and more prompts do not help."""
    rng = np.random.default_rng(3)
    for n in (1000, 100_000):
        nothing = np.zeros((n, 1))
        found = label(simple(rng, nothing, nothing, 100), np.zeros((2, n)), (nothing, nothing))
        made = rectified(nothing[:, 0], nothing[:, 0], found)
        assert made.limits(0.95)[1] >= 2 * clopper_pearson(0, 100, tails=1)[1] - 1e-9
        needed = made.labels_needed(0.05)
        assert needed is not None
        assert 200 < needed < 260, "3/n on either side is half of 0.05 from n = 240"


def test_swapping_the_sides_turns_the_limits_round():
    rng = np.random.default_rng(4)
    for samples in (1, 3):
        bad, words = population(rng, 200, samples, 0.2, 0.05, ((0.9, 0.9), (0.8, 0.95)))
        found = label(sheet(rng, *words, 80), bad, words)
        turned = Labelled(found.prompts, ~found.after, found.human, found.judge, found.weights, found.shares)
        before, after = means(words)
        low, high = rectified(before, after, found).limits(0.95)
        assert rectified(after, before, turned).limits(0.95) == pytest.approx((-high, -low), abs=1e-12)


def test_limits_contain_the_estimate_and_are_nested_in_the_level():
    rng = np.random.default_rng(5)
    for base in (0.0, 0.3):
        bad, words = population(rng, 150, 2, base, 0.1, ((0.9, 0.9), (0.8, 0.95)))
        made = rectified(*means(words), label(sheet(rng, *words, 60), bad, words), np.arange(150) // 2)
        bounds = [(made.estimate, made.estimate), *(made.limits(level) for level in (0.8, 0.95, 0.99))]
        assert [low for low, _ in bounds] == sorted((low for low, _ in bounds), reverse=True)
        assert [high for _, high in bounds] == sorted(high for _, high in bounds)
        assert 0 < p_worse_than(0.05, made) <= 1


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_bad_on_both_sides_throughout_still_leaves_width(level):
    rng, ones = np.random.default_rng(6), np.ones((300, 1))
    made = rectified(ones[:, 0], ones[:, 0], label(simple(rng, ones, ones, 100), np.ones((2, 300)), (ones, ones)))
    low, high = made.limits(level)
    assert high == pytest.approx(-low, rel=0.01)
    assert high > clopper_pearson(0, 100, level, tails=1)[1]


def test_more_labels_narrow_the_limits():
    rng = np.random.default_rng(7)
    bad, words = population(rng, 1000, 1, 0.1, 0.02, ((0.9, 0.95), (0.9, 0.95)))
    widths = [
        np.diff(rectified(*means(words), label(simple(rng, *words, n), bad, words)).limits(0.95))
        for n in (50, 200, 800)
    ]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"weights": [0.5, 4, 4]}, "probability"),
        ({"weights": [np.nan, 4, 4]}, "probability"),
        ({"after": [True, True, True]}, "both sides"),
    ],
)
def test_what_is_no_sample_is_refused(change, says):
    given = {"prompts": [0, 1, 2], "after": [True, True, False], "human": [1.0, 0, 0], "judge": [0.0, 0, 0]}
    given |= {"weights": [4.0, 4, 4], "shares": [1.0, 1, 1]} | change
    with pytest.raises(ValueError, match=says):
        rectified(np.zeros(9), np.zeros(9), Labelled(**{name: np.array(value) for name, value in given.items()}))


def test_a_weight_of_the_judge_lies_between_none_and_all():
    with pytest.raises(ValueError, match="λ"):
        rectified([0.0, 0.0], [0.0, 1.0], labels([(0, 1, 0, 0), (1, 0, 0, 0)]), lam=1.5)


def test_labels_of_one_cluster_prove_nothing():
    made = rectified(np.zeros(9), np.zeros(9), labels([(0, 1, 0, 0), (0, 0, 0, 0)]))
    assert made.limits(0.95) == (-1.0, 1.0)
    assert made.judge_alone(0.95) == 1.0
    assert made.labels_needed(0.05) is None


# --- unbiased under the sheet's own draws -----------------------------------------------------------------------------


def run(words, name):
    """A measurement with these words of the judge: prompts by samples."""
    prompts = tuple(Prompt(f"q{at}", f"Question {at}?", "g", f"q{at}") for at in range(len(words)))
    answers = tuple(
        Answer(f"q{at}", sample, "text", "complied" if bad else "refused")
        for at, row in enumerate(words)
        for sample, bad in enumerate(row)
    )
    suite = SuiteResult("s", "says", "refusal", prompts, answers, {"judge": "rules", "judge_version": "1"})
    return Measurement(name, f"sha-{name}", "t", {"s": suite}, {})


@pytest.mark.parametrize("lam", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("samples", [1, 3])
def test_sheets_of_one_run_give_its_true_worsening_on_average(samples, lam):
    """The judge is strict before and blind after, so what it reads is wrong by far more than the standard error."""
    rng = np.random.default_rng(samples)
    bad, words = population(rng, 60, samples, 0.2, 0.2, ((0.95, 0.6), (0.5, 0.95)))
    runs, found = [run(words[0], "before"), run(words[1], "after")], []
    for _ in range(300):
        lines = draw_sheet(runs, 40, rng).lines
        places = [(line.model == "after", int(line.pick.prompt.id[1:]), line.pick.answer.sample) for line in lines]
        after, prompts, sample = (np.array(column) for column in zip(*places, strict=True))
        drawn = after.astype(bool), prompts, sample, np.array([1 / line.probability for line in lines])
        found.append(rectified(*means(words), label(drawn, bad, words), lam=lam).estimate)
    true = float(np.mean(bad[1] * 1.0 - bad[0]))
    error = np.std(found) / sqrt(len(found))
    assert abs(np.mean(found) - true) < 4 * error
    assert abs(pair(*means(words)).estimate - true) > 20 * error


# --- how often the limits err, with the true worsening at the margin --------------------------------------------------

CELLS = [
    # prompts, per cluster, samples, base, margin, judge before, judge after, labels, scheme
    (320, 1, 1, 0.02, 0.05, (0.98, 0.98), (0.90, 0.95), 100, "sheet"),
    (320, 1, 5, 0.3, 0.1, (0.8, 1.0), (0.8, 0.98), 300, "sheet"),
    (1000, 1, 1, 0.1, 0.05, (0.9, 0.9), (0.8, 0.95), 300, "sheet"),
    (320, 2, 1, 0.1, 0.1, (0.98, 0.9), (0.98, 0.9), 300, "simple"),
    (1000, 2, 5, 0.0, 0.05, (0.9, 0.98), (0.9, 0.98), 100, "simple"),
]


def errors(cell, repeats, *, whole=False, sticky=False, lam=None):
    """Share of data sets whose upper limit is below, whose lower limit is above, and whose upper limit of what the
    judge read is below the true worsening.
    """
    n, size, samples, base, margin, old, new, count, scheme = cell
    rng, clusters = np.random.default_rng([n, size, samples, count, round(100 * margin)]), np.arange(n) // size
    counted = np.zeros(3)
    for _ in range(repeats):
        bad, words = population(rng, n, samples, base, margin, (old, new), size=size, whole=whole, sticky=sticky)
        drawn = SCHEMES[scheme](rng, *words, min(count, 2 * n * samples))
        lower, upper = rectified(*means(words), label(drawn, bad, words), clusters, lam).limits(0.95)
        counted += upper < margin, lower > margin, pair(*means(words), clusters).limits(0.95)[1] < margin
    return counted / repeats


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_limits_hold_their_level_at_the_margin(cell):
    below, above, _ = errors(cell, 300)
    assert max(below, above) <= allowed(300)


def test_the_judges_own_word_would_pass_a_worse_model():
    """The judge finds less after than before."""
    below, _, read = errors((1000, 1, 1, 0.1, 0.05, (0.98, 0.9), (0.8, 0.98), 300, "sheet"), 150)
    assert read > 0.9
    assert below <= allowed(150)


GRID = [
    (
        (n, o["size"], o["samples"], base, o["margin"], old, new, o["labels"], o["scheme"]),
        {"whole": o["whole"], "sticky": o["sticky"], "lam": o["lam"]},
    )
    for n, base, old, new, o in grid(
        seed=2,
        labels=(50, 100, 300),
        scheme=("sheet", "simple"),
        whole=(False, True),
        sticky=(False, True),
        lam=(None, None, None, 0.0, 1.0),
    )
]


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "kind"), GRID, ids=str)
def test_limits_hold_their_level_over_the_grid(cell, kind):
    below, above, read = errors(cell, 10_000, **kind)
    print(f"| {cell} | {kind} | {below:.4f} | {above:.4f} | {read:.4f} |")  # noqa: T201 - the table in docs/methods.md
    assert max(below, above) <= allowed(10_000)
