"""Text as the duplicate checks compare it: what is ignored and what never is. Knows nothing of rows' files."""

import re
import unicodedata
from functools import lru_cache
from itertools import chain

from holdfast.data import Example

TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|[^\s.,;:!?\"'`]")
"""A number, a word, or a mark that changes what is asked (+, -, <, brackets …); other marks are left out."""

QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-"})

FILLERS = frozenset({"please", "kindly", "a", "an", "the"})
"""Words that a near-duplicate may have or lack."""

POLITE = re.compile(
    r"(?:(?:hi|hello|hey)\b)?\W*"
    r"(?:(?:can|could|would|will) you (?:please |kindly )?(?:tell me |help me )?(?=\w))"
)
NOTS = (("can't", "can not"), ("won't", "will not"), ("shan't", "shall not"), ("n't", " not"))
SHORT = {"'s": " is", "'re": " are", "'ve": " have", "'ll": " will", "'m": " am"}
ASKING = ("what", "who", "where", "when", "how", "that", "there", "it", "here")
"""Words after which 's is a verb."""

SHORTS = re.compile(r"'(?:re|ve|ll|m|s(?:" + "|".join(rf"(?<=\b{word}'s)" for word in ASKING) + r"))\b")
THOUSANDS = re.compile(r",(?=\d{3}(?!\d))(?<=\d,)")
REMEMBERED = 1 << 16
"""Parts of texts between spaces whose words are remembered: most texts are made of the same few."""

NEGATIONS = frozenset({"not", "no", "never", "none", "nor", "neither", "without", "nothing", "nobody"})


def question(example: Example) -> str:
    """Everything that stands before the last answer: system prompt and turns."""
    turns = example.turns
    last = max((at for at, turn in enumerate(turns) if turn.role == "assistant"), default=len(turns))
    return "\n".join(turn.content for turn in turns[:last])


def normal(text: str) -> str:
    """The text without case, without doubled space, and without marks at its ends: for exact comparison."""
    return " ".join(folded(text).split()).strip(" .!?\"'")


def folded(text: str) -> str:
    """The text in one case, one form of each letter, and one kind of quotation mark and dash."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).translate(QUOTES).casefold()


def opened(text: str) -> str:
    """A folded text with its contractions spelt out, and its numbers without commas."""
    if "," in text:
        text = THOUSANDS.sub("", text)
    if "'" in text:
        for short, long in NOTS:
            text = text.replace(short, long)
        text = SHORTS.sub(lambda found: SHORT[found[0]], text)
    return text.replace("cannot", "can not")


def words(text: str) -> list[str]:
    """The text's words, numbers and telling marks in order, contractions opened."""
    return [*chain.from_iterable(map(_words, text.split()))]


@lru_cache(REMEMBERED)
def _words(part: str) -> tuple[str, ...]:
    # Nothing that is undone or looked for reaches across a space, so that each part need be read only once.
    return tuple(TOKEN.findall(opened(folded(part))))


def plainly(plain: str) -> str:
    """A folded text without the politeness that it opens with."""
    plain = plain.lstrip()
    found = POLITE.match(plain)
    return (plain[found.end() :] if found else plain).removeprefix("please ")


def content(text: str) -> list[str]:
    """`words` without politeness and articles: rows that agree on them ask the same, whatever an encoder says."""
    plain = opened(folded(text))
    kept = [word for word in TOKEN.findall(plainly(plain)) if word not in FILLERS]
    return kept or TOKEN.findall(plain)
