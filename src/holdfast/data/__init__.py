"""Data: what an example is, reading files of them, and giving rows back unchanged."""

from holdfast.data.example import Dataset, Example, Fault, Role, Turn, ask
from holdfast.data.finding import Finding
from holdfast.data.formats import FORMATS
from holdfast.data.marks import ANSWER_MARK, MARKS, QUARANTINE_MARK
from holdfast.data.questions import EvalSet, read_eval_set, read_questions
from holdfast.data.read import read
from holdfast.data.service import SERVICES, Breach, service_faults
from holdfast.data.sources import read_all, read_together
from holdfast.data.write import write_rows

__all__ = [
    "ANSWER_MARK",
    "FORMATS",
    "MARKS",
    "QUARANTINE_MARK",
    "SERVICES",
    "Breach",
    "Dataset",
    "EvalSet",
    "Example",
    "Fault",
    "Finding",
    "Role",
    "Turn",
    "ask",
    "read",
    "read_all",
    "read_eval_set",
    "read_questions",
    "read_together",
    "service_faults",
    "write_rows",
]
