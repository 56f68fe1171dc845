"""What the ledger keeps of a measurement: each sample's value and a digest of its answer, no text of either.

The prompts of a metric are a table of their own, so that releases on the same prompts share it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.compare import Metric, Row, Side
from holdfast.errors import DataError
from holdfast.store import digest

Table = list[list[str]]
"""A prompt a line: its id, cluster and group."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A measurement as the ledger keeps it: plain JSON rows that find each other by digest."""

    rows: list[dict[str, Any]]
    """The model first, then a metric a row."""
    prompts: Mapping[str, Table]
    """sha256 -> the prompts of one or more metrics."""

    @property
    def digest(self) -> str:
        """sha256 by which the measurement is known; the model's name is no part of it."""
        return digest(self.rows)


def keep(side: Side) -> Kept:
    """A side without names and texts.

    Raises:
        DataError: there is no metric or no row, or a prompt is in two clusters.
    """
    if not side.metrics or not all(metric.rows for metric in side.metrics.values()):
        raise DataError(f"{side.name!r} holds no metric, or one without rows.", "Nothing was measured.", "Measure it.")
    rows: list[dict[str, Any]] = [{"weights": side.weights, "template": side.template}]
    tables = {}
    for metric in side.metrics.values():
        table = _table(metric)
        tables[digest(table)] = table
        rows.append(_kept(metric, table))
    return Kept(rows, tables)


def _table(metric: Metric) -> Table:
    prompts: dict[str, list[str]] = {}
    for row in metric.rows:
        at = prompts.setdefault(row.prompt_id, [row.prompt_id, row.cluster, row.group])
        if row.cluster and at[1] and at[1] != row.cluster:
            raise DataError(
                f"Prompt {row.prompt_id!r} of {metric.name!r} is in two clusters: {at[1]!r} and {row.cluster!r}.",
                "Clusters are the independent units of the statistics.",
                "Give each prompt one cluster.",
            )
        at[1:] = [at[1] or row.cluster, row.group]
    return list(prompts.values())


def _kept(metric: Metric, table: Table) -> dict[str, Any]:
    place = {id: number for number, (id, _, _) in enumerate(table)}
    order = sorted(range(len(metric.rows)), key=lambda at: (place[metric.rows[at].prompt_id], metric.rows[at].sample))
    rows = [metric.rows[at] for at in order]
    answers = [metric.answers[at] for at in order] if len(metric.answers) == len(rows) else []
    return {
        "metric": metric.name,
        "says": metric.says,
        "bad_is": metric.bad_is,
        "wants": metric.wants,
        "settings": dict(metric.settings),
        "prompts": digest(table),
        "samples": _samples(rows, table),
        "values": [_short(row.value) for row in rows],
        "cut": [at for at, row in enumerate(rows) if row.truncated],
        "answers": answers if any(answers) else [],
    }


def _samples(rows: Sequence[Row], table: Table) -> int | list[list[int]]:
    """How many a prompt has, or where they differ or have gaps, the numbers of each."""
    numbers: dict[str, list[int]] = {id: [] for id, _, _ in table}
    for row in rows:
        numbers[row.prompt_id].append(row.sample)
    most = max(map(len, numbers.values()))
    full = list(range(most))
    return most if all(found == full for found in numbers.values()) else list(numbers.values())


def _short(value: float | None) -> float | int | None:
    return int(value) if value in (0, 1) else value  # "1" and not "1.0"


def restore(name: str, rows: Sequence[Mapping[str, Any]], table_of: Callable[[str], Table]) -> Side:
    """The side that was kept, under a name.

    Raises:
        KeyError, TypeError, ValueError, IndexError: the rows are none of ours.
    """
    model, *metrics = rows
    found = [_metric(row, table_of(row["prompts"])) for row in metrics]
    return Side(name, model["weights"], model["template"], {metric.name: metric for metric in found})


def _metric(kept: Mapping[str, Any], table: Table) -> Metric:
    each = kept["samples"]
    numbers = [list(range(each))] * len(table) if isinstance(each, int) else each
    places = [(prompt, sample) for prompt, found in zip(table, numbers, strict=True) for sample in found]
    cut = set(kept["cut"])
    rows = tuple(
        Row(id, sample, None if value is None else float(value), cluster, group, at in cut)
        for at, (((id, cluster, group), sample), value) in enumerate(zip(places, kept["values"], strict=True))
    )
    named = {key: kept[key] for key in ("says", "bad_is", "settings", "wants")}
    return Metric(name=kept["metric"], rows=rows, answers=tuple(kept["answers"]), **named)


def prompt_set(metric: Metric) -> str:
    """By what a set of prompts is recognised, in whatever order and with whatever clusters: their ids, and the digest
    of their texts where the measurement has one.
    """
    return digest([metric.settings.get("prompts", ""), sorted({row.prompt_id for row in metric.rows})])[:16]
