"""The gate: two measurements in, one verdict out. Loads no model and reads no answer."""

from holdfast.compare.gate import DEFAULT_MARGIN, HARM_MARGIN, Gate, read_gate
from holdfast.compare.measured import side
from holdfast.compare.plain import to_json
from holdfast.compare.results import (
    BadIs,
    Comparison,
    GroupChange,
    Metric,
    MetricChange,
    Row,
    Side,
    Verdict,
)
from holdfast.compare.table import read_csv
from holdfast.compare.verdict import Known, compare

__all__ = [
    "DEFAULT_MARGIN",
    "HARM_MARGIN",
    "BadIs",
    "Comparison",
    "Gate",
    "GroupChange",
    "Known",
    "Metric",
    "MetricChange",
    "Row",
    "Side",
    "Verdict",
    "compare",
    "read_csv",
    "read_gate",
    "side",
    "to_json",
]
