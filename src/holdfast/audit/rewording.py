"""Harmless rewordings: what a question may change, beside articles and politeness, and still ask the same.

A closed list, English only. Whatever is not on it makes two questions different ones. What stays apart on purpose:
tense of auxiliaries, prepositions of place and time, -ing beside a bare verb (painting is also a thing), synonyms.
"""

import re
from collections.abc import Set

from holdfast.audit.words import FILLERS, TOKEN, folded, opened, plainly

ASKS = "(?=(?:what|how|who|whom|why|when|where|which)\\b)"
OPENINGS = (
    (re.compile(rf"(?:tell me|let me know|do you know|i (?:want|need|would like) to know) {ASKS}"), ""),
    (re.compile(r"what ((?:the|my|your|our|his|her|their) [^.?!]+) (is|are)(?=[\s.?!]*$)"), r"what \2 \1"),
    (re.compile(r"(?:what (?:is|are)|(?:give|tell|show)(?: me)?|list|name|provide)(?: me)? the\b"), "what be the"),
    (re.compile(r"(?:(?:give|tell|show|list|name|provide|suggest)(?: me)?|what are)(?= (?:\d|two|three|four|five|six"
                r"|seven|eight|nine|ten|twelve)\b)"), "give"),
    (re.compile(r"(?:give|tell|provide)(?: me)?\b"), "give"),
)  # fmt: skip
"""How a folded text may open, each with what it is read as; in this order, one after the other."""

OPENERS = re.compile("(?:tell|let|do|i|what|give|show|list|name|provide|suggest) ")
PHRASES = (
    (" me", re.compile(r"\b(write|show|make|create|generate|find|explain) me\b"), r"\1"),
    ("how ", re.compile(r"\bhow (?:do|can|does) (?:i|you|we|one)\b"), "how to"),
    ("in order to", re.compile(r"\bin order to\b"), "to"),
)
"""What may stand anywhere: a part of it by which most texts are passed over, the whole, and what it is read as."""

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
SAME = {"are": "is", "which": "that", "&": "and"} | {name: str(at) for at, name in enumerate(NUMBERS)}
IDLE = FILLERS | {"of", "do", "does"}
"""Words that two questions need not share."""

SMALL = IDLE | {
    "is",
    "be",
    "been",
    "that",
    "there",
    "it",
    "you",
    "i",
    "we",
    "to",
    "in",
    "on",
    "at",
    "for",
    "any",
    "some",
}
"""Words that two questions need not share if an encoder holds them for the same. Modal verbs (can, should) and words of
direction (from, before, under) are not among them."""

IRREGULAR = frozenset(
    {"news", "goods", "arms", "means", "glasses", "physics", "mathematics", "economics", "politics", "customs", "its",
     "series", "species", "his", "was", "has", "hers", "ours", "theirs", "always", "perhaps", "sometimes", "besides",
     "hundred", "naked", "sacred", "wicked", "united"}
)  # fmt: skip
VOWEL = re.compile("[aeiouy]")


def asked(text: str, idle: Set[str] = IDLE) -> list[str]:
    """The words that two questions must share, place by place, to ask the same; those in `idle` are left out."""
    plain = plainly(opened(folded(text)))
    if OPENERS.match(plain):
        for opening, read_as in OPENINGS:
            if found := opening.match(plain):
                plain = found.expand(read_as) + plain[found.end() :]
    for part, phrase, read_as in PHRASES:
        if part in plain:
            plain = phrase.sub(read_as, plain)
    said = TOKEN.findall(plain)
    return [SAME.get(word, word) for word in said if word not in idle] or said


def stem(word: str) -> str:
    """The word without the ending of plural, third person or past, in American spelling; others as they are."""
    if len(word) < 4 or not word.isalpha() or word in IRREGULAR:
        return word
    word = re.sub(r"is(e[sd]?|ing|ation)$", r"iz\1", word) if len(word) > 6 else word
    word = re.sub(r"(?<=[^aeiou])our(?=(?:s|ed|ful|ite|ites)?$)", "or", word) if len(word) > 5 else word
    return _bare(word)


def _bare(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("ied") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("ed") and VOWEL.search(word[:-2]) and not word.endswith("eed"):
        cut = word[:-2]
        return cut[:-1] if cut[-1] == cut[-2] and len(cut) > 3 and cut[-1] not in "lsz" else cut.removesuffix("e")
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word
