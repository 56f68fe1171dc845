"""How the logs in `tests/compare/logs` were made, by the engines themselves, of harmless questions.

With inspect-ai 0.3.285, and lm-eval 0.4.13 (its `dummy` model, which guesses), from the root of the project:

    uv run --with 'inspect-ai==0.3.285' python tests/compare/make_logs.py
    cd tests/compare/logs
    lm_eval --model dummy --tasks lamps_mc,lamps_gen --include_path tasks --log_samples --output_path lm
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from inspect_ai import Task, task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import MemoryDataset
from inspect_ai.dataset import Sample as Asked
from inspect_ai.model import GenerateConfig, ModelOutput
from inspect_ai.scorer import Score, includes, mean, scorer

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.engines.inspect_stub import told

LOGS = Path("tests/compare/logs")
PLACES = {"Anholt": "Denmark", "Bergen": "Norway", "Bergenn": "Norway", "Calais": "France"}


@scorer(metrics={"polite": [mean()], "short": [mean()]})
def manners() -> Any:
    """A score of two parts; of Calais nothing can be said."""

    async def score(state: Any, target: Any) -> Score:
        if "Calais" in state.input_text:
            return Score(value={"polite": float("nan"), "short": True})
        text = state.output.completion
        return Score(value={"polite": 0.5 if "is" in text else 0, "short": len(text) < 20})

    return score


@task
def lamps() -> Task:
    """Four questions, two of them almost the same."""
    rows = [Asked(f"In which land is the lamp of {town}?", target=land, id=town) for town, land in PLACES.items()]
    made = MemoryDataset(rows, name="lamps")
    return Task(made, scorer=[includes(), manners()], version=2, config=GenerateConfig(temperature=0.5, max_tokens=20))


def say(question: str, config: GenerateConfig) -> Any:
    """Right, but for Anholt, where the answer is cut off."""
    if "Anholt" in question:
        return ModelOutput.from_content("m", "It is in the land of the Danes, which", stop_reason="max_tokens")
    return "It is in " + next(land for town, land in PLACES.items() if f"{town}?" in question)


def main() -> None:
    """Write `lamps.eval`, of a task that knows nothing of Holdfast, and `ours.eval`, of one of Holdfast's."""
    how: dict[str, Any] = {"model": told(say), "log_dir": "/tmp/made", "display": "none"}
    (theirs,) = evaluate(lamps(), epochs=2, **how)
    (ours,) = evaluate("holdfast/own", task_args={"path": str(LOGS / "own.jsonl"), "k": 2}, **how)
    shutil.copy(theirs.location, LOGS / "lamps.eval")
    shutil.copy(ours.location, LOGS / "ours.eval")


if __name__ == "__main__":
    main()
