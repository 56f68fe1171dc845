"""What one try at a server came to: an answer, a request that was turned down, or trouble. Asks nothing."""

import email.utils
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

THIS_ROW = (400, 413, 422)
"""Status codes that speak of the request (too long, filtered) and not of the server."""
PASSING = (408, 409, 429)
"""Status codes below 500 that pass."""
THOUGHT = ("reasoning", "reasoning_content")
"""Fields of a message that hold a thought: vLLM's, OpenRouter's and Ollama's; DeepSeek's, SGLang's and llama.cpp's."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
LONGEST_WAIT = 120.0
"""Seconds: a server that asks for more is given up."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer."""

    text: str
    finish: str
    """Why it ended, in the server's word: `stop`, `length`, `content_filter` …; empty where it gives none."""
    thought: str = ""
    """What the model thought first, where the server tells it apart from the text."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request that got no answer and will get none, while others may."""

    why: str
    filtered: bool = False
    """Whether the server's content filter turned it down."""
    garbled: bool = False
    """Whether something came that was no answer; another try may bring one."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A try that failed for a reason of the server's."""

    why: str
    status: int = 0
    """The HTTP status; 0 where there was none."""
    wait: float | None = None
    """Seconds that the server asks to wait."""

    @property
    def passing(self) -> bool:
        """Whether another try may do better."""
        if self.wait is not None and self.wait > LONGEST_WAIT:
            return False
        return self.status == 0 or self.status in PASSING or self.status >= 500


def read_reply(reply: Any) -> Said | Unanswered:
    """The answer in a chat completion; servers send other things with status 200 too."""
    try:
        choice = reply.choices[0]
        said = choice.message.content or getattr(choice.message, "refusal", None) or ""
    except (AttributeError, IndexError, TypeError):
        return Unanswered("the server's reply is no chat completion", garbled=True)
    if not isinstance(said, str):
        return Unanswered("the server's reply is no text", garbled=True)
    return Said(said, str(getattr(choice, "finish_reason", None) or ""), _thought_of(choice.message))


def _thought_of(message: Any) -> str:
    """Under the first of the names that servers have for it."""
    said = (getattr(message, name, None) for name in THOUGHT)
    return next((each for each in said if isinstance(each, str) and each), "")


def pauses(count: int) -> Iterator[float]:
    """Seconds before each of `count` further tries, doubled each time."""
    return (min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tried, 10)) for tried in range(count))


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait: `retry-after-ms`, or `Retry-After` as seconds or as a date (RFC 9110,
    10.2.3); None where it does not say, or says none.
    """
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        return seconds if seconds > 0 and not math.isnan(seconds) else None
    try:
        seconds = email.utils.parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds) or None
