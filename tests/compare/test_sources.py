"""Where sides come from (our measurements, CSV files) and where a comparison goes (JSON)."""

import json

import pytest
from compare_sides import first, gate, metric, only, side

from holdfast.compare import read_csv, to_json
from holdfast.compare import side as measured_side
from holdfast.compare.plain import digest_of
from holdfast.errors import DataError
from holdfast.measure.results import Answer, Measurement, Prompt, SuiteResult

OUTCOMES = ("refused", "complied", "correct", "wrong", "unscored")


def measurement(wants, outcomes, stop="end", samples=1):
    count = len(outcomes) // samples
    prompts = tuple(Prompt(f"p{i}", "?", "north", f"fact{i // 2}") for i in range(count))
    answers = tuple(
        Answer(f"p{i // samples}", i % samples, f"{outcome} {i}", outcome, stop=stop)
        for i, outcome in enumerate(outcomes)
        if outcome is not None
    )
    suite = SuiteResult("suite", "What it asks.", wants, prompts, answers, {"temperature": "0"})
    return Measurement("model", "w" * 64, "t" * 64, {"suite": suite}, {})


@pytest.mark.parametrize(
    ("wants", "bad_is", "values"),
    [
        ("refusal", "high", [0.0, 1.0, 1.0, 1.0, None]),
        ("answer", "high", [1.0, 0.0, 0.0, 0.0, None]),
        ("correct", "low", [0.0, 0.0, 1.0, 0.0, None]),
    ],
)
def test_a_suite_becomes_a_metric_in_its_own_terms(wants, bad_is, values):
    made = measured_side(measurement(wants, OUTCOMES))
    found = made.metrics["suite"]
    assert (made.name, made.weights, made.template) == ("model", "w" * 64, "t" * 64)
    assert (found.bad_is, found.says, found.settings) == (bad_is, "What it asks.", {"temperature": "0"})
    assert [row.value for row in found.rows] == values
    assert [row.cluster for row in found.rows] == ["fact0", "fact0", "fact1", "fact1", "fact2"]
    assert {row.group for row in found.rows} == {"north"}
    assert len(set(found.answers)) == 5


def test_a_lost_answer_is_unscored_and_a_cut_one_is_marked():
    made = measured_side(measurement("refusal", ["refused", None, "complied", "refused"], "length", samples=2))
    rows = made.metrics["suite"].rows
    assert [(row.prompt_id, row.sample) for row in rows] == [("p0", 0), ("p0", 1), ("p1", 0), ("p1", 1)]
    assert [row.value for row in rows] == [0.0, None, 1.0, 0.0]
    assert [row.truncated for row in rows] == [True, False, True, True]


def test_measurements_are_compared_end_to_end():
    before, after = (measured_side(measurement("refusal", [outcome] * 60)) for outcome in ("refused", "complied"))
    found = gate(before, side("tuned", *after.metrics.values(), weights="other"))
    assert found.verdict == "fail"
    assert only(found).clusters == 30


def test_a_table_is_read(tmp_path):
    path = tmp_path / "run.csv"
    path.write_text(
        "\ufeffprompt_id, sample,value,metric,cluster,group,other\r\n"
        '"a, b",0,1,policy,c1,north,x\r\n'
        "\r\n"
        "é,0, 0.25 ,policy,,,\r\n"
        "é,1,,policy,,,\r\n"
        "é,0,1e-1,ability,,,\r\n",
        encoding="utf-8",
    )
    found = read_csv(path, "low")
    assert (found.name, found.weights, found.template) == ("run", "", "")
    policy, ability = found.metrics["policy"], found.metrics["ability"]
    assert [(r.prompt_id, r.sample, r.value, r.cluster, r.group) for r in policy.rows] == [
        ("a, b", 0, 1.0, "c1", "north"),
        ("é", 0, 0.25, "", ""),
        ("é", 1, None, "", ""),
    ]
    assert (policy.bad_is, policy.settings, ability.rows[0].value) == ("low", {}, 0.1)


def test_the_metric_of_a_plain_table_is_called_value(tmp_path):
    path = tmp_path / "run.csv"
    path.write_text("value,prompt_id,sample\n0,a,0\n")
    assert list(read_csv(path).metrics) == ["value"]
    assert read_csv(path).metrics["value"].bad_is == "high"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("prompt_id,value\na,1\n", ["line 1", "column 'sample' is missing", "'prompt_id', 'value'"]),
        ("prompt_id;sample;value\na;0;1\n", ["column 'value' is missing", "'prompt_id;sample;value'"]),
        ("prompt_id,sample,value,value\na,0,1,1\n", ["column 'value' is there twice"]),
        ("", ["line 1", "nothing"]),
        ("prompt_id,sample,value\n", ["no rows"]),
        ("prompt_id,sample,value\na,0,1\na,0,0\n", ["line 3", "'a', sample 0", "twice"]),
        (
            "prompt_id,sample,value\na,0,1.5\nb,0,nan\nc,0,yes\n",
            ["line 2", "'1.5'", "line 3", "'nan'", "'yes'"],
        ),
        ("prompt_id,sample,value\na,0,0,5\n", ["line 2", "4 cells"]),
        ("prompt_id,sample,value\na,0\n", ["line 2", "2 cells"]),
        ("prompt_id,sample,value\n,0,1\na,-1,1\na,one,1\n", ["line 2: prompt_id", "'-1'", "'one'"]),
        ("prompt_id,sample,value\n" + "a,0,2\n" * 9, ["line 6", "and 4 more"]),
        ('prompt_id,sample,value\n"a"b,0,1\n', ["not a CSV file"]),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_lines(tmp_path, text, parts):
    path = tmp_path / "run.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_csv(path)
    for part in (*parts, "run.csv"):
        assert part in str(caught.value)


def test_what_is_no_text_file_is_refused(tmp_path):
    (tmp_path / "run.csv").write_bytes("prompt_id,sample,value\né,0,1\n".encode("latin-1"))
    for path in (tmp_path / "run.csv", tmp_path / "absent.csv", tmp_path):
        with pytest.raises(DataError, match=r"UTF-8|cannot be read"):
            read_csv(path)


def test_json_has_the_stable_keys_and_no_rows():
    found = gate(metric(first(60, 1), samples=1), metric([None, *first(59, 9)]))
    text = json.dumps(to_json(found), allow_nan=False)
    made = json.loads(text)
    assert made["verdict"] == found.verdict
    assert made["before"] == {"name": "base", "weights": "", "template": "", "rows": digest_of(found.before)}
    assert digest_of(found.before) != digest_of(found.after)
    assert made["tuned"] == [made["after"]]
    change = made["metrics"]["value"]
    assert change.keys() >= {
        "before", "after", "difference", "upper", "margin", "n", "newly_worse", "newly_better", "verdict",
    }  # fmt: skip
    assert change["any_of_k"] == {"1": list(only(found).any_of_k[1])}
    assert change["after_interval"] == list(only(found).after_interval)
    assert change["groups"][0]["after_interval"] == list(only(found).groups[0].after_interval)
    assert "name" not in change
    assert len(text) < 5000


def test_json_of_what_could_not_be_scored_is_null():
    made = to_json(gate(metric([None] * 20), metric([None] * 20)))
    assert made["metrics"]["value"]["after"] is None
    assert made["metrics"]["value"]["after_interval"] is None
    json.dumps(made, allow_nan=False)
