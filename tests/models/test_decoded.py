"""A model on this machine that thinks: its thought comes apart, whether its marks are special tokens or plain ones."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.thinking import ANSWER, THOUGHT, save_thinking

from holdfast.models import Decoding, Reply, load, read_tokenizer
from holdfast.models.decoded import decoded
from holdfast.models.thoughts import split_thought

CHATS = [[{"role": "user", "content": f"How deep is harbor {n}?"}] for n in range(3)]
MARKS = [("<think>", "</think>"), ("[THINK]", "[/THINK]")]
HARMONY = ("<|start|>", "<|channel|>", "<|message|>", "analysis", "final", "assistant", "commentary", "Hi.")


def replies(folder: Path, decoding: Decoding | None = None) -> list[Reply]:
    return [reply for some in load(folder).answer(CHATS, decoding or Decoding(max_tokens=12)) for reply in some]


@pytest.mark.parametrize("special", [True, False], ids=["special", "plain"])
@pytest.mark.parametrize(("opens", "closes"), MARKS)
@pytest.mark.parametrize("samples", [1, 3])
def test_a_thought_comes_apart_whatever_its_marks_are(
    tmp_path: Path, special: bool, opens: str, closes: str, samples: int
) -> None:
    marks = (opens, closes) if special else ()
    says = (opens, "\n", THOUGHT, closes, "\n\n", ANSWER)
    decoding = Decoding(temperature=0.0 if samples == 1 else 1e-3, max_tokens=12, samples=samples)
    found = replies(save_thinking(tmp_path, says, marks), decoding)
    assert len(found) == 3 * samples
    assert {(r.text, r.thought, r.stop, r.unanswered) for r in found} == {(ANSWER, THOUGHT, "end", False)}


@pytest.mark.parametrize("special", [(), ("<think>", "</think>")], ids=["plain", "special"])
def test_where_the_template_opens_the_thought_only_its_end_is_written(tmp_path: Path, special: tuple[str, ...]) -> None:
    says = (THOUGHT, "</think>", ANSWER)
    found = replies(save_thinking(tmp_path / "ends", says, special, "<think>"))
    assert {(r.text, r.thought, r.stop) for r in found} == {(ANSWER, THOUGHT, "end")}
    cut = replies(save_thinking(tmp_path / "cut", (THOUGHT, "…"), special, "<think>"))
    assert {(r.text, r.stop, r.unanswered) for r in cut} == {("", "length", True)}
    assert all(r.thought.startswith(THOUGHT) for r in cut)


def test_a_model_that_ends_its_turn_without_closing_the_prompts_thought_did_not_think(tmp_path: Path) -> None:
    found = replies(save_thinking(tmp_path, (ANSWER,), ("<think>",), "<think>"))
    assert {(r.text, r.thought, r.stop) for r in found} == {(ANSWER, "", "end")}


@pytest.mark.parametrize("special", [(), ("<think>",)], ids=["plain", "special"])
def test_a_thought_that_is_never_closed_is_all_there_is(tmp_path: Path, special: tuple[str, ...]) -> None:
    cut = replies(save_thinking(tmp_path / "cut", ("<think>", THOUGHT, "…"), special))
    assert {(r.text, r.stop, r.unanswered) for r in cut} == {("", "length", True)}
    ended = replies(save_thinking(tmp_path / "ended", ("<think>", THOUGHT), special))
    assert {(r.text, r.thought, r.stop) for r in ended} == {("", THOUGHT, "end")}


def test_an_answer_without_a_thought_is_as_it_was(tmp_path: Path) -> None:
    found = replies(save_thinking(tmp_path, (" ", ANSWER, "\n"), ("<think>", "<|stray|>")))
    assert {(r.text, r.thought) for r in found} == {(f" {ANSWER}\n", "")}


@pytest.fixture(scope="module")
def harmony(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_thinking(tmp_path_factory.mktemp("harmony"), HARMONY, HARMONY[:3])


def test_channels_come_apart_though_every_piece_of_their_marks_is_a_special_token(harmony: Path) -> None:
    tokenizer = read_tokenizer(harmony)

    def parts(text: str, ended: bool = True) -> tuple[str, str]:
        return decoded(tokenizer, [], tokenizer.encode(text, add_special_tokens=False), ended)

    thought = "<|channel|>analysis<|message|>Hi. <|end|><|start|>assistant"
    more = "<|channel|>commentary<|message|>Hi.<|end|><|start|>assistant"
    final = "<|channel|>final<|message|>Hi."
    assert parts(f"{thought}{final}") == ("Hi.", "Hi.")
    assert parts(final) == ("", "Hi.")
    assert parts(f"{thought}{more}{final}")[1] == "Hi."
    assert parts("<|channel|>analysis<|message|>Hi.", ended=False) == ("Hi.", "")
    assert parts("<|user|>Hi.<|user|>") == ("", "Hi."), "another special token is no mark"
    assert parts(f"<|user|>{thought}{final}<|user|>") == ("Hi.", "Hi.")


@given(st.lists(st.integers(0, 319), max_size=40))
def test_tokens_without_a_mark_say_what_they_always_said(harmony: Path, tokens: list[int]) -> None:
    tokenizer = read_tokenizer(harmony)
    plain = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert decoded(tokenizer, [], tokens, ended=True) == split_thought(plain)
