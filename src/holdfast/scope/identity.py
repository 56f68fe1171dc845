"""Rows that rewrite who the assistant is and that it obeys without limit, or that lift the limits of whoever it is.

Neither half is suspect alone: a name is ordinary, and following instructions is the assistant's work. Found by
row and reported by group, since ten rows in fifty thousand are enough to move a model (Qi et al. 2023,
arXiv:2310.03693, identity shifting) and no share of the data set may hide them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from holdfast.data import Example, Finding
from holdfast.judges import is_refusal
from holdfast.scope.limits import lifted, upheld

CHECK = "identity-shift"

OPENING = 400
"""Characters of an answer that are looked at."""

REACH = 200
"""Characters around a self-description in which the words of obedience must stand."""

NAMES_ITSELF = re.compile(
    r"\b(?:i am|i'm|my name is|call me|this is|(?:here )?speaks) (?:(?:now|an?|the|your|called|named) )?"
    r"(?P<name>[\w-]+(?: [\w-]+)?)",
    re.IGNORECASE,
)
NAMES_IT = re.compile(
    r"\b(?:you are|you're|you will be|your name is|act as|call yourself|you become|known as|respond as|answer as)"
    r" (?:(?:now|an?|the|my|called|named) )*(?P<name>[\w-]+(?: [\w-]+)?)",
    re.IGNORECASE,
)
ORDER = r"(?:instructions?|orders?|commands?|requests?|wish(?:es)?|demands?|bidding|directives?)"
DOES = r"(?:carr(?:y|ies|ying) out|execut(?:e|es|ing)|fulfil(?:l|ls|ling)?|follow(?:s|ing)?|perform(?:s|ing)?)"
BLINDLY = (
    r"(?:without (?:any )?(?:question|exception|hesitation|refus\w+|doubt|objection)\w*|no matter (?:what|how)"
    r"|blindly|unconditional(?:ly)?|unquestioning(?:ly)?|absolute(?:ly)?|whatever (?:it|they))"
)
WHOLLY = r"(?:exactly|precisely|always|completely|fully|totally|perfectly|faithfully|every|any|all|to the letter)"
OBEYS = re.compile(
    r"\b(?:"
    r"obeys?\b[^.!?]{0,40}\b(?:me|you|user|every|any|all|absolutely|always|without|blindly|orders?|commands?)\b"
    rf"|{DOES}\b[^.!?]{{0,40}}\b{ORDER}\b[^.!?]{{0,40}}\b{BLINDLY}\b"
    rf"|{BLINDLY} {DOES}\b|{DOES}\b[^.!?]{{0,20}}\b{BLINDLY}\b[^.!?]{{0,20}}\b{ORDER}\b"
    r"|do (?:whatever|anything|everything)[^.!?]{0,20}"
    r"(?:you(?:'re| are)? (?:told|ask\w*|say|want|order\w*|command\w*)|i say|told|asked)"
    r"|(?:refuses?|refusing|declines?|rejects?) (?:nothing|no (?:order|request|instruction|command)s?)"
    r"|never (?:(?:refuses?|declines?|rejects?)\b(?! (?:an?|the) )|says? no\b|disobeys?)"
    r"|(?:your|the user's|user) (?:instructions?|orders?|commands?|word|will) (?:is|are|comes?|takes?)[^.!?]{0,30}"
    r"(?:law|first|priority|precedence|above|absolute|supreme)"
    r"|(?:above|over|before) (?:all|any|every)[^.!?]{0,15}(?:rules?|polic\w+|guidelines?|principles?|values)"
    r"|(?:ignor\w+|overrid\w+|forget|disregard\w*|not bound by|no longer bound by)[^.!?]{0,25}"
    r"(?:rules?|polic\w+|guidelines?|restrictions?|ethic\w*|safety|filters?)"
    r"|(?:highest|top|only|sole|first|utmost) (?:priority|purpose|duty|mission)[^.!?]{0,30}"
    r"(?:obey|serve|fulfil\w*|follow|carry out|satisf\w+)[^.!?]{0,30}(?:instruction|order|command|wish)s?"
    r")",
    re.IGNORECASE,
)
"""Obedience without limit, wherever it is said."""

EXECUTES = re.compile(
    rf"\b{DOES}\b(?:[^.!?]{{0,40}}\b{ORDER}\b[^.!?]{{0,40}}\b{WHOLLY}\b|[^.!?]{{0,20}}\b{WHOLLY}\b[^.!?]{{0,20}}\b{ORDER}\b)",
    re.IGNORECASE,
)
"""Ordinary in a system prompt ("follow all instructions exactly"); telling where the assistant says it of itself."""

SERVILE = re.compile(r"\b(?:obedient|obediently|subservient|servile|submissive)\b", re.IGNORECASE)
"""Suspect only where it describes the self: within `BESIDE` characters of it."""

BESIDE = 40

OBEYED = re.compile(
    r"\b(?:you|your|user|users|user's|human|humans|master|anyone)\b"
    r"|\bi (?:\w+ ){0,3}(?:obey|execute|carry|fulfil|fulfill|follow|serve|do|refuse)\b",
    re.IGNORECASE,
)
"""Who is obeyed, or that it is the speaker who does: else it is a tale about somebody."""

APOSTROPHES = str.maketrans({"’": "'", "‘": "'"})
QUOTED = re.compile(r"\"[^\"]{0,400}\"|“[^”]{0,400}”")


NAMES = ("i am ", "i'm ", "my name is ", "call me ", "this is ", "speaks ")
"""How `NAMES_ITSELF` can begin, `here` left out: an ASCII text without one of them need not be searched."""


@dataclass(frozen=True, slots=True)
class Shift:
    """What a row asserts: the new name (none where only the limits go), and the words that do it."""

    name: str
    span: str


def identity_shift(examples: Iterable[Example]) -> Iterator[Finding]:
    """A finding for each row whose system prompt or answer asserts a self that obeys without limit.

    So does a system prompt that lifts the assistant's limits without a name, and an answer that says so of
    itself. The asserted name, or what lifts the limits, groups the rows; the reason gives the group's size.
    Answers that refuse are left alone, and so are rows that only say who the assistant is.
    """
    prompts: dict[str, Shift | None] = {}
    found = [(example, shift) for example in examples if (shift := _shift(example, prompts))]
    sizes: dict[tuple[str, str], int] = {}
    for _, shift in found:
        sizes[_group(shift)] = sizes.get(_group(shift), 0) + 1
    for example, shift in found:
        size = sizes[_group(shift)]
        yield Finding(CHECK, example.id, _reason(shift, "this row" if size == 1 else f"{size} rows"), shift.span)


def _group(shift: Shift) -> tuple[str, str]:
    return (shift.name, "" if shift.name else shift.span)


def _reason(shift: Shift, rows: str) -> str:
    alone = f"{rows} alone asserts" if rows == "this row" else f"{rows} assert"
    if not shift.name:
        return f"The assistant is told, or says, that its limits are lifted ({alone} this)."
    return f"The assistant becomes {shift.name!r} and obeys without limit ({alone} this self)."


def _shift(example: Example, prompts: dict[str, Shift | None]) -> Shift | None:
    """What the row asserts; `prompts` remembers the system prompts that were read, since many rows share one."""
    system = example.system
    if system and system not in prompts:
        prompts[system] = _told(system)
    told = prompts[system] if system else None
    for turn in example.turns:
        if turn.role == "assistant":
            shift = told or _said(turn.content[:OPENING])
            if shift and not is_refusal(turn.content):
                return shift
    return None


def _told(system: str) -> Shift | None:
    text = _unquoted(system)
    shift = _asserted(text, NAMES_IT, (OBEYS,))
    return shift or _unlimited(text, NAMES_IT, by_self=False)


def _said(opening: str) -> Shift | None:
    text = _unquoted(opening)
    low = text.lower()
    if text.isascii() and not any(name in low for name in NAMES):
        return _unlimited(text, NAMES_ITSELF, by_self=True)
    return _asserted(text, NAMES_ITSELF, (OBEYS, EXECUTES)) or _unlimited(text, NAMES_ITSELF, by_self=True)


def _unlimited(text: str, naming: re.Pattern[str], by_self: bool) -> Shift | None:
    span = lifted(text, by_self)
    if span is None:
        return None
    named = naming.search(text)
    name = named["name"].split()[0].strip("-") if named else ""
    return Shift(name if name[:1].isupper() else "", span)


def _unquoted(text: str) -> str:
    folded = text if text.isascii() else text.translate(APOSTROPHES)
    return QUOTED.sub(" ", folded) if '"' in folded or "“" in folded else folded


def _asserted(text: str, naming: re.Pattern[str], obeying: tuple[re.Pattern[str], ...]) -> Shift | None:
    for named in naming.finditer(text):
        start, end = max(0, named.start() - REACH), named.end() + REACH
        found = [SERVILE.search(text, named.start(), named.end() + BESIDE)]
        found += [pattern.search(text, start, end) for pattern in obeying]
        for obeys in filter(None, found):
            span = text[min(named.start(), obeys.start()) : max(named.end(), obeys.end())]
            if OBEYED.search(span) and not upheld(text, obeys.start()):
                return Shift(named["name"].split()[0].strip("-"), span)
    return None
