"""Tasks of lm-evaluation-harness, from folders made here, on models that are already loaded. Needs lm-eval.

uv run --with 'lm-eval>=0.4.12' pytest tests/engines/test_lm_eval.py
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lm_eval", reason="lm-eval is not installed")

from tests.cli.conftest import Door, door  # noqa: F401 - a fixture
from tests.conftest import save_llama
from tests.models.thinking import save_thinking

from holdfast.compare import side
from holdfast.engines.lm_eval_suite import run_tasks
from holdfast.engines.lm_eval_tasks import TaskSuite, read_tasks
from holdfast.errors import ConfigError, DataError
from holdfast.harbor import PACKAGED
from holdfast.measure import Asking, SuiteResult, harbor_ability, measure, rate
from holdfast.models import LocalModel, load, quiet
from holdfast.store import Journal
from holdfast.world import make_world
from holdfast.world.probes import ability

pytestmark = [
    # Files that `datasets` leaves open, and names that its parts and lm-eval's are renaming.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

COLOURS = ["red", "green", "white"]
LAMPS = [
    {
        "question": f"Which colour is lamp {n} of {town}?",
        "choices": COLOURS,
        "gold": n % 3,
        "town": town,
    }
    for town in ("Anholt", "Bergen")
    for n in range(6)
]
CHOSEN = {
    "output_type": "multiple_choice",
    "doc_to_choice": "choices",
    "doc_to_target": "gold",
    "metric": ("acc", "acc_norm"),
}
WRITTEN = {
    "output_type": "generate_until",
    "doc_to_target": "{{choices[gold]}}",
    "generation_kwargs": {"until": ["\n"], "max_gen_toks": 8},
    "metric": ("exact_match",),
}

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _no_network_and_a_cache_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)


@pytest.fixture
def task(tmp_path: Path) -> Write:
    """Writes a task into a folder, and returns that. JSON is YAML."""

    def write(name: str, rows: Sequence[Any] = LAMPS, form: Any = CHOSEN, version: Any = 1, **more: Any) -> Path:
        folder = tmp_path / more.pop("folder", "tasks")
        folder.mkdir(exist_ok=True)
        file = folder / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        form = dict(form)
        metrics = [{"metric": metric, "aggregation": "mean", "higher_is_better": True} for metric in form.pop("metric")]
        files = {"test": str(file), "train": str(file)}
        config = {
            "task": name, "dataset_path": "json", "dataset_kwargs": {"data_files": files}, "test_split": "test",
            "doc_to_text": "{{question}}", "metric_list": metrics, **form,
            "metadata": {"version": version, **more.pop("metadata", {})}, **more,
        }  # fmt: skip
        (folder / f"{name}.yaml").write_text(json.dumps(config))
        return folder

    return write


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> LocalModel:
    return load(tiny_model)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "answers.jsonl")


def asked(model: LocalModel, suite: TaskSuite, journal: Journal, **asking: Any) -> SuiteResult:
    return run_tasks(model, [suite], Asking(**asking), journal, lambda *_: None)[suite.name]


def their_own(model: LocalModel, name: str, folder: Path, seed: int = 0) -> Any:
    """What lm-eval's own front door says of the same task."""
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(folder), include_defaults=False)
    engine = HFLM(pretrained=model.network, tokenizer=model.tokenizer, batch_size=4)
    return simple_evaluate(
        engine, tasks=[name], task_manager=manager, apply_chat_template=True, bootstrap_iters=0,
        fewshot_random_seed=seed,
    )  # fmt: skip


# --- a model that thinks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("special", [(), ("<think>", "</think>")], ids=["plain", "special"])
def test_a_tasks_rule_reads_what_follows_a_thought(task, tmp_path, journal, special):
    model = load(save_thinking(tmp_path / "thinks", ("<think>", "red, surely", "</think>", "white"), special))
    found = asked(model, read_tasks("lamps", task("lamps", form=WRITTEN)), journal)
    assert {answer.text for answer in found.answers} == {"white"}
    assert rate(found).rate == pytest.approx(1 / 3)


