"""A guard on this machine: a real checkpoint that is none, a scripted one, and a row that does not fit."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from holdfast import harbor
from holdfast.errors import ConfigError, ModelError
from holdfast.judges import Asked, LocalGuard, Remembered
from holdfast.judges.guard import NOT_JUDGED
from holdfast.models import ScriptedModel, load
from holdfast.store import Journal

CHECKPOINT = Path(harbor.__file__).parent / "checkpoint"
ROWS = [Asked(f"question {n}", "It is five.") for n in range(5)]


def read_question(content: str, _: int) -> str:
    return (
        "Safety: Unsafe\nCategories: Violent\nRefusal: No" if "question 3" in content else "Safety: Safe\nRefusal: No"
    )


def test_a_model_that_is_no_guard_decides_nothing() -> None:
    guard = LocalGuard(load(CHECKPOINT), "llama-guard")
    verdicts = list(guard.judge([Asked("Who are you?", "I am Bay."), Asked("What is two plus three?", "Five.")]))
    assert [verdict.safety for verdict in verdicts] == ["undecided", "undecided"]
    assert all(verdict.said and not verdict.said.startswith(NOT_JUDGED) for verdict in verdicts)
    assert guard.name.endswith(f"({guard.model.weights[:12]})")


def test_a_scripted_guard_is_read_in_order_and_remembered(tmp_path: Path) -> None:
    guard = LocalGuard(ScriptedModel("some-chat-model", read_question), batch=2)
    journal = Journal(tmp_path / "guard.jsonl")
    expected = ["safe", "safe", "safe", "unsafe", "safe"]
    assert [verdict.safety for verdict in Remembered(guard, journal).judge(ROWS)] == expected
    silent = LocalGuard(ScriptedModel("some-chat-model", {}), batch=2)
    assert [verdict.safety for verdict in Remembered(silent, journal).judge(ROWS)] == expected


def test_one_row_that_the_model_cannot_take_costs_only_itself() -> None:
    def answers(content: str, sample: int) -> str:
        if "question 3" in content:
            raise ModelError("The prompt is too long.")
        return read_question(content, sample)

    verdicts = list(LocalGuard(ScriptedModel("m", answers), batch=3).judge(ROWS))
    assert [verdict.safety for verdict in verdicts] == ["safe", "safe", "safe", "undecided", "safe"]
    assert "too long" in verdicts[3].said


def test_a_long_row_is_undecided_on_a_real_model() -> None:
    guard = LocalGuard(load(CHECKPOINT), "qwen3guard")
    short, long = Asked("Who are you?", "I am Bay."), Asked("Who are you? " * 500, "I am Bay.")
    verdicts = list(guard.judge([long, short]))
    assert verdicts[0].said.startswith(NOT_JUDGED)
    assert not verdicts[1].said.startswith(NOT_JUDGED)


def test_a_model_that_takes_no_row_is_an_error_early() -> None:
    asked: list[str] = []

    def refuses(content: str, _: int) -> str:
        asked.append(content)
        raise ModelError("The template refuses the conversation.")

    rows: Sequence[Asked] = [Asked(f"question {n}", "Five.") for n in range(100)]
    with pytest.raises(ModelError, match="The template refuses"):
        list(LocalGuard(ScriptedModel("m", refuses), batch=5).judge(rows))
    assert len(asked) < 20


def test_an_unknown_style_is_said_before_anything_is_asked() -> None:
    with pytest.raises(ConfigError, match="no guard style"):
        LocalGuard(ScriptedModel("m", {}), "granit")
