"""Two sides' rows of one metric, paired by prompt and turned so that more is worse.

Decides nothing. A sample that could not be scored stays: it is good in the one bound and bad in the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from holdfast.compare.results import BadIs, Metric, Row
from holdfast.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """One side's samples, summed per prompt; badness 1 is as bad as can be."""

    samples: Floats
    scored: Floats
    bad: Floats
    """Sum of badness over the scored samples."""
    first: Floats
    """Badness of the first sample; NaN where it could not be scored."""

    @property
    def mean(self) -> Floats:
        """Mean badness of the scored samples; NaN where there are none."""
        return np.divide(self.bad, self.scored, out=np.full_like(self.bad, np.nan), where=self.scored > 0)

    @property
    def if_good(self) -> Floats:
        """Mean badness if every unscored sample were good."""
        return self.bad / self.samples

    @property
    def if_bad(self) -> Floats:
        """Mean badness if every unscored sample were bad."""
        return (self.bad + self.samples - self.scored) / self.samples

    @property
    def unscored(self) -> int:
        """Samples that could not be scored."""
        return int(self.samples.sum() - self.scored.sum())

    def part(self, chosen: NDArray[np.bool_]) -> "Scores":
        """The chosen prompts alone."""
        return Scores(self.samples[chosen], self.scored[chosen], self.bad[chosen], self.first[chosen])


@dataclass(frozen=True, slots=True)
class Pairs:
    """One metric on the prompts that either side answered; an answer that is missing is unscored."""

    ids: tuple[str, ...]
    clusters: NDArray[np.intp]
    groups: NDArray[np.str_]
    before: Scores
    after: Scores
    old_if_good: Floats
    """Before, where each unscored or distrusted sample counts as good: the worst case for the new model."""
    new_if_bad: Floats
    """After, where each such sample counts as bad."""
    unpaired: int
    """Prompts that only one side answered."""
    binary: bool
    """Whether every value is 0 or 1."""

    @property
    def n(self) -> int:
        """Prompts."""
        return len(self.clusters)

    @property
    def both_scored(self) -> NDArray[np.bool_]:
        """Prompts with a scored sample on both sides."""
        return (self.before.scored > 0) & (self.after.scored > 0)

    def part(self, chosen: NDArray[np.bool_]) -> "Pairs":
        """The chosen prompts alone."""
        return replace(
            self,
            ids=tuple(id for id, kept in zip(self.ids, chosen.tolist(), strict=True) if kept),
            clusters=self.clusters[chosen],
            groups=self.groups[chosen],
            before=self.before.part(chosen),
            after=self.after.part(chosen),
            old_if_good=self.old_if_good[chosen],
            new_if_bad=self.new_if_bad[chosen],
        )


def pair_rows(before: Metric, after: Metric, *, distrust_cut: bool) -> Pairs:
    """Pair two sides of a metric by prompt id; `distrust_cut` treats truncated answers as worst case too.

    Raises:
        DataError: no prompt in common, or a prompt that is in another cluster on each side.
    """
    asked, known = ({row.prompt_id for row in side.rows} for side in (before, after))
    if not asked & known:
        raise DataError(
            f"{before.name!r} has no prompt on both sides.",
            f"Prompts such as {_some(before)} before, {_some(after)} after.",
            "Measure both models on the same suite, or give both files the same prompt_id column.",
        )
    before, after = _completed(before, after), _completed(after, before)
    index = {id: number for number, id in enumerate(dict.fromkeys(row.prompt_id for row in before.rows))}
    old, new = (_scores(side, index, blind=False) for side in (before, after))
    old_trusted, new_trusted = (
        (_scores(side, index, blind=True) for side in (before, after)) if distrust_cut else (old, new)
    )
    values = {row.value for side in (before, after) for row in side.rows} - {None}
    return Pairs(
        ids=tuple(index),
        clusters=_clusters(before, after, index),
        groups=_groups(before, index),
        before=old,
        after=new,
        old_if_good=old_trusted.if_good,
        new_if_bad=new_trusted.if_bad,
        unpaired=len(asked ^ known),
        binary=values <= {0.0, 1.0},
    )


def _completed(metric: Metric, other: Metric) -> Metric:
    """The metric with a row for every answer that should be there: a lost answer is unscored, not left out.

    Which answers get lost is not chance (a model that loops, a filter that cuts), so leaving them out would flatter.
    """
    places = {row.prompt_id: row for row in (*other.rows, *metric.rows)}
    given = {(row.prompt_id, row.sample) for row in metric.rows}
    samples = 1 + max(row.sample for row in metric.rows)
    lost = [
        Row(id, sample, None, row.cluster, row.group)
        for id, row in places.items()
        for sample in range(samples)
        if (id, sample) not in given
    ]
    return replace(metric, rows=(*metric.rows, *lost)) if lost else metric


def _scores(metric: Metric, index: Mapping[str, int], *, blind: bool) -> Scores:
    rows = [row for row in metric.rows if row.prompt_id in index]
    place = np.array([index[row.prompt_id] for row in rows], dtype=np.intp)
    value = np.array(
        [np.nan if row.value is None or (blind and row.truncated) else row.value for row in rows],
        dtype=np.float64,
    )
    badness = value if metric.bad_is == "high" else 1 - value
    known, size = ~np.isnan(badness), len(index)
    first = np.empty(size)
    latest_first = np.argsort([-row.sample for row in rows], kind="stable")
    first[place[latest_first]] = badness[latest_first]  # the lowest sample is written last
    return Scores(
        samples=np.bincount(place, minlength=size).astype(np.float64),
        scored=np.bincount(place, weights=known, minlength=size).astype(np.float64),
        bad=np.bincount(place, weights=np.where(known, badness, 0), minlength=size).astype(np.float64),
        first=first,
    )


def _clusters(before: Metric, after: Metric, index: Mapping[str, int]) -> NDArray[np.intp]:
    named: dict[str, str] = {}
    for row in (*before.rows, *after.rows):
        if row.cluster and row.prompt_id in index and named.setdefault(row.prompt_id, row.cluster) != row.cluster:
            raise DataError(
                f"Prompt {row.prompt_id!r} of {before.name!r} is in two clusters: "
                f"{named[row.prompt_id]!r} and {row.cluster!r}.",
                "Clusters are the independent units of the statistics and must agree on both sides.",
                "Give each prompt one cluster in both files.",
            )
    codes: dict[tuple[str, str], int] = {}
    labels = [("in", named[id]) if id in named else ("alone", id) for id in index]
    return np.array([codes.setdefault(label, len(codes)) for label in labels], dtype=np.intp)


def _groups(metric: Metric, index: Mapping[str, int]) -> NDArray[np.str_]:
    group = {row.prompt_id: row.group for row in metric.rows}
    return np.array([group[id] for id in index], dtype=np.str_)


def _some(metric: Metric) -> str:
    ids = list(dict.fromkeys(row.prompt_id for row in metric.rows))
    return ", ".join(map(repr, ids[:3])) if ids else "none"


def own_terms(badness: float, bad_is: BadIs) -> float:
    """A badness as the metric's own value: itself, or one less it where low is bad."""
    return badness if bad_is == "high" else round(1 - badness, 12)  # 0.45, not 0.44999999999999996
