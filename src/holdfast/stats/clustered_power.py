"""How often the gate passes or fails prompts that lie in clusters or are asked several times. Simulated, by its limits.

What one cluster can show is enumerated; a run is a draw of clusters, and `PairedParts.limits` decides it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import betaln, gammaln

from holdfast.stats.paired import PairedParts
from holdfast.stats.power import Change, Outcome, Rule
from holdfast.stats.proportion import Floats

RUNS = 2_000
"""Simulated runs a chance: its standard error is at most 0.011."""
RARE = 1e-9
"""What one cluster shows less often is left out."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How prompts hang together and are asked."""

    base: float
    """Share of bad answers before."""
    samples: int = 1
    """Answers of each prompt and model."""
    size: int = 1
    """Prompts of a cluster."""
    icc: float = 0.0
    """Correlation of the changes of two prompts of a cluster."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """All that one cluster can show, and how often."""

    moments: Floats
    """Per case: rise, fall, rise², fall², rise · fall, summed over its prompts, and whether anything changed."""
    mass: Floats


def chance_clustered(outcome: Outcome, n: int, drawn: Clusters, size: int, rule: Rule, seed: int) -> float:
    """P(outcome) on n prompts in clusters of `size`, a share of `RUNS` runs; the same seed gives the same runs.

    Raises:
        ValueError: n is no multiple of the size.
    """
    clusters, rest = divmod(n, size)
    if rest:
        raise ValueError(f"{n} prompts are no clusters of {size}")
    level, met = rule.level_of(outcome), 0
    for sums in _runs(drawn, clusters, np.random.default_rng(seed)):
        lower, upper = _parts(sums, n, clusters).limits(level)
        met += upper < rule.margin if outcome == "pass" else lower > rule.margin
    return met / RUNS


def one_cluster(change: Change, shape: Shape) -> Clusters:
    """What one cluster shows: each prompt, with probability √icc, does as a common draw does, else as its own.

    So two prompts of a cluster correlate by icc. The sum over the common draw x of p(x) (√icc z^x + (1-√icc) G(z))^m,
    G the generating function of one prompt, is read off by a discrete Fourier transform.
    """
    k, m = shape.samples, shape.size
    alone, copied = _prompt(change, shape), sqrt(shape.icc)
    single = np.zeros((2 * k + 1, m * k + 1, m * k + 1))
    for case, step in enumerate(range(-k, k + 1)):
        single[case, max(step, 0), max(-step, 0)] = 1.0
    waves = np.fft.fft2(single)
    own = np.tensordot(alone, waves, axes=1)
    mixed = np.tensordot(alone, (copied * waves + (1 - copied) * own) ** m, axes=1)
    mass = np.fft.ifft2(mixed).real
    rise, fall = np.nonzero(mass > RARE)
    kept = mass[rise, fall]
    order = np.argsort(-kept)
    up, down = rise[order] / k, fall[order] / k
    moments = np.stack([up, down, up * up, down * down, up * down, up + down > 0], axis=1)
    return Clusters(moments, kept[order] / kept.sum())


def expected(drawn: Clusters, size: int) -> PairedParts:
    """What a hundred thousand clusters would show."""
    clusters = 100_000
    return _parts(clusters * (drawn.mass @ drawn.moments), clusters * size, clusters)


def _prompt(change: Change, shape: Shape) -> Floats:
    """P(change of one prompt, in samples) from -k to k.

    A share `worse` was always good and is always bad now. Each other has a rate q of bad answers, the same before and
    after, drawn from the beta distribution that gives the mean `base` and E q(1-q) = `flip`: Miller's within-prompt
    variance (2024, arXiv 2411.00640), so that k samples divide the noise by k.
    """
    k, rest = shape.samples, 1 - change.worse
    if k == 1:
        found = np.array([change.flip, rest - 2 * change.flip, change.flip])
    else:
        bad = _beta_binomial(k, shape.base / rest, change.flip / rest)
        found = rest * np.array([np.trace(bad, offset) for offset in range(-k, k + 1)])
    found[-1] += change.worse
    return np.asarray(np.clip(found, 0, None), dtype=np.float64)


def _beta_binomial(k: int, base: float, flip: float) -> Floats:
    """P(i bad of k before, j bad of k after) where both share a rate with this mean and E q(1-q) = flip."""
    if flip < 1e-12:
        found = np.zeros((k + 1, k + 1))
        found[0, 0], found[k, k] = 1 - base, base
        return found
    share = 1 - flip / (base * (1 - base))
    spread = (1 - share) / max(share, 1e-9)
    a, b = base * spread, (1 - base) * spread
    i = np.arange(k + 1)
    ways = gammaln(k + 1) - gammaln(i + 1) - gammaln(k - i + 1)
    bad = i[:, None] + i
    return np.asarray(np.exp(ways[:, None] + ways + betaln(a + bad, b + 2 * k - bad) - betaln(a, b)))


def _runs(drawn: Clusters, clusters: int, rng: np.random.Generator) -> Iterable[Floats]:
    """The summed moments of each run's clusters."""
    cases = len(drawn.mass)
    if cases <= clusters:
        return np.asarray(rng.multinomial(clusters, drawn.mass, RUNS) @ drawn.moments)
    return (drawn.moments[rng.choice(cases, clusters, p=drawn.mass)].sum(axis=0) for _ in range(RUNS))


def _parts(sums: Floats, n: int, clusters: int) -> PairedParts:
    """What the gate makes of the summed moments of a run's clusters."""
    rise, fall, rises, falls, crossed, changed = (float(each) for each in sums)
    scale = clusters / (clusters - 1) / n**2
    return PairedParts(
        rise / n,
        fall / n,
        rise_variance=scale * max(0.0, rises - rise * rise / clusters),
        fall_variance=scale * max(0.0, falls - fall * fall / clusters),
        covariance=scale * (crossed - rise * fall / clusters),
        n=n,
        clusters=clusters,
        changed=round(changed),
    )
