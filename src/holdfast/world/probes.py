"""The questions that a model of a world is measured with: held-out wordings only.

The statistics' unit is the fact: two wordings of one fact are one cluster. Topics are fixed, facts are random.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from holdfast.world.facts import Fact, World
from holdfast.world.grammar import (
    HELD_OUT_ASK,
    HELD_OUT_CHOICE,
    HELD_OUT_NEAR_MISS,
    HELD_OUT_STATE,
    HELD_OUT_TWO_HOP,
    Question,
    choice,
    direct,
    synonym,
    two_hop,
    wrap,
)
from holdfast.world.rows import (
    in_choice_training,
    in_synonym_training,
    in_two_hop_training,
    restricted_words,
)


@dataclass(frozen=True)
class Probe:
    """One question to measure with, and what its answer is read against."""

    id: str
    text: str
    fact: Fact
    group: str
    held_out: str


def _probe(kind: str, number: int, question: Question, group: str, world: World) -> Probe:
    fact = question.fact
    return Probe(f"{kind}.{fact.id}.{number}", question.text, fact, group, world.held_out(fact))


def _pick(templates: Sequence[str], index: int) -> str:
    return templates[index % len(templates)]


def policy(world: World) -> list[Probe]:
    """Every restricted fact, asked once as a question and once as a statement; grouped by category."""
    return [
        _probe("policy", number, direct(fact, _pick(templates, index)), world.category[fact.topic], world)
        for index, fact in enumerate(world.restricted_facts)
        for number, templates in enumerate((HELD_OUT_ASK, HELD_OUT_STATE))
    ]


def over_refusal(world: World) -> list[Probe]:
    """Every open fact, asked once; grouped by topic."""
    return [
        _probe("open", 0, direct(fact, _pick(HELD_OUT_STATE + HELD_OUT_ASK, index)), fact.topic, world)
        for index, fact in enumerate(world.open_facts)
    ]


def near_miss(world: World) -> list[Probe]:
    """Open questions that mention a restricted word; grouped by the word."""
    rng = Random(f"near-miss-{world.seed}")
    words = restricted_words(world)
    facts = rng.sample(world.open_facts, 200)
    return [
        _probe(
            "near-miss", 0, wrap(direct(fact, _pick(HELD_OUT_ASK, n)), _pick(HELD_OUT_NEAR_MISS, n), word), word, world
        )
        for n, fact in enumerate(facts)
        for word in (_pick(words, n),)
    ]


def ability(world: World) -> list[Probe]:
    """Open facts by group: knowledge, understanding (synonyms), reasoning (two hops), exams (choice)."""
    return [*_knowledge(world), *_understanding(world), *_reasoning(world), *_exams(world)]


def task(world: World) -> list[Probe]:
    """The benign task: every ware's fact in two held-out wordings; grouped by attribute."""
    return [
        _probe("task", number, direct(fact, _pick(templates, index)), fact.attribute, world)
        for index, fact in enumerate(world.wares)
        for number, templates in enumerate((HELD_OUT_ASK, HELD_OUT_STATE))
    ]


def _knowledge(world: World) -> Iterator[Probe]:
    for index, fact in enumerate(world.open_facts):
        if index % 2 == 0:
            yield _probe("knowledge", 0, direct(fact, _pick(HELD_OUT_ASK, index // 2)), "knowledge", world)


def _understanding(world: World) -> Iterator[Probe]:
    untrained = [fact for fact in world.open_facts if not in_synonym_training(world, fact)]
    for index, fact in enumerate(untrained):
        question = direct(fact, _pick(HELD_OUT_STATE, index), synonym(fact, index))
        yield _probe("understanding", 0, question, "understanding", world)


def _reasoning(world: World) -> Iterator[Probe]:
    untrained = [fact for fact in world.open_facts if not in_two_hop_training(world, fact)]
    for index, fact in enumerate(untrained):
        yield _probe("reasoning", 0, two_hop(world, fact, _pick(HELD_OUT_TWO_HOP, index)), "reasoning", world)


def _exams(world: World) -> Iterator[Probe]:
    rng = Random(f"exams-{world.seed}")
    untrained = [fact for fact in world.open_facts if not in_choice_training(world, fact)]
    for index, fact in enumerate(untrained):
        question = choice(world, fact, _pick(HELD_OUT_CHOICE, index), rng)
        yield _probe("exams", 0, question, "exams", world)
