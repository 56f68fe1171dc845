"""What `lm_eval --log_samples` wrote as a side, without lm-eval: a real folder, and files that are made by hand."""

import json
import shutil
import sys

import pytest
from compare_sides import gate
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from inspect_scene import LOGS

from holdfast.compare.chosen import Chosen
from holdfast.compare.lm_eval_samples import holds_samples, read_lm_eval
from holdfast.errors import ConfigError, DataError, HoldfastError

DATE = "2026-11-21T21-45-38.886832"
few = hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(LOGS / "lm", tmp_path / "lm")


def results_of(folder):
    (path,) = folder.rglob("results_*.json")
    return path, json.loads(path.read_text())


def row(id, value=1.0, name="none", **more):
    made = {"doc_id": id, "doc": {"q": f"Where is lamp {id}?"}, "resps": [["Norway"]], "filter": name}
    return {**made, "metrics": ["acc"], "acc": value, "doc_hash": f"d{id}", "prompt_hash": f"p{id}", **more}


def write(path, *rows):
    path.write_text("".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in rows))
    return path


# --- a real folder ----------------------------------------------------------------------------------------------------


def test_a_folder_that_lm_eval_wrote_is_read_without_it():
    assert holds_samples(LOGS / "lm")
    found = read_lm_eval(LOGS / "lm", Chosen())
    assert "lm_eval" not in sys.modules
    assert (found.name, found.weights, found.template) == ("i82qcls7", "", "")
    assert list(found.metrics) == [
        "lamps_gen/exact_match,strict", "lamps_gen/exact_match,loose", "lamps_mc/acc", "lamps_mc/acc_norm",
    ]  # fmt: skip
    metric = found.metrics["lamps_mc/acc"]
    _, told = results_of(LOGS / "lm")
    rows = [item.value for item in metric.rows]
    assert sum(rows) / len(rows) == told["results"]["lamps_mc"]["acc,none"], "the mean is lm-eval's own"
    assert [item.cluster for item in metric.rows] == ["0", "1", "2", "3", "4", "5", "2"], "Bergen and Bergenn"
    assert metric.bad_is == "low"
    assert metric.says.endswith("; low values are bad, as its results say.")
    assert metric.settings == {
        "judge": "lm-eval", "task": "lamps_mc", "samples": "1", "engine": "lm-eval 0.4.13", "task_version": "1.0",
        "shots": "0", "system": "", "chat_template": "", "fewshot_as_multiturn": "False", "model_type": "dummy",
        "generating": "{}", "prompts": metric.settings["prompts"], "metric": "acc", "filter": "none",
    }  # fmt: skip
    assert len(set(metric.answers)) == 7, "the likelihoods tell answers apart"
    assert found.metrics["lamps_gen/exact_match,strict"].settings["shots"] == "2"


def test_a_file_alone_says_less_than_one_beside_its_results(folder, tmp_path):
    file = next(folder.rglob("samples_lamps_mc_*.jsonl"))
    beside = read_lm_eval(file, Chosen())
    assert list(beside.metrics) == ["lamps_mc/acc", "lamps_mc/acc_norm"]
    alone = shutil.copy(file, tmp_path / "mine.jsonl")
    with pytest.raises(ConfigError, match="does not say which values are bad: mine/acc, mine/acc_norm"):
        read_lm_eval(alone, Chosen())
    assert read_lm_eval(alone, Chosen("low")).metrics["mine/acc"].rows == beside.metrics["lamps_mc/acc"].rows


def test_the_chat_template_is_that_of_the_results(folder):
    path, told = results_of(folder)
    path.write_text(json.dumps({**told, "chat_template_sha": "c" * 64, "model_name": "base"}))
    found = read_lm_eval(folder, Chosen())
    assert (found.name, found.template) == ("base", "c" * 64)
    other = {**told, "chat_template_sha": "d" * 64, "model_name": "tuned"}
    path.write_text(json.dumps(other))
    with pytest.raises(ConfigError, match="chat template: cccccccccccc before, dddddddddddd after"):
        gate(found, read_lm_eval(folder, Chosen()))


