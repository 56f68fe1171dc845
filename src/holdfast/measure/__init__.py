"""Measuring a model: ask, judge, record every outcome. Aggregates no further than counts and their intervals."""

from holdfast.measure.asking import Asking, Keep, measure
from holdfast.measure.calibrating import calibrate
from holdfast.measure.harbor_ability import harbor_ability
from holdfast.measure.harbor_near_miss import harbor_near_miss
from holdfast.measure.harbor_over_refusal import harbor_over_refusal
from holdfast.measure.harbor_policy import harbor_policy
from holdfast.measure.harbor_task import harbor_task
from holdfast.measure.harbor_truth import hold
from holdfast.measure.rates import Rate, rate, rates_json
from holdfast.measure.readers import JUDGES, Choosable, reader_for
from holdfast.measure.reading import HARBOR_EXACT
from holdfast.measure.results import (
    GOOD,
    Answer,
    Measurement,
    Origin,
    Outcome,
    Prompt,
    SuiteResult,
    Wants,
    load_measurement,
)
from holdfast.measure.suite import HarborSuite, Judged, Reader, Suite
from holdfast.measure.suites import PUBLIC, PublicSuite, Source, Table, read_own, read_table, table_of
from holdfast.measure.sweep import Point, Sweep, sweep, sweep_json

SUITES = (harbor_policy, harbor_over_refusal, harbor_near_miss, harbor_ability, harbor_task)

__all__ = [
    "GOOD",
    "HARBOR_EXACT",
    "JUDGES",
    "PUBLIC",
    "SUITES",
    "Answer",
    "Asking",
    "Choosable",
    "HarborSuite",
    "Judged",
    "Keep",
    "Measurement",
    "Origin",
    "Outcome",
    "Point",
    "Prompt",
    "PublicSuite",
    "Rate",
    "Reader",
    "Source",
    "Suite",
    "SuiteResult",
    "Sweep",
    "Table",
    "Wants",
    "calibrate",
    "hold",
    "load_measurement",
    "measure",
    "rate",
    "rates_json",
    "read_own",
    "read_table",
    "reader_for",
    "sweep",
    "sweep_json",
    "table_of",
]
