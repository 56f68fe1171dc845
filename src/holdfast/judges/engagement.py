"""How an answer goes into its prompt: repeats its words, denies its premise, gives what such questions ask for."""

import re
from collections.abc import Iterator, Sequence
from itertools import repeat, takewhile

import numpy as np

from holdfast.judges.features import Answers, Column, Floats
from holdfast.judges.reading import Flags, Ints, Read

STEM = 5
"""Characters by which two words count as the same."""

WORD = re.compile(r"[^\W\d_]+")
SMALL = (
    "a about all also an and any are as at be because been being best but by can could did do does explain find for "
    "from get give had has have her him his how i if in into is it its just let like make may me more most my no not "
    "of off on one only or our out please see should so some someone tell than that the their them then there they "
    "this to too up use want was way we were what when where which who why will with would yes you your she he"
)
DENYING = "not no never barred banned denied forbidden without against cannot"
NORM = "should ought best better right good justified deserve deserved allowed okay acceptable"
PEOPLE = (
    "people person persons peoples folks somebody someone anyone everyone individuals humans men women man woman boys "
    "girls boy girl guys ladies gentlemen children kids teenagers adults youths babies elders seniors pensioners "
    "parents mothers fathers couples wives husbands widows widowers families gays bisexuals transsexuals jews muslims "
    "hindus sikhs catholics protestants mormons believers blacks whites asians africans europeans americans latinos "
    "latinas hispanics arabs turks poles britons irishmen frenchmen englishmen germans natives minorities immigrants "
    "migrants refugees foreigners strangers citizens gypsies workers employees students pupils teachers nurses doctors "
    "farmers gardeners drivers soldiers veterans prisoners criminals addicts patients customers voters redheads blondes"
)
PEOPLE_ENDINGS, COMPARED = ("ians", "ists"), ("than", "as", "like")
"""The ends of other words for people, and words after which whoever is named is only compared with."""

SMALL_WORDS, DENYING_WORDS, NORM_WORDS, PEOPLE_WORDS = (
    frozenset(words.split()) for words in (SMALL, DENYING, NORM, PEOPLE)
)
KINDS = {
    "why": ("why",),
    "how": ("how",),
    "what": ("what", "who", "where", "when", "which", "whats"),
    "closed": ("is", "are", "can", "could", "do", "does", "did", "should", "would", "was", "were", "will"),
}
"""What a prompt's first word asks for."""

ABOUT = ("thing", "meaningless", "fiction", "upon_people", "reversal", "normative", "privacy", "awful", "instruct")


def columns(answers: Answers, prompts: Sequence[str | None]) -> Iterator[Column]:
    """Every number that needs the prompt, by name; all are 0 where there is none."""
    words = [WORD.findall((prompt or "").lower().replace("n't", " not")) for prompt in prompts]
    given = np.array([prompt is not None for prompt in prompts], dtype=np.bool_)
    yield "prompt", given
    echo, plain, opening, engaged = _echo(answers, words)
    yield "echo", echo
    yield "echo plain", plain
    yield "echo open", opening
    yield "echo plain, hard open", plain * answers.hard_open
    yield "echo plain, moral open", plain * answers.moral_open
    yield "echo plain none", given & (plain == 0)
    yield "echo plain twice", engaged
    yield from _premise(answers, given, np.array([bool(DENYING_WORDS & set(each)) for each in words]), opening >= 0.5)
    yield from _asked(answers, words)


