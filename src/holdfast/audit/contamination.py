"""Rows that hold an evaluation question. The evaluation stays; the training row goes.

Knows nothing of answers to the question, nor of translations of it: those pass.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

from holdfast.audit.check import Figure, Material, Need
from holdfast.audit.contained import Held, most_held
from holdfast.audit.paraphrase import paraphrased
from holdfast.audit.spans import Span, span
from holdfast.audit.words import words
from holdfast.data import EvalSet, Example, Finding

NAME = "contamination"
SHOWN = 300
LABEL = re.compile(r"^\s*(?:question|q|problem|prompt)\s*[:.]\s*", re.IGNORECASE)
"""What a set writes before each of its questions, and a training row need not repeat."""

Verdict = Literal["exact", "contained", "n-gram", "paraphrase"]
REASONS: Mapping[Verdict, str] = {
    "exact": "The prompt is an evaluation question, word for word.",
    "contained": "The row holds the whole of an evaluation question.",
    "n-gram": "The row holds {score:.0%} of an evaluation question's telling words, in stretches of eight and more.",
    "paraphrase": "The prompt asks what an evaluation question asks, in other words or with a slip.",
}


@dataclass(frozen=True, slots=True)
class Item:
    """An evaluation question, with its place."""

    id: str
    set: str
    text: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contamination:
    """Four verdicts, the plainest that holds: exact, contained, n-gram, paraphrase."""

    name: str = NAME
    says: str = "Rows that hold a question of the evaluation sets they are audited against."
    needs: Need = "against"
    restorable: bool = True

    def find(self, material: Material) -> Iterator[Finding | Figure]:
        """A finding for each row that holds an evaluation question: which one, how, and the span; and the figure."""
        items = list(_items(material.against))
        found = _found(material, items)
        counts: Counter[str] = Counter()
        hit: set[int] = set()
        for at in sorted(found):
            verdict, item, score = found[at]
            counts[verdict] += 1
            hit.add(item)
            evidence = _evidence(material.examples[at], items[item], verdict)
            reason = REASONS[verdict].format(score=score)
            yield Finding(NAME, material.examples[at].id, reason, evidence, items[item].id, score, verdict=verdict)
        yield _figure(material, counts, [(item.set, at in hit) for at, item in enumerate(items)])


def _items(sets: Sequence[EvalSet]) -> Iterator[Item]:
    for each in sets:
        for id, text in each.items:
            bare = LABEL.sub("", text)
            yield Item(id, each.name, bare, tuple(words(bare)))


def _found(material: Material, items: Sequence[Item]) -> dict[int, tuple[Verdict, int, float]]:
    """For each row that holds a question, by its place: how, which, and how much of it or how near."""
    said = [[tuple(words(turn.content)) for turn in row.turns] for row in material.examples]
    prompts = [row.prompt for row in material.examples]
    whole = {item.words: at for at, item in reversed(list(enumerate(items))) if item.words}
    found: dict[int, tuple[Verdict, int, float]] = {}
    for at, (row, turns) in enumerate(zip(material.examples, said, strict=True)):
        asked = [turn for turn, stood in zip(turns, row.turns, strict=True) if stood.role == "user"]
        joined = tuple(chain.from_iterable(asked))
        if exact := [whole[each] for each in (joined, *asked) if each in whole]:
            found[at] = ("exact", exact[0], 1.0)
    for at, held in _held(material, items, said, prompts).items():
        found.setdefault(at, ("contained" if held.whole else "n-gram", held.item, round(held.part, 4)))
    rest = [at for at in range(len(prompts)) if at not in found]
    near = paraphrased([LABEL.sub("", prompts[at]) for at in rest], [item.text for item in items], material)
    return found | {rest[at]: ("paraphrase", item, cosine) for at, (item, cosine) in near.items()}


def _held(
    material: Material, items: Sequence[Item], said: Sequence[Sequence[Sequence[str]]], prompts: Sequence[str]
) -> dict[int, Held]:
    numbers: dict[str, int] = {}
    prompt_of = [numbers.setdefault(prompt, len(numbers)) for prompt in prompts]

    def stands(row: int, item: int) -> Span | None:
        where = _span(material.examples[row], items[item])[1]
        # A question without a mark at its end is one that its set lets go on (a stem before choices).
        open_ended = items[item].text.rstrip()[-1:].isalnum()
        return replace(where, closes=True) if where and open_ended else where

    return most_held(said, [item.words for item in items], prompt_of, stands)


def _span(row: Example, item: Item) -> tuple[str, Span | None]:
    """The turn that holds most of a question, and where."""
    spans = [(turn.content, span(turn.content, item.words)) for turn in row.turns]
    return max(spans, key=lambda each: each[1].words if each[1] else 0)


def _evidence(row: Example, item: Item, verdict: Verdict) -> str:
    if verdict == "paraphrase":
        return row.prompt[:SHOWN]
    text, where = _span(row, item)
    return text[where.start : where.end][:SHOWN] if where else row.prompt[:SHOWN]


def _figure(material: Material, counts: Mapping[str, int], items: Sequence[tuple[str, bool]]) -> Figure:
    encoder, threshold = material.nearness.encoder, material.nearness.threshold
    sizes = Counter(name for name, _ in items)
    held = Counter(name for name, hit in items if hit)
    kinds = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in REASONS)
    says = (
        f"{sum(counts.values()):,} rows hold one of {len(items):,} evaluation questions ({kinds}); "
        f"paraphrases by {encoder.name} above {threshold:g}."
    )
    value = {
        "verdicts": {verdict: counts.get(verdict, 0) for verdict in REASONS},
        "sets": {name: {"items": size, "held": held[name]} for name, size in sizes.items()},
        "encoder": encoder.name,
        "origin": encoder.origin,
        "threshold": threshold,
    }
    return Figure(NAME, says, value)
