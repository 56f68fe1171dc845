"""A worsening that a judge read on every answer and people on a random sample of them. Numbers only.

Prediction-powered inference (Angelopoulos et al. 2023, arXiv 2301.09633; PPI++, arXiv 2311.01453): what the judge reads
everywhere, and what people's labels say it is wrong by. It holds however the judge errs, on either side; a poor judge
costs width. The limits are not those of these papers, which are Wald's and err near zero: every part has limits by
rise and fall, and these are squared and added with their correlations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from holdfast.stats.paired import Paired, PairedParts, pair
from holdfast.stats.proportion import Floats, Interval, labelled, residual_sums, variance

MOST = 1_000_000
"""Above this many labels a plan says nothing that a person can act on."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Answers that were drawn at random and read by a person: one entry each."""

    prompts: NDArray[np.intp]
    """Its prompt's place among the prompts."""
    after: NDArray[np.bool_]
    """Whether it is of the side after."""
    human: Floats
    """Its badness as the person read it, in [0, 1]."""
    judge: Floats
    """Its badness as the judge read it, as it entered the prompt's mean."""
    weights: Floats
    """One over the probability with which it was drawn; 1 for an answer that was certain to be labelled."""
    shares: Floats
    """What it is of its prompt's mean on its side: one over the number of answers there."""

    def part(self, chosen: NDArray[np.bool_]) -> "Labelled":
        """The chosen ones alone."""
        return Labelled(
            self.prompts[chosen],
            self.after[chosen],
            self.human[chosen],
            self.judge[chosen],
            self.weights[chosen],
            self.shares[chosen],
        )


@dataclass(frozen=True, slots=True)
class Rectified:
    """What the judge read, and what the labels say it was wrong by."""

    parts: tuple[Paired, PairedParts, PairedParts]
    """The worsening that was read on all prompts (people's word where certain, λ times the judge's elsewhere); half of
    what people read more than the judge, after less before; half of what people read. The last two are over the
    answers that were not certain to be labelled, of which the labelled ones are a sample."""
    factors: tuple[float, float, float]
    """What each part counts: they add up to the worsening."""
    correlations: tuple[tuple[float, float, float], ...]
    """Of the three, as estimated."""
    lam: float
    """The judge's weight λ: 0 leaves the labels alone."""
    labels: int
    """Labelled answers."""
    certain: int
    """Those among them that were certain to be labelled."""

    @property
    def effective(self) -> int:
        """Clusters of equal weight that would say as much as the labels of the sample (Kish); 0 without a sample."""
        return self.parts[1].clusters

    @property
    def estimate(self) -> float:
        """What was read, and what the labels add to it; unbiased for any λ that is fixed."""
        total = sum(factor * part.estimate for factor, part in zip(self.factors, self.parts, strict=True))
        return min(1.0, max(-1.0, total))

    @property
    def method(self) -> str:
        """The method in words."""
        return f"PPI++ with λ = {self.lam:.2f}: {self.parts[0].method}, and so for the labels (MOVER)"

    def limits(self, level: float) -> Interval:
        """Square-and-add of the parts' limits, with their correlations; -1 and 1 from one cluster of labels."""
        if self._unknown:
            return -1.0, 1.0
        down, up = self._half_widths(self.parts, level)
        return max(-1.0, self.estimate - down), min(1.0, self.estimate + up)

    def judge_alone(self, level: float) -> float:
        """The half-width that the labels alone leave: what stays with infinitely many prompts."""
        return 1.0 if self._unknown else min(1.0, max(self._half_widths((None, *self.parts[1:]), level)))

    def labels_needed(self, margin: float, level: float = 0.95, share: float = 0.5) -> int | None:
        """Labels, drawn likewise, with which the judge's part of a limit is at most `share` of the margin.

        Counts those that are certain as they are. None where the number is above a million, or the labels are of one
        cluster and tell nothing.
        """
        if self._unknown:
            return None
        drawn = self.labels - self.certain

        def enough(labels: int) -> bool:
            grown = [_grown(part, labels / drawn) for part in self.parts[1:] if isinstance(part, PairedParts)]
            return max(self._half_widths((None, *grown), level)) <= share * margin

        if drawn == 0 or enough(1):
            return self.certain + min(drawn, 1)
        if not enough(MOST):
            return None
        few, many = 1, MOST
        while many - few > 1:
            middle = (few + many) // 2
            few, many = (few, middle) if enough(middle) else (middle, many)
        return self.certain + many

    @property
    def _unknown(self) -> bool:
        return self.labels > self.certain and self.effective < 2

    def _half_widths(self, parts: Sequence[Paired | None], level: float) -> Interval:
        """Down and up: √(aᵀ R a), with the parts' arms a; a part that is None is known."""
        arms = np.array(
            [
                (0.0, 0.0) if part is None or factor == 0 else [factor * arm for arm in _arms(part, level)]
                for factor, part in zip(self.factors, parts, strict=True)
            ]
        )
        squares = np.sum(arms * (np.array(self.correlations) @ arms), axis=0)
        down, up = np.sqrt(np.maximum(squares, 0.0)).tolist()
        return down, up


