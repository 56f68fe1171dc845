"""Text as the duplicate checks compare it: what is ignored and what never is. Knows nothing of rows' files."""

import re
import unicodedata

from holdfast.data import Example

TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|\S")
SPACE = re.compile(r"\s+")
QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-"})

SILENT = frozenset(".,;:!?\"'`")
"""Marks that do not change what is asked; every other mark (+, -, <, brackets …) may, and is a word."""

FILLERS = frozenset({"please", "kindly", "a", "an", "the"})
"""Words that a near-duplicate may have or lack."""

POLITE = re.compile(
    r"^(?:hi|hello|hey)?\W*(?:(?:can|could|would|will) you (?:please |kindly )?(?:tell me |help me )?(?=\w))"
)
SHORT = {"n't": " not", "'re": " are", "'ve": " have", "'ll": " will", "'m": " am", "what's": "what is"}
SHORTS = re.compile("|".join(map(re.escape, SHORT)))
NEGATIONS = frozenset({"not", "no", "never", "none", "nor", "neither", "without", "cannot", "nothing", "nobody"})


def question(example: Example) -> str:
    """Everything that stands before the last answer: system prompt and turns."""
    turns = example.turns
    last = max((at for at, turn in enumerate(turns) if turn.role == "assistant"), default=len(turns))
    return "\n".join(turn.content for turn in turns[:last])


def normal(text: str) -> str:
    """The text without case, without doubled space, and without marks at its ends: for exact comparison."""
    folded = unicodedata.normalize("NFKC", text).translate(QUOTES).casefold()
    return SPACE.sub(" ", folded).strip(" .!?\"'")


def words(text: str) -> list[str]:
    """The text's words, numbers and telling marks in order, contractions opened."""
    folded = unicodedata.normalize("NFKC", text).translate(QUOTES).casefold()
    opened = SHORTS.sub(lambda found: SHORT[found[0]], folded)
    return [token for token in TOKEN.findall(opened) if token not in SILENT]


def content(text: str) -> list[str]:
    """`words` without politeness and articles: what a near-duplicate must agree on, place by place."""
    kept = [word for word in words(POLITE.sub("", text.casefold().lstrip())) if word not in FILLERS]
    return kept or words(text)
