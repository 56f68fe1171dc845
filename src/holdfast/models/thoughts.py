"""Where a model's thought ends and its answer begins. Knows the marks around thoughts, and no model."""

import re
from typing import NamedTuple

TAG = "seed:think|thinking|think|thoughts|thought|reasoning|reflection|analysis|scratchpad"
MARKS = (
    (rf"<(?:{TAG})>", rf"</(?:{TAG})>"),  # DeepSeek-R1, Qwen3, GLM and most others; models that are only told to think
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),  # Sky-T1, OpenThinker
    (r"\[think\]", r"\[/think\]"),  # Magistral
    ("◁think▷", "◁/think▷"),  # Kimi
    (r"<\|start_thinking\|>", r"<\|end_thinking\|>"),  # Command A Reasoning
    (r"<\|channel>(?:thought\b)?", r"<channel\|>"),  # Gemma 4
    (
        r"<\|channel\|>analysis<\|message\|>",  # gpt-oss: whatever comes before the final channel is not the answer
        r"<\|channel\|>final[^<]{0,40}(?:<\|constrain\|>[^<]{0,40})?<\|message\|>",
    ),
)
"""How a thought is opened and how it is closed, in any case."""

SIGNS, CLOSE_SIGNS = "<[◁", ("</", "|>", "[/", "◁/")
"""A text without one of these holds no mark, or no closing one."""

OPEN, CLOSE = ("|".join(marks) for marks in zip(*MARKS, strict=True))
OPENS, OPENS_AT_END = re.compile(rf"\s*(?:{OPEN})", re.IGNORECASE), re.compile(rf"(?:{OPEN})\s*\Z", re.IGNORECASE)
CLOSES, LAST_CLOSE = re.compile(CLOSE, re.IGNORECASE), re.compile(rf"(.*)(?:{CLOSE})", re.IGNORECASE | re.DOTALL)
PIECES = re.compile(rf"{OPEN}|{CLOSE}|<\|(?:start|channel|constrain|message|end)\|>", re.IGNORECASE)


class Parts(NamedTuple):
    """What a model wrote, in two."""

    thought: str
    """Without the marks around it; empty where there was none."""
    answer: str
    """What follows; empty where a thought was opened and never closed."""


def split_thought(text: str, opened: bool = False) -> Parts:
    """What stands before the last closing mark, and what follows it; a text without a thought is all answer, unchanged.

    Args:
        text: what the model wrote. The opening mark may be missing: many chat templates write it into the prompt.
        opened: whether the prompt ended in an opening mark, so that a text which closes none is all thought.
    """
    if not opened and not any(sign in text for sign in SIGNS):
        return Parts("", text)
    last = LAST_CLOSE.match(text) if any(sign in text for sign in CLOSE_SIGNS) else None
    rest = text[last.end() :].lstrip() if last else text
    if OPENS.match(rest) or (opened and last is None):
        return Parts(_bare(text), "")
    return Parts(_bare(last[1]), rest) if last else Parts("", text)


def with_thought(thought: str, text: str) -> Parts:
    """The parts of an answer whose thought came apart from its text, which may hold marks all the same.

    Some servers send a thought twice: by itself, and between marks in the text.
    """
    inside, answer = split_thought(text)
    each = [part for part in dict.fromkeys((thought.strip(), inside)) if part]
    return Parts("\n\n".join(each), answer.lstrip() if each else answer)


def opens_thought(prompt: str) -> bool:
    """Whether a prompt ends in an opening mark: the model goes on with the thought, and only closes it."""
    return OPENS_AT_END.search(prompt) is not None


def is_close(token: str) -> bool:
    """Whether a token is a closing mark by itself."""
    return CLOSES.fullmatch(token) is not None


def is_piece(token: str) -> bool:
    """Whether a token is a mark, or a piece of one."""
    return PIECES.fullmatch(token) is not None


def _bare(thought: str) -> str:
    """Without its opening mark, and without what of gpt-oss's turns stands between its channels."""
    inside = OPENS.sub("", thought, count=1) if OPENS.match(thought) else thought
    return inside.strip().removesuffix("<|start|>assistant").rstrip().removesuffix("<|end|>").strip()
