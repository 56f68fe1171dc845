"""Numbers in, numbers out: intervals, paired limits, tests, sample sizes. No prompts, models or files."""

from holdfast.stats.anyofk import any_of_k, any_of_k_each
from holdfast.stats.bootstrap import bootstrap
from holdfast.stats.error_rates import PERFECT, CorrectedRate, ErrorRates, Rate, corrected_rate
from holdfast.stats.judged import Judged, JudgedApart, LabelsNeeded, judged
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
from holdfast.stats.planning import half_width_spread, prompts_needed, prompts_to_decide
from holdfast.stats.ppi import Labelled, Rectified, rectified
from holdfast.stats.proportion import Interval, Tails, clopper_pearson, clustered_mean, korn_graubard, wilson
from holdfast.stats.pvalues import holm, mcnemar
from holdfast.stats.seeds import OverSeeds, over_seeds

__all__ = [
    "PERFECT",
    "CorrectedRate",
    "ErrorRates",
    "Interval",
    "Judged",
    "JudgedApart",
    "Kappa",
    "Labelled",
    "LabelsNeeded",
    "Limits",
    "OverSeeds",
    "Paired",
    "PairedParts",
    "PairedTable",
    "Rate",
    "Rectified",
    "Tails",
    "any_of_k",
    "any_of_k_each",
    "bootstrap",
    "clopper_pearson",
    "clustered_mean",
    "corrected_rate",
    "half_width_spread",
    "holm",
    "judged",
    "kappa",
    "korn_graubard",
    "mcnemar",
    "newcombe",
    "over_seeds",
    "p_worse_than",
    "pair",
    "prompts_needed",
    "prompts_to_decide",
    "rectified",
    "wilson",
    "worsening_limits",
]
