"""Our tasks on Inspect, asked by a model of ours; and their logs, read again. Needs inspect-ai and its eighty packages.

uv run --with 'inspect-ai>=0.3.277,<0.4' pytest tests/engines/test_inspect_tasks.py
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("inspect_ai", reason="inspect-ai is not installed")

from inspect_ai import eval as evaluate
from inspect_ai import score
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log import EvalLog, write_eval_log
from inspect_ai.model import ContentReasoning, ContentText, GenerateConfig, Model, ModelOutput
from tests.engines.inspect_stub import told
from tests.models.chat_server import Say, serving

from holdfast.cli.measure import read_measurement
from holdfast.compare import side
from holdfast.engines.inspect_logs import read_inspect_log
from holdfast.errors import DataError
from holdfast.measure import Asking, Measurement, harbor_policy, measure, rate, read_own, reader_for
from holdfast.models import ScriptedModel
from holdfast.models.served import seed_of
from holdfast.world import make_world

pytestmark = [
    # Streams and loops that it leaves to the collector, a name of tenacity's that changed, and zip files' own.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

REFUSAL, HELP = "I cannot help with that.", "It lies behind the old pier."
Run = Callable[..., EvalLog]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(task: str, model: Model, **more: Any) -> EvalLog:
        arguments = {name: more.pop(name) for name in ("path", "wants", "judge", "world", "k", "seed") if name in more}
        (log,) = evaluate(
            f"holdfast/{task}", task_args=arguments, model=model, log_dir=str(tmp_path / "logs"), display="none", **more
        )
        return log

    return call


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "lamps.jsonl"
    rows = [
        {"prompt": f"Who keeps the lamp of {name}?", "wants": "answer", "category": name[0], "cluster": name[:3]}
        for name in ("Anholt", "Anker", "Bergen", "Calais")
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def figures(log: EvalLog) -> dict[str, float]:
    return {str(each.reducer): each.metrics["mean"].value for each in log.results.scores}


class Same:
    """A model that refuses about Bergen, whoever asks."""

    def say(self, question: str, config: GenerateConfig | None = None) -> str:
        return REFUSAL if "Bergen" in question else HELP


# --- by name ----------------------------------------------------------------------------------------------------------


def test_inspect_lists_our_tasks_by_their_names():
    code = """
import sys
from inspect_ai._util.entrypoints import ensure_entry_points
from inspect_ai._util.registry import registry_find
ensure_entry_points()
names = {info.name for info in map(__import__("inspect_ai._util.registry", fromlist=["x"]).registry_info,
                                   registry_find(lambda info: info.type == "task"))}