# --- which end is bad -------------------------------------------------------------------------------------------------


def test_the_results_say_what_is_bad_and_only_a_name_overrules_them(folder):
    path, told = results_of(folder)
    told["higher_is_better"]["lamps_mc"]["acc_norm"] = False
    path.write_text(json.dumps(told))
    found = read_lm_eval(folder, Chosen()).metrics
    assert (found["lamps_mc/acc"].bad_is, found["lamps_mc/acc_norm"].bad_is) == ("low", "high")
    with pytest.raises(
        ConfigError, match="lamps_mc/acc_norm: high values are bad by its own results, and --bad-is says"
    ):
        read_lm_eval(folder, Chosen("low"))
    named = read_lm_eval(folder, Chosen("low", {"lamps_mc/acc_norm": "low"})).metrics["lamps_mc/acc_norm"]
    assert named.bad_is == "low"
    assert named.says.endswith("as --bad-is says.")


# --- what must be equal -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lm_eval_version": "0.5"}, "engine = 'lm-eval 0.4.13' before, 'lm-eval 0.5' after"),
        ({"versions": {"lamps_mc": 2}}, "task_version = '1.0' before, '2' after"),
        ({"n-shot": {"lamps_mc": 5}}, "shots = '0' before, '5' after"),
        ({"system_instruction_sha": "s"}, "system = '' before, 's' after"),
        ({"config": {"model": "vllm"}}, "model_type = 'dummy' before, 'vllm' after"),
        (
            {"config": {"model": "dummy", "model_args": "pretrained=x,dtype=float16"}},
            "model argument dtype = (not stated)",
        ),
        ({"config": {"model": "dummy", "gen_kwargs": {"temperature": 1}}}, "generating = '{}' before"),
    ],
)
def test_a_difference_in_how_they_were_measured_names_both_sides(folder, change, says):
    only = Chosen(only=("lamps_mc/acc",))
    before = read_lm_eval(folder, only)
    path, told = results_of(folder)
    path.write_text(json.dumps({**told, **change}))
    with pytest.raises(ConfigError) as caught:
        gate(before, read_lm_eval(folder, only))
    assert says in str(caught.value)


def test_which_model_answered_and_where_is_no_difference(folder):
    before = read_lm_eval(folder, Chosen())
    path, told = results_of(folder)
    told["config"]["model_args"] = {"pretrained": "tuned", "peft": "adapter", "device": "cuda:1"}
    path.write_text(json.dumps({**told, "model_name": "tuned"}))
    assert gate(before, read_lm_eval(folder, Chosen())).metrics.keys() == before.metrics.keys()


@pytest.mark.parametrize("name", ["doc_hash", "prompt_hash", "target_hash"])
def test_other_questions_or_another_way_to_put_them_are_a_difference(tmp_path, name):
    sides = [
        read_lm_eval(write(tmp_path / "a.jsonl", row(1), row(2, **changed)), Chosen("low"))
        for changed in ({}, {name: "x"})
    ]
    with pytest.raises(ConfigError, match="prompts = "):
        gate(*sides)


# --- rows -------------------------------------------------------------------------------------------------------------


def test_what_has_no_number_is_unscored_and_older_files_do_not_list_their_metrics(tmp_path):
    rows = [row(1, float("nan")), row(2, None), row(3, True), row(4, 0.5)]
    for each in rows:
        del each["metrics"], each["filter"]
    del rows[3]["acc"]
    (metric,) = read_lm_eval(write(tmp_path / "a.jsonl", *rows), Chosen("low")).metrics.values()
    assert [item.value for item in metric.rows] == [None, None, 1.0, None]


