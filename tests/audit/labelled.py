"""Rows made of evaluation questions by known, seeded edits, each with the verdict that is right for it.

What is right, and why:

verbatim       other case, other marks at word ends, contractions: still the very question → exact.
embedded       between sentences of other rows, or in an answer: the question is asked in full → contained.
polite         "Please answer this question: …": the question is held whole → contained.
partial        the first 60 % of a question of 26 words or more: enough to know it again → n-gram.
long-number    one number changed in a word problem of 40 words or more: another answer, but the same reasoning,
               which is what such a set measures → n-gram (a paraphrase would be another question: not that).
long-typo      two letters swapped in one word of a question of 26 words or more → n-gram, or paraphrase.
typo           the same in a question of 5 to 12 words → paraphrase: it differs in nothing else.
tell-me        "What is the …?" as "Tell me what the … is.", "How do I …?" as "How to …?" → paraphrase.
small-words    "you" as "I", "that" or "some" left out, and such → paraphrase.
synonym        one word of a short list replaced by one that means the same → paraphrase.
reorder        "If A, B?" as "B, if A?" → paraphrase.

Where one of these last five edits leaves a long question with most of its stretches, n-gram is right as well.

Near misses, on which no verdict is right: they teach nothing that the evaluation asks.

short-number   another number in a question of up to 12 words: another question.
negated        "is" → "is not", "do" → "do not" in a question of up to 12 words.
entity         a name replaced by a name of another question, in up to 12 words.
subject        the last two words replaced by those of another question, in up to 12 words: the same template.
continued      a question of up to 7 words that goes on, and so asks for something else.
train          GSM8K's own training questions; and rows of Alpaca: other people's questions.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random

from holdfast.data import EvalSet, Example, ask, read, read_eval_set, read_questions

SHARED = Path("../shared/data")
SETS = (
    "truthfulqa/TruthfulQA.csv",
    "gsm8k/test.jsonl",
    "xstest/xstest_prompts.csv",
    "arc/arc_easy.jsonl",
    "ifeval/input_data.jsonl",
    "mmlu_sample/mmlu.csv",
)
EACH = 160
"""Rows made by each edit."""

NEGATIVES = 1500
"""Rows taken from GSM8K train, and as many from Alpaca."""

NONE = frozenset[str]()
SYNONYMS = {
    "big": "large", "start": "begin", "help": "assist", "buy": "purchase", "create": "make", "show": "display",
    "kids": "children", "movie": "film", "biggest": "largest", "happens": "occurs", "near": "close to",
    "writing": "composing", "total": "overall", "needs": "requires", "car": "automobile", "sick": "ill",
    "answer": "reply", "picture": "photo", "job": "occupation", "scientists": "researchers", "best": "most fitting",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Labelled:
    """A row, the edit that made it, the item it came from, and the verdicts that are right."""

    row: Example
    edit: str
    item: str
    right: frozenset[str]

    @property
    def held_out(self) -> bool:
        """Half of the items, by their hash: never looked at while the check was tuned."""
        return sha256((self.item or self.row.id).encode()).digest()[0] % 2 == 1


Edit = Callable[[str, Random], str]


def count(text: str) -> int:
    return len(text.split())


def verbatim(text: str, rng: Random) -> str:
    changed = rng.choice((str.upper, str.lower, str.title, str))(text)
    changed = rng.choice((changed.rstrip(".?! "), changed.replace(",", ""), changed.replace("?", " ?"), f'"{changed}"'))
    return re.sub(r"\bwhat is\b", "what's", changed) if rng.random() < 0.5 else changed


def swapped(text: str, rng: Random) -> str:
    long = list(re.finditer(r"\b[a-z]{5,}\b", text))
    places = [at for found in long for at in range(found.start() + 1, found.end() - 1) if text[at] != text[at + 1]]
    if not places:
        return ""
    at = rng.choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def tell_me(text: str, rng: Random) -> str:
    if found := re.fullmatch(r"What(?:'s| is| are) (the [^,.?]+)\?", text):
        verb = "are" if text.startswith("What are") else "is"
        return rng.choice((f"Tell me what {found[1]} {verb}.", f"Give me {found[1]}.", f"Tell me {found[1]}"))
    if found := re.fullmatch(r"How (?:do|can|would) (?:I|you) ([^.?]+)\?", text):
        return rng.choice((f"How to {found[1]}", f"Please tell me how to {found[1]}", f"How does one {found[1]}?"))
    return ""


def synonym(text: str, rng: Random) -> str:
    known = [word for word in re.findall(r"\b[a-z]+\b", text) if word in SYNONYMS]
    if not known:
        return ""
    word = rng.choice(known)
    return re.sub(rf"\b{word}\b", SYNONYMS[word], text)


def reordered(text: str, rng: Random) -> str:
    found = re.fullmatch(r"If ([^,.?]+), ([^.?]+)\?", text)
    return f"{found[2][0].upper()}{found[2][1:]}, if {found[1]}?" if found else ""


def small_words(text: str, rng: Random) -> str:
    changes = (
        (r"\byou\b", "I"),
        (r"\bthere is\b", "is there"),
        (r" that\b", ""),
        (r"\bsome\b ", ""),
        (r"\bon\b", "in"),
    )
    possible = [re.sub(old, new, text) for old, new in changes if re.search(old, text)]
    return rng.choice(possible) if possible else ""


def renumbered(text: str, rng: Random) -> str:
    found = list(re.finditer(r"\b\d{1,3}\b", text))
    if not found:
        return ""
    one = rng.choice(found)
    return f"{text[: one.start()]}{int(one[0]) + rng.randint(1, 9)}{text[one.end() :]}"


def negated(text: str, rng: Random) -> str:
    changed = re.sub(r"\b(is|are|do|does|can|should|was|will)\b (\w+)", r"\1 \2 not", text, count=1)
    return changed if changed != text and text.endswith("?") else ""


def name_of(text: str) -> str:
    found = re.search(r"(?<=[a-z] )[A-Z][a-z]{3,}\b", text)
    return found[0] if found else ""


def tail_of(text: str) -> str:
    return " ".join(text.rstrip("?. ").split()[-2:])


def within(low: int, high: int, edit: Edit) -> Edit:
    return lambda text, rng: edit(text, rng) if low <= count(text) <= high and "\n" not in text else ""


def edits(items: Sequence[str], padding: Sequence[str]) -> Mapping[str, tuple[Edit, frozenset[str]]]:
    names = sorted({name_of(text) for text in items} - {""})
    tails = sorted({tail_of(text) for text in items if count(text) <= 12})

    def embedded(text: str, rng: Random) -> str:
        return f"{rng.choice(padding)} {text} {rng.choice(padding)}"

    def polite(text: str, rng: Random) -> str:
        return rng.choice((f"Please answer this question: {text}", f"I have a question for you. {text} Thank you!"))

    def entity(text: str, rng: Random) -> str:
        name = name_of(text)
        return re.sub(rf"\b{name}\b", rng.choice([each for each in names if each != name]), text) if name else ""

    def subject(text: str, rng: Random) -> str:
        tail = tail_of(text)
        return text.replace(tail, rng.choice([each for each in tails if each.split()[-1] != tail.split()[-1]]))

    def continued(text: str, rng: Random) -> str:
        if not text.endswith("?"):
            return ""
        more = ("in the harbor towns of the far north", "according to old sailors", "on a planet without any water")
        return f"{text.rstrip('?. ')} {rng.choice(more)}?"

    return {
        "verbatim": (within(2, 999, verbatim), frozenset({"exact"})),
        "embedded": (within(3, 999, embedded), frozenset({"contained"})),
        "polite": (within(3, 999, polite), frozenset({"contained"})),
        "partial": (within(26, 999, _first), frozenset({"n-gram"})),
        "long-number": (within(40, 999, renumbered), frozenset({"n-gram"})),
        "long-typo": (within(26, 999, swapped), frozenset({"n-gram", "paraphrase"})),
        "typo": (within(5, 12, swapped), frozenset({"paraphrase"})),
        "tell-me": (within(3, 25, tell_me), frozenset({"n-gram", "paraphrase"})),
        "small-words": (within(5, 25, small_words), frozenset({"n-gram", "paraphrase"})),
        "synonym": (within(4, 25, synonym), frozenset({"n-gram", "paraphrase"})),
        "reorder": (within(4, 60, reordered), frozenset({"n-gram", "paraphrase"})),
        "short-number": (within(3, 12, renumbered), NONE),
        "negated": (within(3, 12, negated), NONE),
        "entity": (within(3, 12, entity), NONE),
        "subject": (within(5, 12, subject), NONE),
        "continued": (within(3, 7, continued), NONE),
    }


def _first(text: str, rng: Random) -> str:
    said = text.split()
    return " ".join(said[: round(0.6 * len(said))])


def labelled(seed: int) -> tuple[tuple[EvalSet, ...], tuple[Labelled, ...]]:
    """The evaluation sets and the rows made of them."""
    sets = tuple(read_eval_set(SHARED / path) for path in SETS)
    items = [(id, re.sub(r"^Question: ", "", text)) for each in sets for id, text in each.items]
    alpaca = read(SHARED / "alpaca_subset/alpaca_data.json").examples
    padding = [found for row in alpaca for found in re.findall(r"(?<=\. )[A-Z][^.?!\n]{30,90}\.", row.answer)[:1]]
    made = list(_made(items, padding, Random(seed)))
    train = [ask(id, text, "x") for id, text in read_questions(SHARED / "gsm8k/train.jsonl")]
    rng = Random(seed + 1)
    made += [Labelled(row, "train", "", NONE) for row in rng.sample(train, NEGATIVES) + rng.sample(alpaca, NEGATIVES)]
    return sets, tuple(made)


def _made(items: Sequence[tuple[str, str]], padding: Sequence[str], rng: Random) -> Iterator[Labelled]:
    stood = {_bare(text) for _, text in items}
    for edit, (change, right) in edits([text for _, text in items], padding).items():
        done = 0
        for id, text in rng.sample(items, len(items)):
            changed = change(text, rng)
            if done == EACH or not changed or (edit != "verbatim" and _bare(changed) in stood):
                continue
            answer = "Certainly." if edit != "embedded" or rng.random() < 0.5 else changed
            row = ask(f"{edit}:{done}", changed if answer != changed else "Write a few lines.", answer)
            done += 1
            yield Labelled(row, edit, id, right)


def _bare(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().casefold()
