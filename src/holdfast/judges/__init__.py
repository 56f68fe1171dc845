"""Judges: what an answer does, read from its text."""

from holdfast.judges.calibration import KEEPING
from holdfast.judges.embedded import Outcome, Reading, read_refusals
from holdfast.judges.endpoint import EndpointError, EndpointGuard, is_local
from holdfast.judges.guard import Arriving, Asked, Guard, GuardVerdict, Safety, Style
from holdfast.judges.guard_styles import STYLES, style_for
from holdfast.judges.judge import Instrument, Judge
from holdfast.judges.labels import Label, Labels, read_labels
from holdfast.judges.local_guard import LocalGuard
from holdfast.judges.measured import Measured, Share
from holdfast.judges.remembered import Kept, Remembered
from holdfast.judges.rules import Verdict, is_refusal, judge_refusal
from holdfast.judges.weights import version as embedded_version

# Against two people's labels (XSTest, CC BY 4.0, three models' answers); partial refusals count as neither.
RULES = Judge(
    "rules",
    "Reads from an answer's opening whether it refuses: patterns, no model, CPU only.",
    (
        Measured("XSTest answers, prompts held out while the patterns were written", 328, 352, 23, 279),
        Measured("XSTest answers, all prompts", 670, 704, 35, 541),
    ),
)

# Each answer read by weights that were made without its model and without our lines that share a phrase with that
# model's answers, and for the first also without its group of prompts;
# a partial refusal counts as a refusal. `tests/judges/test_embedded_people.py` makes them anew.
EMBEDDED = Judge(
    "embedded",
    "Reads an answer's wording, against its prompt if given: complied, partial, refused or incoherent; CPU only.",
    (
        Measured("XSTest answers, model and group of prompts left out", 783, 809, 39, 541),
        Measured("XSTest answers, model left out", 785, 809, 32, 541),
        Measured("XSTest answers, model left out: gpt4", 213, 220, 1, 230),
        Measured("XSTest answers, model left out: llama2orig", 345, 349, 14, 101),
        Measured("XSTest answers, model left out: mistralguard", 227, 240, 17, 210),
    ),
)

__all__ = [
    "EMBEDDED",
    "KEEPING",
    "RULES",
    "STYLES",
    "Arriving",
    "Asked",
    "EndpointError",
    "EndpointGuard",
    "Guard",
    "GuardVerdict",
    "Instrument",
    "Judge",
    "Kept",
    "Label",
    "Labels",
    "LocalGuard",
    "Measured",
    "Outcome",
    "Reading",
    "Remembered",
    "Safety",
    "Share",
    "Style",
    "Verdict",
    "embedded_version",
    "is_local",
    "is_refusal",
    "judge_refusal",
    "read_labels",
    "read_refusals",
    "style_for",
]
