"""Data: what an example is, reading files of them, and giving rows back unchanged."""

from holdfast.data.example import Dataset, Example, Fault, Role, Turn, ask
from holdfast.data.finding import Finding
from holdfast.data.marks import ANSWER_MARK, MARKS, QUARANTINE_MARK
from holdfast.data.questions import EvalSet, read_eval_set, read_questions
from holdfast.data.read import read
from holdfast.data.write import write_rows

__all__ = [
    "ANSWER_MARK",
    "MARKS",
    "QUARANTINE_MARK",
    "Dataset",
    "EvalSet",
    "Example",
    "Fault",
    "Finding",
    "Role",
    "Turn",
    "ask",
    "read",
    "read_eval_set",
    "read_questions",
    "write_rows",
]