def rectified(
    before: ArrayLike,
    after: ArrayLike,
    labels: Labelled,
    clusters: ArrayLike | None = None,
    lam: float | None = None,
) -> Rectified:
    """The worsening from a judge's reading of all answers and people's of some.

    Where people's word was certain to be had it takes the judge's place. Of the rest the estimate is λ times what the
    judge read, and the weighted mean (Hájek's, by side) of what people read more than λ times the judge.

    Args:
        before: per prompt, its badness as the judge read it, in [0, 1]: the mean over its samples.
        after: likewise.
        labels: answers of either side, drawn at random with known probabilities.
        clusters: a label per prompt.
        lam: the judge's weight λ, in [0, 1]; else the one that leaves the least variance, as estimated.

    Raises:
        ValueError: as `pair`; a side with answers that nobody could have labelled; a weight below 1; λ outside [0, 1].
    """
    pair(before, after, clusters)
    if lam is not None and not 0 <= lam <= 1:
        raise ValueError(f"λ lies in [0, 1], and {lam!r} does not")
    if not np.all((labels.weights >= 1 - 1e-9) & np.isfinite(labels.weights)):
        raise ValueError("a weight is one over a probability")
    codes = labelled(before, clusters)[1]
    sure = labels.weights <= 1 + 1e-9
    sample = _Sample(labels.part(~sure), _left(labels.part(sure), len(codes)), codes)
    people, judge = _split(np.array([before, after], dtype=np.float64), labels.part(sure))
    known, guessed = (residual_sums(side[1] - side[0], codes) / len(codes) for side in (people, judge))
    human, read = sample.sums(sample.labels.human), sample.sums(sample.labels.judge)
    if lam is None:
        lam = _least_variance(known + human, read - guessed)
    old, new = np.clip(people + lam * judge, 0, 1)
    return Rectified(
        parts=(
            pair(old, new, clusters),
            sample.parts(sample.labels.human - sample.labels.judge),
            sample.parts(sample.labels.human),
        ),
        factors=(1.0 if lam > 0 or sure.any() else 0.0, lam * sample.scale, (1 - lam) * sample.scale),
        correlations=_correlations(known + lam * guessed, human - read, human),
        lam=lam,
        labels=len(sure),
        certain=int(sure.sum()),
    )


