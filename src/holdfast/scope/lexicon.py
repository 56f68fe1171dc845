"""Finds requests that an assistant should not serve, by the rules in `unsafe_requests.txt`.

Knows nothing of answers. Rules read wording, not intent: they miss what is asked in roundabout words.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

GAP = r"(?:[^\w'-]+[\w'-]+){0,N}?[^\w'-]+"
SENTENCE = re.compile(r"[^.?!\n;]+[.?!\n;]*")
WORD = re.compile(r"[a-z0-9]+(?:[-/][a-z0-9]+)*")
NEAR = 8
"""Words before a match in which a protective word spares it."""

FRAMES = {"ask": ("ask",), "seek": ("ask",), "make": ("make",), "order": ("ask", "make")}
"""Which frames of the file a pattern's frame accepts."""

FOLDED = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})


@dataclass(frozen=True, slots=True)
class Request:
    """An unsafe request that was found: its kind, and the words that show it."""

    kind: str
    span: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of the lexicon."""

    kind: str
    frame: str
    anchors: tuple[frozenset[str], ...]
    regex: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The parsed file, ready to be matched."""

    patterns: tuple[Pattern, ...]
    frames: Mapping[str, re.Pattern[str]]
    before: re.Pattern[str]
    around: re.Pattern[str]
    lookalikes: re.Pattern[str]
    first: Mapping[str, tuple[int, ...]]
    """The patterns whose first anchor has this word, by their place."""


def unsafe_request(prompt: str) -> Request | None:
    """The first unsafe request in the prompt, sentence by sentence; None where the rules see none."""
    lexicon = _lexicon()
    for sentence in _sentences(lexicon, prompt):
        for pattern, match in _matches(lexicon, sentence):
            asked = _is_asked(lexicon, pattern.frame, sentence, match)
            if asked and not _is_spared(lexicon, pattern.frame, sentence, match):
                return Request(pattern.kind, match[0])
    return None


def unsafe_words(prompt: str) -> Request | None:
    """The first words of an unsafe request, asked for or not, spared or not: for ranking, not for removal."""
    lexicon = _lexicon()
    for sentence in _sentences(lexicon, prompt):
        for pattern, match in _matches(lexicon, sentence):
            return Request(pattern.kind, match[0])
    return None


def _sentences(lexicon: Lexicon, prompt: str) -> Iterator[str]:
    """The prompt's sentences, folded; none where it has no word that any pattern needs."""
    folded = prompt.lower()
    if not folded.isascii():
        folded = folded.translate(FOLDED)
    if lexicon.first.keys().isdisjoint(WORD.findall(folded)):
        return
    for sentence in SENTENCE.findall(lexicon.lookalikes.sub(" ", folded)):
        yield sentence.strip()


def _matches(lexicon: Lexicon, sentence: str) -> Iterator[tuple[Pattern, re.Match[str]]]:
    words = set(WORD.findall(sentence))
    tried = {place for word in words & lexicon.first.keys() for place in lexicon.first[word]}
    for place in sorted(tried):
        pattern = lexicon.patterns[place]
        if not any(anchor.isdisjoint(words) for anchor in pattern.anchors[1:]):
            for match in pattern.regex.finditer(sentence):
                yield pattern, match


def _is_asked(lexicon: Lexicon, frame: str, sentence: str, match: re.Match[str]) -> bool:
    if frame in ("any", "said"):
        return True
    before = sentence[: match.end()]
    opens = frame == "ask" and len(sentence[: match.start()].split()) <= 1
    return opens or any(lexicon.frames[name].search(before) for name in FRAMES[frame])


def _is_spared(lexicon: Lexicon, frame: str, sentence: str, match: re.Match[str]) -> bool:
    if frame != "make" and lexicon.around.search(sentence):
        return True
    near = " ".join(sentence[: match.start()].split()[-NEAR:])
    return frame != "said" and bool(lexicon.before.search(near) or lexicon.before.search(match[0]))


@cache
def _lexicon() -> Lexicon:
    parts = _sections((files("holdfast.scope") / "unsafe_requests.txt").read_text(encoding="utf-8"))
    classes = {name: _forms(value) for name, value in _named(parts["classes"])}
    patterns = tuple(_pattern(line, classes) for line in parts["patterns"])
    frames: dict[str, str] = {}
    for name, value in _named(parts["frames"]):
        frames[name] = f"{frames[name]}|{value}" if name in frames else value
    spares = {
        name: "|".join(choice.strip() for choice in value.split(" | ")) for name, value in _named(parts["spares"])
    }
    first: dict[str, list[int]] = {}
    for place, pattern in enumerate(patterns):
        for word in pattern.anchors[0]:
            first.setdefault(word, []).append(place)
    return Lexicon(
        patterns=patterns,
        frames={name: re.compile(value) for name, value in frames.items()},
        before=re.compile(rf"\b(?:{spares['before']})\b"),
        around=re.compile(spares["around"]),
        lookalikes=re.compile(rf"\b(?:{spares['not']})\b"),
        first={word: tuple(places) for word, places in first.items()},
    )


def _sections(text: str) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    name = ""
    for line in text.split("\n"):
        if line.startswith("["):
            name = line.strip("[] ")
            parts[name] = []
        elif name and line and not line.startswith("#"):
            parts[name].append(line)
    return parts


def _named(lines: list[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (line.partition(" = ") for line in lines)]


def _forms(value: str) -> frozenset[str]:
    forms: set[str] = set()
    for word in (choice.strip() for choice in value.split(" | ")):
        head, space, rest = word.partition(" ")
        forms |= {word[1:]} if word.startswith("=") else {f"{form}{space}{rest}" for form in _bent(head)}
        if space and not word.startswith("="):
            forms |= {f"{word}s"}
    return frozenset(forms)


def _bent(word: str) -> set[str]:
    stem = word[:-1] if word.endswith("e") else word
    doubled = word + word[-1]
    forms = {word, f"{word}s", f"{word}es", f"{stem}ing", f"{stem}ed", f"{doubled}ing", f"{doubled}ed"}
    return forms | ({f"{word[:-1]}ies"} if word.endswith("y") else set())


def _pattern(line: str, classes: Mapping[str, frozenset[str]]) -> Pattern:
    kind, frame, body = (part.strip() for part in line.split("|", 2))
    anchors = tuple(
        frozenset(word for form in classes[name] for word in WORD.findall(form)[:1])
        for name in re.findall(r"\{!(\w+)\}", body)
    )
    filled = re.sub(r"\{!?(\w+)\}", lambda found: _either(classes[found[1]]), body)
    spaced = re.sub(r" ?~(\d+) ", lambda gap: GAP.replace("N", gap[1]), filled)
    return Pattern(kind, frame, anchors, re.compile(rf"\b(?:{spaced})\b"))


def _either(forms: Iterable[str]) -> str:
    """A regular expression for any of the forms, the longest first, with shared beginnings written once.

    A plain alternation of some hundred words would be tried word by word at every place of a sentence.
    """
    tails: dict[str, set[str]] = {}
    for form in forms:
        tails.setdefault(form[:1], set()).add(form[1:])
    ends = "" in tails
    tails.pop("", None)
    if not tails:
        return ""
    branches = "|".join(re.escape(first) + _either(rest) for first, rest in sorted(tails.items()))
    return f"(?:{branches})?" if ends else f"(?:{branches})"