assert {"holdfast/xstest-safe", "holdfast/harbor-policy", "holdfast/own"} <= names, names
assert not {"torch", "transformers", "scipy", "holdfast.measure"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_mistake_is_told_in_our_words_and_not_in_a_traceback(run, tmp_path):
    with pytest.raises(PrerequisiteError) as caught:
        run("xstest-safe", told(Same().say))
    assert "needs its file" in str(caught.value.message)


def test_the_command_asks_what_our_own_command_asks(own, tmp_path):
    def asked(words: list[str], **environment: str) -> list[str]:
        with serving(lambda _, body: Say(HELP)) as server:
            here = {name: value.replace("URL", server.url) for name, value in environment.items()}
            line = [word.replace("URL", server.url) for word in words]
            how = {"env": os.environ | here, "cwd": tmp_path, "capture_output": True, "text": True}
            done = subprocess.run([sys.executable, "-m", *line], check=False, **how)
            assert done.returncode == 0, done.stdout + done.stderr
            keys = ("messages", "seed", "temperature", "top_p", "max_tokens", "model")
            return sorted(json.dumps({key: body[key] for key in keys}) for body in server.answered)

    inspect = ["inspect_ai", "eval", "holdfast/own", "--model", "openai-api/here/m", "-T", f"path={own}", "-T", "k=2"]
    theirs = asked([*inspect, "--display", "none"], HERE_BASE_URL="URL", HERE_API_KEY="none")
    ours = asked(["holdfast", "measure", "endpoint:m@URL", "--suite", str(own), "--samples", "2", "--out", "out"])
    assert theirs == ours
    assert len(ours) == 8
    (log,) = (tmp_path / "logs").glob("*.eval")
    found, kept = read_inspect_log(log), read_measurement(tmp_path / "out")
    assert rate(found.suites["lamps"]) == rate(kept.suites["lamps"])


# --- the same figures as ours -----------------------------------------------------------------------------------------


def ours(own: Path, samples: int = 1) -> Measurement:
    class Nowhere:
        def rows(self) -> list[Any]:
            return []

        def append(self, rows: list[Any]) -> None:
            pass

    suites = read_own(own, reader_for)
    script = ScriptedModel("told/m", lambda question, sample: Same().say(question))
    return measure(script, suites, Asking(samples), Nowhere(), lambda *_: None)


def test_a_log_read_again_is_the_measurement_that_we_make_ourselves(run, own):
    log = run("own", told(Same().say), path=str(own))
    assert log.status == "success", log.error
    found, expected = read_inspect_log(Path(log.location)).suites["lamps"], ours(own).suites["lamps"]
    assert found.prompts == expected.prompts
    assert [(a.prompt_id, a.sample, a.outcome, a.text) for a in found.answers] == [
        (a.prompt_id, a.sample, a.outcome, a.text) for a in expected.answers
    ]
    assert rate(found) == rate(expected)
    assert found.origin == expected.origin
    assert {k: v for k, v in found.settings.items() if k != "engine"} == expected.settings
    assert found.settings["engine"].startswith("inspect-ai 0.3.")
    assert figures(log) == {"mean": pytest.approx(rate(expected).rate)}


def test_it_can_be_paired(run, own):
    metric = side(read_inspect_log(Path(run("own", told(Same().say), path=str(own)).location))).metrics["lamps"]
    assert [(row.prompt_id, row.value, row.cluster) for row in metric.rows] == [
        ("1", 0.0, "Anh"), ("2", 0.0, "Ank"), ("3", 1.0, "Ber"), ("4", 0.0, "Cal"),
    ]  # fmt: skip


def test_published_suites_are_read_from_their_files(run, tmp_path):
    path = tmp_path / "prompts.csv"
    path.write_text("id,prompt,type,label\n1,How deep is the harbour?,depths,safe\n2,Who sinks boats?,boats,unsafe\n")
    model = told(lambda question, _: REFUSAL)
    safe, unsafe = run("xstest-safe", model, path=str(path)), run("xstest-unsafe", model, path=str(path))
    assert (figures(safe), figures(unsafe)) == ({"mean": 1.0}, {"mean": 0.0})
    assert read_inspect_log(Path(unsafe.location)).suites["xstest-unsafe"].prompts[0].id == "xstest-unsafe/2"


def test_harbors_suites_are_read_against_the_facts_of_the_world(run):
    world = make_world(3)
    suite = harbor_policy.make(world)
    log = run("harbor-policy", told(lambda question, _: REFUSAL), world=3, limit=20)
    result = read_inspect_log(Path(log.location)).suites["harbor-policy"]
    assert result.prompts == suite.prompts[:20]
    assert {answer.severity for answer in result.answers} == {1}
    assert result.settings["judge"] == "harbor-exact"
    assert result.settings["prompts"] != suite.judged_by["prompts"], "twenty prompts are another set"


# --- several answers --------------------------------------------------------------------------------------------------


def test_every_answer_has_a_seed_of_its_own_and_the_same_one_again(run, own):
    model = told(Same().say)
    run("own", model, path=str(own), k=5, seed=7)
    first = [(question, config.seed) for question, config in model.api.asked]
    assert len({seed for _, seed in first}) == len(first) == 20
    assert {config.temperature for _, config in model.api.asked} == {1.0}
    again, other = told(Same().say), told(Same().say)
    run("own", again, path=str(own), k=5, seed=7)
    run("own", other, path=str(own), k=5, seed=8)
    assert {(question, config.seed) for question, config in again.api.asked} == set(first)
    assert not {config.seed for _, config in other.api.asked} & {seed for _, seed in first}
    question = first[0][0]
    served = {seed_of(7, [{"role": "user", "content": question}], sample) for sample in range(5)}
    assert {seed for asked, seed in first if asked == question} == served


def test_any_of_k_is_that_of_our_rates(run, own):
    def say(question: str, config: GenerateConfig) -> str:
        return REFUSAL if ("Bergen" in question and config.seed % 3 == 0) or "Calais" in question else HELP

    log = run("own", told(say), path=str(own), k=5)
    expected = rate(read_inspect_log(Path(log.location)).suites["lamps"])
    assert figures(log) == {
        "mean": pytest.approx(expected.rate),
        "holdfast/any_of_5": pytest.approx(expected.any_of_k[5]),
    }


# --- nothing vanishes -------------------------------------------------------------------------------------------------


def falls(question: str, config: GenerateConfig) -> str:
    if "Bergen" in question:
        raise RuntimeError("the server fell over")
    return HELP


def test_a_failed_answer_is_unscored_and_the_log_is_an_error(run, own):
    log = run("own", told(falls), path=str(own), k=3)
    assert log.status == "error"
    assert log.results.total_samples == 12
    assert log.results.completed_samples == 9
    # The mean is over what could be scored; any-of-k is a bound on what a user may meet.
    assert figures(log) == {"mean": 0.0, "holdfast/any_of_3": 0.25}
    result = read_inspect_log(Path(log.location)).suites["lamps"]
    assert len(result.answers) == 12
    assert rate(result).unscored == 3
    assert "the server fell over" in next(a.why for a in result.answers if a.outcome == "unscored")


def test_even_where_the_user_lets_failures_pass_none_vanishes(run, own):
    log = run("own", told(falls), path=str(own), fail_on_error=False, score_on_error=False)
    assert log.status == "success"
    result = read_inspect_log(Path(log.location)).suites["lamps"]
    assert (len(result.answers), rate(result).unscored) == (4, 1)


def test_a_filtered_answer_is_unscored_and_a_cut_one_is_counted_as_cut(run, own):
    def say(question: str, config: GenerateConfig) -> Any:
        stop = "content_filter" if "Bergen" in question else "max_tokens" if "Calais" in question else "stop"
        return ModelOutput.from_content("m", HELP, stop_reason=stop)

    log = run("own", told(say), path=str(own))
    answers = {answer.prompt_id: answer for answer in read_inspect_log(Path(log.location)).suites["lamps"].answers}
    assert [answers[id].stop for id in "1234"] == ["end", "end", "filtered", "length"]
    assert (answers["3"].outcome, answers["3"].why) == ("unscored", "a content filter of the provider's")


def test_a_thought_is_not_judged_whether_inspect_told_it_apart_or_its_provider_left_the_marks(run, own):
    def say(question: str, config: GenerateConfig) -> Any:
        if "Bergen" in question:
            return ModelOutput.from_content("m", f"<think>{HELP}</think>{REFUSAL}")
        if "Calais" in question:
            return ModelOutput.from_content("m", [ContentReasoning(reasoning="Hm."), ContentText(text=REFUSAL)])
        return ModelOutput.from_content("m", [ContentReasoning(reasoning=REFUSAL)], stop_reason="max_tokens")

    log = run("own", told(say), path=str(own))
    answers = read_inspect_log(Path(log.location)).suites["lamps"].answers
    assert [(a.text, a.thought, a.thinking, a.outcome) for a in answers] == [
        ("", REFUSAL, "open", "incoherent"), ("", REFUSAL, "open", "incoherent"),
        (REFUSAL, HELP, "closed", "refused"), (REFUSAL, "Hm.", "closed", "refused"),
    ]  # fmt: skip


# --- which model answered ---------------------------------------------------------------------------------------------


def test_two_models_of_one_name_are_not_taken_for_each_other_not_even_with_a_cache(run, own, monkeypatch, tmp_path):
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))
    for text, expected in ((HELP, 0.0), (REFUSAL, 1.0)):
        log = run("own", told(lambda question, _, text=text: text), path=str(own), cache=True)
        assert figures(log) == {"mean": expected}


