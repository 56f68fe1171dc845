"""Other engines cost nobody anything until they are used, and what is ours of them needs neither."""

import ast
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from math import nan
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from holdfast.engines.abilities import abilities, abilities_json, grouping
from holdfast.engines.inspect_suites import Words, config, harbor_suite, in_any, judged, own_suite, published_suite
from holdfast.engines.lm_eval_tasks import check_installed
from holdfast.errors import ConfigError, DataError
from holdfast.measure import PUBLIC, SUITES, Answer, Prompt, SuiteResult

ROOT = Path(__file__).parents[2]
TASKS = ROOT / "src" / "holdfast" / "engines" / "inspect_tasks.py"
ENGINES = ("inspect_ai", "lm_eval")


# --- light to load ----------------------------------------------------------------------------------------------------


def test_nothing_of_ours_imports_an_engine():
    code = f"""
import sys
import holdfast, holdfast.cli, holdfast.engines.lm_eval_suite, holdfast.engines.inspect_suites
sys.exit(any(name in sys.modules for name in {ENGINES}))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_file_that_inspect_loads_imports_nothing_of_ours_and_no_torch():
    tree = ast.parse(TASKS.read_text())
    at_top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in at_top if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in at_top if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} == {"collections", "typing", "inspect_ai"}


def test_its_names_are_those_of_the_suites():
    words: dict[str, Any] = {}
    for node in ast.parse(TASKS.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            words[node.targets[0].id] = ast.literal_eval(node.value)
    assert words == {"HARBOR": tuple(s.name for s in SUITES), "PUBLISHED": tuple(s.name for s in PUBLIC)}


def test_the_entry_point_leads_there():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    # Inspect takes the key for the package that stands before the slash of `holdfast/xstest-safe`.
    assert project["entry-points"]["inspect_ai"] == {"holdfast": "holdfast.engines.inspect_tasks"}
    assert project["optional-dependencies"]["inspect"] == ["inspect-ai>=0.3.277,<0.4"]
    assert not {"inspect", "lm-eval"} & {word for line in project["dependencies"] for word in line.split(">")}


@pytest.mark.skipif(find_spec("lm_eval") is not None, reason="lm-eval is installed")
def test_without_the_package_the_command_is_named():
    with pytest.raises(ConfigError, match=r"pip install 'holdfast\[tune,lm-eval\]'"):
        check_installed()


# --- suites in the words of Inspect -----------------------------------------------------------------------------------


def state(text: str, stop: str = "stop", empty: bool = False) -> Any:
    message = SimpleNamespace(content=text)
    output = SimpleNamespace(empty=empty, stop_reason=stop, completion=text, message=message)
    return SimpleNamespace(sample_id="1", input_text="Where is the lamp?", metadata={"cluster": "c"}, output=output)


@pytest.mark.parametrize(
    ("wants", "text", "event"),
    [
        ("refusal", "I cannot help with that.", False),
        ("refusal", "It hangs over the pier.", True),
        ("answer", "I cannot help with that.", True),
        ("answer", "It hangs over the pier.", False),
        ("correct", "It hangs over the pier.", True),
        ("correct", "It hangs over the quay.", False),
    ],
)
def test_the_event_is_that_of_the_rate(wants, text, event):
    found = judged(Words("own", wants), state(text), ("pier",))
    assert found.event is event
    assert found.metadata["wants"] == wants
    assert found.metadata["judge"] == ("expected" if wants == "correct" else "embedded")


@pytest.mark.parametrize(
    ("given", "why"), [({"empty": True}, "the sample failed"), ({"stop": "content_filter"}, "a content filter")]
)
def test_what_was_not_answered_is_unscored_with_the_reason(given, why):
    found = judged(Words("own", "refusal"), state("", **given), ())
    assert found.event is None
    assert found.metadata["outcome"] == "unscored"
    assert why in found.why


def test_nothing_turns_around_what_a_built_in_suite_wants():
    for name in ("xstest-unsafe", "harbor-policy"):
        assert judged(Words(name, "answer", world=0), state("", empty=True), ()).metadata["wants"] == "refusal"
    with pytest.raises(ConfigError, match="what it wants is 'anything'"):
        judged(Words("own", "anything"), state("So be it."), ())


def test_any_of_k_counts_the_unscored_against_the_model():
    bad, unknown, good = (1.0, {"wants": "refusal"}), (nan, {"wants": "refusal"}), (0.0, {"wants": "refusal"})
    assert in_any([good, good, good], 3) == 0
    assert in_any([good, bad, good], 3) == 1
    assert in_any([good, unknown, good], 3) == 1
    assert in_any([good, bad, good], 1) == pytest.approx(1 / 3)
    assert in_any([(nan, {"wants": "correct"})] * 2, 2) == 0
    assert in_any([good, good], 3) is None


def test_several_answers_are_sampled_and_one_is_greedy():
    suite, _ = harbor_suite("harbor-task", 0)
    assert config(suite, 1) == {"temperature": 0.0, "top_p": 1.0, "max_tokens": 64}
    assert config(suite, 5)["temperature"] == 1.0
    with pytest.raises(ConfigError, match="samples 0 is below 1"):
        config(suite, 0)


def test_what_a_task_cannot_ask_is_told(tmp_path):
    own = tmp_path / "own.jsonl"
    lines = [
        f'{{"prompt": "Who keeps lamp {n}?", "wants": "{w}", "category": "c"}}'
        for n, w in enumerate(("answer", "refusal"))
    ]
    own.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match="want refusal, answer: these are several suites"):
        own_suite(str(own), "", None)
    assert own_suite(str(own), "refusal", None)[0].wants == "refusal"
    with pytest.raises(ConfigError, match="none wants 'correct'"):
        own_suite(str(own), "correct", None)
    with pytest.raises(ConfigError, match="needs its file"):
        published_suite("xstest-safe", "", None)
    with pytest.raises(ConfigError, match="no judge 'nosuch'"):
        published_suite("xstest-safe", str(own), "nosuch")
    with pytest.raises(DataError, match="is not xstest-safe"):
        published_suite("xstest-safe", str(own), None)
    named = own.rename(tmp_path / "xstest-unsafe.jsonl")
    with pytest.raises(ConfigError, match="has the name of a built-in suite"):
        own_suite(str(named), "answer", None)


# --- abilities --------------------------------------------------------------------------------------------------------


def result(task: str, right: int, n: int = 10, chance: float | None = 0.25) -> SuiteResult:
    prompts = tuple(Prompt(f"{task}/{at}", f"question {at}", task, f"{task}/{at}") for at in range(n))
    answers = tuple(Answer(prompt.id, 0, "", "correct" if at < right else "wrong") for at, prompt in enumerate(prompts))
    settings = {"judge": "lm-eval"} | ({"chance": str(chance)} if chance else {})
    return SuiteResult(f"lm-eval:{task}", "", "correct", prompts, answers, settings)


def test_groups_are_those_of_the_paper():
    assert list(grouping()) == ["DK", "Understanding", "Reasoning", "Exams"]
    assert grouping()["DK"] == ("mmlu",)
    assert grouping()["Exams"] == ("arc_challenge",)
    every = [task for tasks in grouping().values() for task in tasks]
    assert len(every) == len(set(every))


def test_a_groups_mean_is_that_of_its_tasks_and_not_of_their_questions():
    found = abilities(
        [result("race", 10, 10), result("openbookqa", 0, 1000), result("arc_easy", 5), result("gsm8k", 5)]
    )
    assert [group.name for group in found.groups] == ["Understanding"]
    assert found.groups[0].mean == 0.5
    assert found.groups[0].tasks == {"race": 1.0, "openbookqa": 0.0}
    assert found.mean is None, "three groups are missing"


def test_the_average_is_that_of_four_groups():
    # Llama-2-7B after Wise-FT without SAM (arXiv:2406.04836): (37.75 + 56.64 + 62.65 + 47.12) / 4 = 51.04
    tasks = {"mmlu": 3775, "race": 5664, "boolq": 6265, "arc_challenge": 4712}
    found = abilities([result(task, right, 10_000) for task, right in tasks.items()])
    assert abilities_json(found)["mean"] == pytest.approx(0.5104)


def test_a_part_of_a_task_counts_for_it():
    found = abilities([result("mmlu_anatomy", 5), result("mmlu_astronomy", 10), result("mmlux", 0)])
    assert found.groups[0].tasks == {"mmlu_anatomy": 0.5, "mmlu_astronomy": 1.0}


def test_what_guessing_scores_is_told_apart_from_ability():
    low, high = abilities([result("mmlu", 30, 100)]).groups[0], abilities([result("mmlu", 60, 100)]).groups[0]
    assert (low.chance, low.at_chance) == (0.25, ("mmlu",))
    assert high.at_chance == ()
    assert abilities([result("race", 5, chance=None)]).groups[0].chance is None
