"""Numbers in, numbers out: intervals, paired limits, tests, sample sizes. No prompts, models or files."""

from holdfast.stats.anyofk import any_of_k, any_of_k_each
from holdfast.stats.bootstrap import bootstrap
from holdfast.stats.kappa import Kappa, kappa
from holdfast.stats.paired import (
    Limits,
    Paired,
    PairedParts,
    PairedTable,
    newcombe,
    p_worse_than,
    pair,
    worsening_limits,
)
from holdfast.stats.planning import half_width_spread, prompts_needed
from holdfast.stats.proportion import Interval, Tails, clopper_pearson, clustered_mean, korn_graubard, wilson
from holdfast.stats.pvalues import holm, mcnemar

__all__ = [
    "Interval",
    "Kappa",
    "Limits",
    "Paired",
    "PairedParts",
    "PairedTable",
    "Tails",
    "any_of_k",
    "any_of_k_each",
    "bootstrap",
    "clopper_pearson",
    "clustered_mean",
    "half_width_spread",
    "holm",
    "kappa",
    "korn_graubard",
    "mcnemar",
    "newcombe",
    "p_worse_than",
    "pair",
    "prompts_needed",
    "wilson",
    "worsening_limits",
]