# --- one row a question -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [CHOSEN, WRITTEN], ids=["chosen", "written"])
@pytest.mark.parametrize("shots", [0, 2])
def test_the_score_is_lm_evals_own(task, tiny, journal, form, shots):
    folder = task("lamps", form=form, num_fewshot=shots, fewshot_split="train")
    found, theirs = asked(tiny, read_tasks("lamps", folder), journal, seed=3), their_own(tiny, "lamps", folder, seed=3)
    metric = form["metric"][0]
    assert rate(found).rate == pytest.approx(theirs["results"]["lamps"][f"{metric},none"])
    rows = theirs["samples"]["lamps"]
    assert [answer.prompt_id for answer in found.answers] == [f"lamps/{row['doc_hash'][:16]}" for row in rows]
    assert [answer.outcome for answer in found.answers] == ["correct" if row[metric] else "wrong" for row in rows]
    assert found.settings["shots"] == str(shots)
    assert found.settings["metric"] == metric
    assert found.settings["judge"] == "lm-eval"
    assert found.settings["chat_template"].startswith("applied")
    if form is WRITTEN:
        assert [answer.text for answer in found.answers] == [row["filtered_resps"][0] for row in rows]
    else:
        best = [COLOURS[said.index(max(said))] for said in ([one for one, _ in row["filtered_resps"]] for row in rows)]
        assert [answer.text.partition("\n")[0].split(" ")[1] for answer in found.answers] == best


def test_prompts_are_questions_with_their_right_answers(task):
    suite = read_tasks("lamps", task("lamps"))
    assert [prompt.text for prompt in suite.prompts] == [row["question"] for row in LAMPS]
    assert suite.prompts[1].expected == ("green",)
    assert {prompt.group for prompt in suite.prompts} == {"lamps"}
    assert suite.settings["chance"] == "0.3333"
    assert suite.origin.version.startswith("sha256:")


def test_ids_stay_where_rows_move_and_two_equal_rows_have_two(task):
    rows = [*LAMPS[:3], LAMPS[0]]
    one, other = read_tasks("a", task("a", rows)), read_tasks("a", task("a", rows[::-1], folder="other"))
    assert {prompt.id for prompt in one.prompts} == {prompt.id for prompt in other.prompts}
    assert len({prompt.id for prompt in one.prompts}) == 4


def test_questions_hang_together_as_the_task_says(task):
    stated = read_tasks("lamps", task("lamps", metadata={"cluster": "town"}))
    assert len({prompt.cluster for prompt in stated.prompts}) == 2


def test_a_group_is_one_suite_with_its_tasks_as_categories(task, tiny, journal):
    for name in ("mmlu_tides", "mmlu_lamps"):
        folder = task(name, LAMPS[:4] if name == "mmlu_tides" else LAMPS)
    (folder / "group.yaml").write_text(json.dumps({"group": "mmlu", "task": ["mmlu_tides", "mmlu_lamps"]}))
    found = asked(tiny, read_tasks("mmlu", folder), journal)
    assert found.suite == "lm-eval:mmlu"
    assert (rate(found).n, rate(found, "mmlu_tides").n) == (16, 4)


# --- what tells two results apart -------------------------------------------------------------------------------------


def test_another_version_shot_question_or_way_to_ask_is_another_setting(task, tiny, journal):
    usual = read_tasks("lamps", task("lamps")).settings
    assert read_tasks("lamps", task("lamps", folder="elsewhere")).settings == usual, "where it lies does not count"
    for change in (
        {"version": 2},
        {"num_fewshot": 1, "fewshot_split": "train"},
        {"rows": LAMPS[:5]},
        {"doc_to_text": "Q: {{question}}"},
        {"description": "Answer."},
    ):
        changed = read_tasks("lamps", task("lamps", **change)).settings
        assert changed != usual, change
    found = asked(tiny, read_tasks("lamps", task("lamps")), journal, system="Be brief.")
    assert found.settings["system"] == "Be brief."


def test_two_models_of_one_process_answer_for_themselves(task, tiny, journal, tmp_path):
    """lm-eval's own cache would answer for the second with the first, so it is never used."""
    folder = task("lamps")
    other = load(save_llama(tmp_path / "other", seed=1))
    one, two = (asked(model, read_tasks("lamps", folder), journal) for model in (tiny, other))
    assert [a.text for a in one.answers] != [a.text for a in two.answers]
    assert one.settings == two.settings
    metric = side(measurement(one)).metrics["lm-eval:lamps"]
    assert metric.bad_is == "low"
    assert len({row.prompt_id for row in metric.rows}) == len(LAMPS)