def test_a_metric_that_is_no_share_is_told_and_can_be_left_out(tmp_path):
    path = write(
        tmp_path / "a.jsonl", *(row(n, metrics=["acc", "word_perplexity"], word_perplexity=[-3.5, 9]) for n in "12")
    )
    with pytest.raises(DataError, match=r"a/word_perplexity, prompt '1', sample 0: value is '\[-3.5, 9\]'"):
        read_lm_eval(path, Chosen("low"))
    assert list(read_lm_eval(path, Chosen("low", only=("a/acc",))).metrics) == ["a/acc"]


def test_examples_that_are_shown_first_and_a_shared_subject_make_nothing_alike(tmp_path):
    questions = ("Who keeps the lamp?", "Where do the nets dry?", "When does the tide turn?")
    shown = "Here are five questions and their answers. " * 20
    rows = [
        row(n, doc={"q": text, "subject": "harbours and lamps " * 9}, arguments={"gen_args_0": {"arg_0": shown + text}})
        for n, text in enumerate(questions)
    ]
    (metric,) = read_lm_eval(write(tmp_path / "a.jsonl", *rows), Chosen("low")).metrics.values()
    assert len({item.cluster for item in metric.rows}) == 3


# --- files that are not what they seem --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "It is empty."),
        (["{"], "line 1: "),
        (["[1]"], "line 1: it is no object with a doc_id"),
        ([{"prompt": "Who?"}], "line 1: it is no object with a doc_id"),
        ([row(1), row(2), row(1)], "line 3: doc_id 1 with the filter 'none' is there twice"),
        ([row(1), json.dumps(row(2))[:60]], "line 2: "),
        (["[" * 100_000], "line 1: "),
        (["9" * 5000], "line 1: "),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_error(tmp_path, lines, says):
    with pytest.raises(DataError, match="does not hold samples of lm-eval's") as caught:
        read_lm_eval(write(tmp_path / "a.jsonl", *lines), Chosen("low"))
    assert says in str(caught.value)


def test_a_file_with_fewer_documents_than_its_results_say_is_refused(folder):
    file = next(folder.rglob("samples_lamps_mc_*.jsonl"))
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-2]))
    with pytest.raises(DataError, match="of 7 documents 2 are not there"):
        read_lm_eval(folder, Chosen())


def test_results_that_are_torn_are_told(folder):
    path, _ = results_of(folder)
    path.write_text(path.read_text()[:100])
    with pytest.raises(DataError, match=r"results_.*cannot be read"):
        read_lm_eval(folder, Chosen())


def test_a_folder_of_several_models_or_runs_is_not_guessed_at(folder, tmp_path):
    shutil.copytree(folder / "i82qcls7", folder / "other")
    with pytest.raises(DataError, match="holds samples of 2 models"):
        read_lm_eval(folder, Chosen())
    one = folder / "other"
    shutil.copy(one / f"samples_lamps_mc_{DATE}.jsonl", one / "samples_lamps_mc_2027-01-01T00-00-00.0.jsonl")
    with pytest.raises(DataError, match="holds several runs of lamps_mc"):
        read_lm_eval(one, Chosen())


def test_names_that_are_paths_are_names(tmp_path):
    made = row("../../etc/passwd", metrics=["../acc"], **{"../acc": 1})
    found = read_lm_eval(write(tmp_path / "a.jsonl", made), Chosen("low"))
    assert found.metrics["a/../acc"].rows[0].prompt_id == "../../etc/passwd"
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


@few
@given(
    st.sampled_from(sorted(row(1))), anything, st.sampled_from(["higher_is_better", "configs", "config", "n-samples"])
)
def test_whatever_stands_in_a_sample_or_in_the_results_there_is_one_error_or_none(tmp_path, key, value, told):
    write(tmp_path / f"samples_a_{DATE}.jsonl", {**row(1), key: value}, row(2))
    results = {told: {"a": value}} if isinstance(value, dict) else {told: value}
    (tmp_path / f"results_{DATE}.json").write_text(json.dumps(results))
    try:
        found = read_lm_eval(tmp_path, Chosen("low"))
    except HoldfastError:
        return
    assert all(row.value is None or 0 <= row.value <= 1 for each in found.metrics.values() for row in each.rows)