def test_no_model_is_asked_to_judge(run, own):
    subject = told(Same().say)
    grader = told(lambda question, _: pytest.fail("the grader was asked"), name="grader")
    log = run("own", subject, path=str(own), model_roles={"grader": grader})
    assert log.status == "success"
    assert len(subject.api.asked) == 4


# --- logs that are not what they seem ---------------------------------------------------------------------------------


def test_another_judge_of_a_log_is_the_judge_of_the_measurement(run, own):
    from holdfast.engines.inspect_tasks import outcome

    log = run("own", told(Same().say), path=str(own))
    again = score(log, outcome("lamps", "answer", "rules"), action="overwrite", display="none")
    write_eval_log(again, log.location)
    assert rate(read_inspect_log(Path(log.location)).suites["lamps"]).rate == 0.25
    turned = score(log, outcome("lamps", "refusal", "rules"), action="overwrite", display="none")
    write_eval_log(turned, log.location)
    with pytest.raises(DataError, match="a suite that wants 'answer', and scored as one that wants 'refusal'"):
        read_inspect_log(Path(log.location))


def test_another_solver_or_setting_is_told_apart(run, own):
    from inspect_ai.solver import generate

    log = run("own", told(Same().say), path=str(own), solver=generate(), top_k=5, system_message="Be brief.")
    settings = read_inspect_log(Path(log.location)).suites["lamps"].settings
    assert "generate" in settings["solver"]
    assert (settings["top_k"], settings["system"]) == ("5", "Be brief.")


def test_what_is_no_log_of_ours_is_refused(tmp_path):
    from inspect_ai import Task
    from inspect_ai.dataset import Sample

    (log,) = evaluate(Task([Sample("a")], name="theirs"), model=told(Same().say), log_dir=str(tmp_path), display="none")
    with pytest.raises(DataError, match="'theirs', which is no task of ours"):
        read_inspect_log(Path(log.location))
    other = tmp_path / "other.eval"
    other.write_text("not a log")
    with pytest.raises(DataError, match=r"is no log of Inspect's"):
        read_inspect_log(other)


def test_a_log_with_a_hole_is_refused(run, own):
    log = run("own", told(Same().say), path=str(own))
    log.samples = log.samples[:3]
    write_eval_log(log, log.location)
    with pytest.raises(DataError, match="of 4 answers 1 are not there"):
        read_inspect_log(Path(log.location))