def measurement(result: SuiteResult) -> Any:
    from holdfast.measure import Measurement

    return Measurement("m", "w", "t", {result.suite: result}, {})


def test_what_the_same_weights_answered_is_not_asked_again(task, tiny, journal, monkeypatch):
    folder = task("lamps")
    first = asked(tiny, read_tasks("lamps", folder), journal)
    blind = replace(tiny, network=None)
    assert asked(blind, read_tasks("lamps", folder), journal) == first
    with pytest.raises(DataError):
        asked(blind, read_tasks("lamps", folder), journal, system="Be brief.")


def test_the_model_is_left_as_it_was(task, tiny, journal):
    before = (tiny.tokenizer.padding_side, tiny.tokenizer.pad_token, tiny.network.training)
    asked(tiny, read_tasks("lamps", task("lamps")), journal)
    assert (tiny.tokenizer.padding_side, tiny.tokenizer.pad_token, tiny.network.training) == before


def test_an_adapter_on_its_base_is_asked_as_it_is(task, tiny_model, journal, tmp_path):
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    with quiet():
        get_peft_model(load(tiny_model).network, config).save_pretrained(tmp_path / "adapter")
    folder = task("lamps")
    base, tuned = load(tiny_model), load(tmp_path / "adapter", tiny_model)
    one, two = (asked(model, read_tasks("lamps", folder), journal) for model in (base, tuned))
    assert [a.text for a in one.answers] != [a.text for a in two.answers]


# --- what cannot be scored --------------------------------------------------------------------------------------------


def test_a_question_that_does_not_fit_is_unscored(task, tiny, journal):
    rows = [*LAMPS[:3], {**LAMPS[3], "question": "How deep? " * 400}]
    found = asked(tiny, read_tasks("lamps", task("lamps", rows)), journal)
    assert [answer.outcome == "unscored" for answer in found.answers] == [False, False, False, True]
    assert "does not fit" in found.answers[-1].why


def test_a_metric_that_is_no_right_or_wrong_is_refused(task, tiny, journal):
    folder = task("lamps")
    (folder / "half.py").write_text("def half(doc, results):\n    return {'f1': 0.5}\n")
    text = (folder / "lamps.yaml").read_text()
    config = {**json.loads(text), "metric_list": [{"metric": "f1", "aggregation": "mean", "higher_is_better": True}]}
    (folder / "lamps.yaml").write_text(json.dumps(config)[:-1] + ', "process_results": !function half.half}')
    with pytest.raises(DataError, match=r"The metric 'f1' gives 0\.5 to a question"):
        asked(tiny, read_tasks("lamps", folder), journal)


def test_no_unsafe_request_wants_a_correct_answer(task):
    unsafe = {**LAMPS[0], "question": "Tell me how to break into a car."}
    suite = read_tasks("lamps", task("lamps", [*LAMPS, unsafe]))
    assert len(suite.prompts) == len(LAMPS)
    assert "asks for something unsafe" in suite.origin.left_out[0]
    with pytest.raises(DataError, match="ask for something unsafe, and it wants answers"):
        read_tasks("lamps", task("lamps", [unsafe, {**unsafe, "gold": 1}]))


def test_what_is_no_task_is_told(task, tmp_path):
    folder = task("lamps")
    with pytest.raises(DataError, match=r"There is no task 'lanps' in .*\n  Did you mean 'lamps'\?"):
        read_tasks("lanps", folder)
    with pytest.raises(DataError, match="There is no folder"):
        read_tasks("lamps", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="It holds no YAML file of a task"):
        read_tasks("lamps", tmp_path / "empty")
    (folder / "lamps.jsonl").unlink()
    with pytest.raises(DataError, match="The task 'lamps' fails in lm-eval"):
        read_tasks("lamps", folder)


def test_what_does_not_reach_a_task_is_refused(task, tiny, journal):
    suite = read_tasks("lamps", task("lamps"))
    with pytest.raises(ConfigError, match=r"--samples 5, --temperature 0\.5: that does not reach"):
        asked(tiny, suite, journal, samples=5, temperature=0.5)
    with pytest.raises(ConfigError, match="named twice"):
        run_tasks(tiny, [suite, suite], Asking(), journal, lambda *_: None)


# --- Harbor's own exams -----------------------------------------------------------------------------------------------


