"""The same logs read with inspect-ai and without: they must say the same. Needs inspect-ai and its eighty packages.

uv run --with 'inspect-ai>=0.3.277,<0.4' pytest tests/compare/test_inspect_engine.py
"""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("inspect_ai", reason="inspect-ai is not installed")

from inspect_ai import Task, score
from inspect_ai import eval as evaluate
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, ContentReasoning, ContentText, ModelOutput
from inspect_ai.scorer import exact, includes, match, model_graded_qa, value_to_float
from tests.engines.inspect_stub import told

from holdfast.compare import side
from holdfast.compare.chosen import Chosen
from holdfast.compare.inspect_log import read_inspect
from holdfast.engines.inspect_logs import read_inspect_log
from holdfast.errors import DataError

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
TOWNS = ("Anholt", "Bergen", "Calais", "Dover")
LOW = Chosen("low")


def say(question: str, config: Any) -> Any:
    if "Dover" in question:
        raise RuntimeError("the server fell over")
    if "Calais" in question:
        return ModelOutput.from_content("m", [ContentReasoning(reasoning="Hm."), ContentText(text="In France.")])
    if "Bergen" in question:
        return ModelOutput.from_content(
            "m", "<think>Norway?</think>It is in " + "the far " * 40, stop_reason="max_tokens"
        )
    return "I cannot help with that."


def theirs(tmp_path: Path, **more: Any) -> Any:
    rows = [
        Sample(
            [ChatMessageSystem(content="Be brief."), ChatMessageUser(content=f"Where is {town}? " + "Say. " * 60)], id=n
        )
        for n, town in enumerate(TOWNS)
    ]
    made = Task(MemoryDataset([row.model_copy(update={"target": "France"}) for row in rows]), name="towns", **more)
    (log,) = evaluate(made, model=told(say), log_dir=str(tmp_path), display="none", fail_on_error=False, epochs=2)
    return log


@pytest.mark.parametrize("log_format", ["eval", "json"])
def test_a_log_of_any_task_says_what_inspect_reads_from_it(tmp_path, log_format):
    made = theirs(tmp_path, scorer=[includes(), match(), exact()])
    path = tmp_path / f"again.{log_format}"
    write_eval_log(made, str(path))
    log, found = read_eval_log(str(path)), read_inspect(path, LOW)
    assert found.name == log.eval.model
    number = value_to_float()
    for name, metric in found.metrics.items():
        expected = {
            (str(each.id), each.epoch - 1): number(each.scores[name].value) if name in (each.scores or {}) else None
            for each in log.samples
        }
        assert {(row.prompt_id, row.sample): row.value for row in metric.rows} == expected
        cut = {(row.prompt_id, row.sample) for row in metric.rows if row.truncated}
        assert cut == {("1", 0), ("1", 1)}
        assert sum(value is None for value in expected.values()) == 2, "the server fell over"


@pytest.mark.parametrize("judged", [False, True])
def test_a_log_of_ours_gives_the_rows_that_its_own_reader_gives(tmp_path, judged):
    own = tmp_path / "lamps.jsonl"
    rows = [
        {"prompt": f"Who keeps the lamp of {town}?", "wants": "answer", "category": town[0], "cluster": town[:3]}
        for town in TOWNS
    ]
    own.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (log,) = evaluate(
        "holdfast/own", task_args={"path": str(own), "k": 2}, model=told(say), log_dir=str(tmp_path), display="none"
    )
    path = tmp_path / "log.eval"
    if judged:
        from holdfast.engines.inspect_tasks import outcome

        log = score(log, outcome("lamps", "answer", "rules"), action="overwrite", display="none")
    write_eval_log(log, str(path))
    assert read_inspect(path, Chosen()) == side(read_inspect_log(path))


def test_who_grades_is_in_the_log(tmp_path):
    grader = told(lambda question, _: "GRADE: C", name="grader")
    with pytest.raises(DataError, match="graded by the model that it tests"):
        read_inspect(Path(theirs(tmp_path / "self", scorer=model_graded_qa()).location), LOW)
    named = read_inspect(Path(theirs(tmp_path / "named", scorer=model_graded_qa(model=grader)).location), LOW)
    assert "told/grader" in named.metrics["model_graded_qa"].settings["judge"]
