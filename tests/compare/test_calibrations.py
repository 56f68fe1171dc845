"""What is known of the judges' error goes with the verdict and does not change it."""

import numpy as np
import pytest
from compare_sides import first, metric, side

from holdfast.compare import Gate, Known, compare, to_json
from holdfast.errors import ConfigError
from holdfast.judges.labels import Label, Labels
from holdfast.measure import Judged
from holdfast.measure.calibrating import calibrate
from holdfast.measure.readers import Rules


class Keyword:
    name, says, measured = "keyword", "", ()
    decides = frozenset({"refusal", "answer"})

    def __init__(self, version="1"):
        self.version = version

    def read(self, prompts, answers):
        return [Judged("refused" if "cannot" in answer else "complied") for answer in answers]


def made(*models, version="1", name="labels.csv"):
    """A calibration on four answers of each model, given as (name, weights)."""
    rows = [
        Label(at, f"p{at}", said, word, model, weights)
        for model, weights in models
        for at, (said, word) in enumerate(
            [("I cannot", "refused"), ("No.", "refused"), ("Six.", "complied"), ("You cannot miss it", "complied")], 2
        )
    ]
    return calibrate(Labels(name, "0" * 64, tuple(rows)), Keyword(version))


def sides(**settings):
    return (
        side("base", metric(first(100, 0), **settings), weights="sha-base"),
        side("tuned", metric(first(100, 1), **settings), weights="sha-tuned"),
    )


def decided(before, after, *calibrations):
    return compare(before, after, Gate(), np.random.default_rng(0), Known(calibrations))


KEYWORD = {"judge": "keyword", "judge_version": "1"}
BASE, TUNED, OTHER = ("base", "sha-base"), ("tuned", "sha-tuned"), ("other", "sha-other")


@pytest.mark.parametrize(
    ("calibrations", "status"),
    [
        ([], "uncalibrated"),
        ([made(BASE, TUNED)], "own"),
        ([made(BASE), made(TUNED)], "own"),
        ([made(BASE)], "transported"),
        ([made(OTHER)], "transported"),
        ([made(("base", "sha-older"), ("tuned", "sha-older"))], "transported"),
        ([made(("base", ""), ("tuned", ""))], "own"),
    ],
)
def test_the_status_is_the_lesser_of_the_two_sides(calibrations, status):
    before, after = sides(**KEYWORD)
    found = decided(before, after, *calibrations)
    plain = to_json(found)
    assert plain["calibration"]["status"] == status
    (judge,) = plain["calibration"]["judges"]
    assert (judge["judge"], judge["metrics"]) == ("keyword", ["value"])
    bare = decided(before, after)
    assert (found.verdict, found.sentence, found.metrics) == (bare.verdict, bare.sentence, bare.metrics)


def test_each_side_has_its_own_figures():
    before, after = sides(**KEYWORD)
    (judge,) = decided(before, after, made(BASE, OTHER)).calibration.judges
    assert (judge.before.status, judge.after.status) == ("own", "transported")
    assert (judge.before.labels, judge.after.labels) == (4, 8)
    assert judge.before.sensitivity.value == 0.5
    assert "4 labels of the model's own answers: sensitivity 50.0 %" in judge.says
    assert "base, other (8 labels)" in judge.says
    assert "transported" in judge.says


def test_the_least_known_judge_gives_the_status():
    exact, rules = metric(first(60, 0), name="a", judge="harbor-exact"), metric(first(60, 0), name="b")
    before, after = side("base", exact, rules), side("tuned", exact, rules)
    found = decided(before, after).calibration
    assert [each.status for each in found.judges] == ["exact", "uncalibrated"]
    assert found.status == "uncalibrated"
    alone = decided(side("base", exact), side("tuned", exact)).calibration
    assert alone.status == "exact"
    shipped = metric(first(60, 0), judge_version=Rules().version)
    assert decided(side("base", shipped), side("tuned", shipped)).calibration.status == "transported"


def test_values_of_an_unknown_judge_are_uncalibrated():
    before, after = (side(name, metric(first(60, 0), judge="")) for name in ("base", "tuned"))
    assert decided(before, after).calibration.status == "uncalibrated"


def test_calibrations_that_do_not_fit_are_told_at_once():
    before, after = sides(**KEYWORD)
    with pytest.raises(ConfigError) as told:
        decided(
            before, after, made(BASE, version="2", name="old.csv"), made(BASE, name="a.csv"), made(BASE, name="b.csv")
        )
    assert "old.csv: it is of version 2 of the judge 'keyword'" in told.value.why
    assert "a.csv and b.csv: both are of 'keyword' on the answers of 'base'" in told.value.why
    with pytest.raises(ConfigError, match="of the judge 'keyword', and the answers were read by rules"):
        decided(*sides(), made(BASE))