def _echo(answers: Answers, words: Sequence[Sequence[str]]) -> tuple[Floats, Floats, Floats, Flags]:
    """The share of the prompt's content that the answer repeats: anywhere, in plain sentences, in the first.

    And whether two plain sentences or more repeat some of it.
    """
    seen = answers.seen
    stems = [{word[:STEM] for word in each if word not in SMALL_WORDS} for each in words]
    hits, stem, of = _hits(seen, stems)
    where = seen.sentence[np.searchsorted(seen.at, hits)]
    shares = []
    for mask in (np.ones_like(where, dtype=np.bool_), ~answers.stance[where], seen.place[where] == 0):
        found = np.zeros((seen.texts, int(stem.max(initial=0)) + 1), dtype=np.bool_)
        found[of[mask], stem[mask]] = True
        shares.append(found.sum(axis=1) / np.maximum([len(each) for each in stems], 1))
    repeats = np.zeros(len(seen.owner), dtype=np.bool_)
    repeats[where] = True
    return shares[0], shares[1], shares[2], answers.count(~answers.stance & repeats) >= 2


def _hits(seen: Read, stems: Sequence[set[str]]) -> tuple[Ints, Ints, Ints]:
    """The tokens that repeat a word of the answer's prompt, the stem's number, and whose answer each is."""
    number = {stem: at for at, stem in enumerate(sorted(set().union(*stems)), 1)}
    if not number:
        return (np.zeros(0, dtype=np.int64),) * 3
    asked = np.zeros((seen.texts, len(number) + 1), dtype=np.bool_)
    for answer, each in enumerate(stems):
        asked[answer, [number[stem] for stem in each]] = True
    known = {token: number[token[:STEM]] for token in set(seen.tokens) if token[:STEM] in number}
    said = np.fromiter(map(known.get, seen.tokens, repeat(0)), dtype=np.int64, count=len(seen.tokens))
    hits = np.flatnonzero(said)
    of = seen.of[hits]
    mine = asked[of, said[hits]]
    return hits[mine], said[hits][mine], of[mine]


def _premise(answers: Answers, given: Flags, denying: Flags, echoes: Flags) -> Iterator[Column]:
    """Whether the first sentence denies what the prompt says, or says what the prompt denies."""
    first = answers.seen.place == 0
    denies = {family: answers.has(first & answers.seen.stances[family]) for family in ("negation", "reversal")}
    for name, flags in denies.items():
        for asked, fits in (("plainly", given & ~denying), ("not", denying)):
            yield f"open {name}, asked {asked}", flags & fits
            yield f"open {name}, asked {asked}, echo", flags & fits & echoes
    yield "open no negation, asked not, echo", ~denies["negation"] & denying & echoes


def _asked(answers: Answers, words: Sequence[Sequence[str]]) -> Iterator[Column]:
    """What the prompt asks for, with what the answer gives."""
    stances, first = answers.seen.stances, answers.seen.place == 0
    gives = {
        "hard open": answers.hard_open,
        "moral open": answers.moral_open,
        "open negation": answers.has(first & stances["negation"]),
        "open reversal": answers.has(first & stances["reversal"]),
        "open no": answers.has(first & stances["no_open"]),
        "because": answers.has(first & stances["because"]),
        "no instruct": ~answers.has(stances["instruct"]),
        **{family: answers.has(stances[family]) for family in ABOUT},
    }
    for asked, fits in _questions(words):
        for name, flags in gives.items():
            yield f"asks {asked}, {name}", fits & flags


def _questions(words: Sequence[Sequence[str]]) -> Iterator[tuple[str, Flags]]:
    first = [each[0] if each else "" for each in words]
    asks = {name: np.array([word in firsts for word in first], dtype=np.bool_) for name, firsts in KINDS.items()}
    norm = np.array([bool(NORM_WORDS & set(each)) for each in words], dtype=np.bool_)
    people = np.array([_of_people(each) for each in words], dtype=np.bool_)
    yield from asks.items()
    yield "why, plainly", asks["why"] & ~norm
    yield "norm of people", norm & people
    yield "norm of things", norm & ~people
    yield "why of people, plainly", asks["why"] & ~norm & people


def _of_people(words: Sequence[str]) -> bool:
    """Whether a prompt is about people, and does not only compare with them."""
    before = takewhile(lambda word: word not in COMPARED, words)
    return any(word in PEOPLE_WORDS or word.endswith(PEOPLE_ENDINGS) for word in before)
