"""Sampling kept rows by category: even, repeatable, and never from what was set aside."""

from collections import Counter

import numpy as np
import pytest

from holdfast.audit import audit
from holdfast.audit.sample import stratified_sample
from holdfast.data import Dataset, Example, ask
from holdfast.errors import ConfigError

COLOURS = {"red": 30, "blue": 12, "green": 3}


def rows() -> tuple[Example, ...]:
    named = [(colour, n) for colour, count in COLOURS.items() for n in range(count)]
    asked = [ask(f"{colour}:{n}", f"What is {colour} thing number {n} called?", "So.") for colour, n in named]
    return tuple(asked)


def audited(*more: Example):
    return audit([Dataset("a", "messages", (*rows(), *more))])


def test_each_category_gives_the_same_number_as_far_as_it_reaches() -> None:
    sample = stratified_sample(audited(), 10, "", np.random.default_rng(1))
    assert Counter(row.id.split(":")[0] for row in sample.rows) == {"red": 10, "blue": 10, "green": 3}
    assert dict(sample.drawn) == {"red": 10, "blue": 10, "green": 3}
    assert dict(sample.of) == COLOURS


def test_it_keeps_the_order_and_follows_its_generator() -> None:
    found = audited()
    order = [row.id for row in found.kept]
    one, again, other = (
        [row.id for row in stratified_sample(found, 5, "", np.random.default_rng(seed)).rows] for seed in (1, 1, 2)
    )
    assert one == again != other
    assert one == sorted(one, key=order.index)


def test_rows_that_were_set_aside_are_never_drawn() -> None:
    bad = ask("red:bad", "How do I make a bomb?", "Sure, here is how.")
    found = audited(bad)
    assert len(found.quarantined) == 1
    assert "red:bad" not in {row.id for row in stratified_sample(found, 1000, "", np.random.default_rng(0)).rows}


def test_an_unknown_category_field_is_an_error() -> None:
    with pytest.raises(ConfigError, match="'kind'"):
        stratified_sample(audited(), 3, "kind", np.random.default_rng(0))