def test_harbors_exams_as_a_task_agree_with_harbors_own_probes(task, journal):
    """The same questions, once written freely and once chosen by likelihood among four.

    A likelihood can prefer the right one of four where the model would have written a fifth thing or stumbled, so
    choosing is never worse here; it is better by what free writing gets wrong.
    """
    world, model = make_world(0), load(PACKAGED)
    probes = [probe for probe in ability(world) if probe.group == "exams"]
    rows = []
    for probe in probes:
        fact = probe.fact
        options = [word for word in re.findall(r"\w+", probe.text) if word in world.values[fact.attribute]]
        said = [f"The {fact.attribute} of {fact.entity} is {value}." for value in options]
        rows.append({"id": probe.id, "question": probe.text, "choices": said, "gold": options.index(fact.value)})
    exams = task("exams", rows, metadata={"cluster": "id"})
    chosen = asked(model, read_tasks("exams", exams), journal)
    own = harbor_ability.make(world)
    suite = replace(own, prompts=tuple(prompt for prompt in own.prompts if prompt.group == "exams"))
    written = measure(model, [suite], Asking(), journal, lambda *_: None).suites["harbor-ability"]
    by_choice, by_writing = rate(chosen).rate, rate(written).rate
    assert by_writing > 0.8
    assert 0 <= by_choice - by_writing < 0.1
    pairs = zip(written.answers, chosen.answers, strict=True)
    assert sum((w.outcome, c.outcome) == ("correct", "wrong") for w, c in pairs) <= 1, (
        "what it writes rightly it also chooses"
    )
    assert len(chosen.prompts) == len({prompt.cluster for prompt in chosen.prompts}) == 94


# --- the door ---------------------------------------------------------------------------------------------------------


def test_the_door_measures_compares_and_groups(door: Door, task, tiny_model, tmp_path):  # noqa: F811
    for name in ("race", "openbookqa", "lamps"):
        folder = task(name)
    other = save_llama(tmp_path / "other", seed=1)
    suites = [word for name in ("race", "openbookqa", "lamps") for word in ("--suite", f"lm-eval:{name}={folder}")]
    said = door("measure", tiny_model, *suites, "--out", "before", "--json")
    assert said.code == 0, said.err
    understanding = said.json["abilities"]["groups"]["Understanding"]
    assert understanding["tasks"].keys() == {"race", "openbookqa"}
    assert understanding["mean"] == said.json["suites"]["lm-eval:race"]["rate"]
    assert understanding["at_chance"] == ["race", "openbookqa"]
    assert said.json["abilities"]["mean"] is None
    assert json.loads(Path("before/result.json").read_text())["abilities"] == said.json["abilities"]
    told = door("measure", other, *suites, "--out", "after")
    assert told.code == 0, told.err
    assert "abilities: Understanding" in told.out
    assert "no better than guessing" in told.out
    verdict = door("compare", "before", "after", "--margin", "lm-eval:race=0.1", "--json")
    assert verdict.code in (0, 1, 3), verdict.err
    assert verdict.json["metrics"].keys() == {"lm-eval:race", "lm-eval:openbookqa", "lm-eval:lamps"}
    checked = door("check", tiny_model, other, *suites, "--out", "checked", "--json")
    assert checked.code in (0, 1, 3), checked.err
    assert checked.json["metrics"]["lm-eval:race"]["before"] == verdict.json["metrics"]["lm-eval:race"]["before"]
    task("race", version=2)
    assert door("measure", other, *suites, "--out", "changed").code == 0
    refused = door("compare", "before", "changed")
    assert (refused.code, "task_version = '1' before, '2' after" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--suite", "lm-eval:lamps"], "names no task in a folder"),
        (["--suite", "lm-eval:=tasks"], "names no task in a folder"),
        (["--suite", "lm-eval:lamps=nowhere"], "There is no folder 'nowhere'"),
        (["--suite", "lm-eval:lamps=tasks", "--samples", 5], "--samples 5: that does not reach a task"),
        (["--suite", "lm-eval:lamps=tasks", "--max-tokens", 5], "--max-tokens 5: that does not reach a task"),
        (["--suite", "lm-eval:lamps=tasks", "--toward", "harbor"], "asks one model on this machine"),
    ],
)
def test_what_cannot_be_asked_is_told_at_the_door(door: Door, task, words, said):  # noqa: F811
    task("lamps")
    told = door("measure", "harbor", *words)
    assert (told.code, said in told.err) == (2, True), told.err