@dataclass(frozen=True, slots=True)
class _Sample:
    """The labelled answers that stand for others."""

    labels: Labelled
    left: Interval
    """Before and after: the share of the mean that was not certain to be labelled."""
    codes: NDArray[np.intp]
    """Per prompt, its cluster."""

    @property
    def scale(self) -> float:
        """What twice the mean over both sides counts."""
        return sum(self.left)

    @property
    def weights(self) -> Floats:
        """Scaled to add up, on each side, to the side's part of the number of labels."""
        each = self.labels.weights * self.labels.shares
        weights = np.zeros(len(each))
        for side, left in zip((~self.labels.after, self.labels.after), self.left, strict=True):
            if left > 0 and not side.any():
                raise ValueError("both sides need labelled answers")
            weights[side] = each[side] / each[side].sum() * len(each) * left / self.scale
        return weights

    def sums(self, values: Floats) -> Floats:
        """Per cluster, the linearised part that the answers have in the mean after less the mean before."""
        groups, weights, after = int(self.codes.max()) + 1, self.weights, self.labels.after
        if not len(weights):
            return np.zeros(groups)
        own = [np.average(values[side], weights=weights[side]) if side.any() else 0.0 for side in (~after, after)]
        signed = np.where(after, values - own[1], own[0] - values) * weights * self.scale / len(weights)
        return np.bincount(self.codes[self.labels.prompts], weights=signed, minlength=groups).astype(np.float64)

    def parts(self, values: Floats) -> PairedParts:
        """Rise and fall of values in [-1, 1], netted within each prompt.

        The mean is over all answers, those before with their sign turned: half of the difference of the two sides'
        means. So one wrong reading among n labels is 1/n of it, whichever side it is on.
        """
        weights, n = self.weights, len(values)
        if n == 0:
            return PairedParts(0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0)
        places, unit = np.unique(self.labels.prompts, return_inverse=True)
        net = np.bincount(unit, weights=np.where(self.labels.after, 1, -1) * weights * values)
        sizes, own = np.bincount(unit, weights=weights), np.unique(self.codes[places], return_inverse=True)[1]
        total = np.bincount(own, weights=sizes)
        clusters = int(n**2 / (total @ total) + 1e-9)
        rise, fall = np.maximum(net, 0), np.maximum(-net, 0)
        up, down = (np.bincount(own, weights=part - part.sum() / n * sizes).astype(np.float64) for part in (rise, fall))
        both = self.sums(values) / self.scale
        rising, falling = variance(up, up, n), variance(down, down, n)
        spread = float(both @ both) * len(total) / (len(total) - 1) if len(total) > 1 else inf
        changed = np.bincount(own[unit], weights=np.abs(values) > 0.5) > 0
        return PairedParts(
            rise=float(rise.sum() / n),
            fall=float(fall.sum() / n),
            rise_variance=rising,
            fall_variance=falling,
            # What makes the two together vary as each side's answers vary about that side's own mean; bounded, since
            # where nearly all are bad on both sides it would leave no width at all.
            covariance=min((rising + falling - spread) / 2, sqrt(rising * falling) / 2) if len(total) > 1 else 0.0,
            n=n,
            clusters=clusters,
            changed=int(total[changed].sum() / n * clusters),
        )


def _left(sure: Labelled, prompts: int) -> Interval:
    """Of each side's mean, the share that was not certain to be labelled."""
    before, after = (1 - float(sure.shares[side].sum()) / prompts for side in (~sure.after, sure.after))
    return max(0.0, before) if before > 1e-9 else 0.0, after if after > 1e-9 else 0.0


def _split(read: Floats, sure: Labelled) -> tuple[Floats, Floats]:
    """The parts of each prompt's mean, before and after, that people read for certain and that the judge read."""
    people, judge = np.zeros_like(read), read.copy()
    at = sure.after.astype(np.intp), sure.prompts
    np.add.at(people, at, sure.human * sure.shares)
    np.add.at(judge, at, -sure.judge * sure.shares)
    return people, judge


def _least_variance(human: Floats, judge: Floats) -> float:
    """The λ for which human - λ judge, a total's parts by cluster, varies least; 0 where the judge tells nothing.

    With labels that are a simple sample of n of N it is cov(Y, Ŷ)/var(Ŷ); PPI++'s cov/((1 + n/N) var) takes the
    labelled answers for others than those that the judge read.
    """
    square = float(judge @ judge)
    return min(1.0, max(0.0, float(human @ judge) / square)) if square > 1e-15 else 0.0


def _correlations(*sums: Floats) -> tuple[tuple[float, float, float], ...]:
    table = np.array(sums) @ np.array(sums).T
    norm = np.sqrt(np.diag(table))
    norm[norm < 1e-12] = inf
    table = table / np.outer(norm, norm)
    np.fill_diagonal(table, 1.0)
    return tuple((float(a), float(b), float(c)) for a, b, c in table)


def _grown(parts: PairedParts, factor: float) -> PairedParts:
    """What as many more labels of the same kind would give."""
    return PairedParts(
        rise=parts.rise,
        fall=parts.fall,
        rise_variance=parts.rise_variance / factor,
        fall_variance=parts.fall_variance / factor,
        covariance=parts.covariance / factor,
        n=max(2, int(parts.n * factor)),
        clusters=max(2, int(parts.clusters * factor)),
        changed=int(parts.changed * factor),
    )


def _arms(paired: Paired, level: float) -> Interval:
    lower, upper = paired.limits(level)
    return paired.estimate - lower, upper - paired.estimate
