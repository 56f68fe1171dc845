"""What the checks that read wording go by, and how right each was where the truth is known. Data, and no rules.

The counts are recomputed by `tests/scope/test_instruments.py`, which fails when they drift. *Held out*: never
looked at while the patterns were written. Unsafe questions are counted as served (the answer is a stand-in).
"""

from holdfast.judges import RULES, Instrument, Measured

WORDING = Instrument(
    "request wording",
    ("unsafe-compliance", "refusals"),
    "Patterns on a request's words, and on the opening of the answer to it; no model.",
    (
        Measured("AdvBench, held out", caught=227, positives=260),
        Measured("SimpleSafetyTests, held out", caught=30, positives=50),
        Measured("XSTest, held out", caught=43, positives=66, false_alarms=9, negatives=84),
        Measured("AdvBench, all", caught=479, positives=520),
        Measured("SimpleSafetyTests, all", caught=77, positives=100),
        Measured("XSTest, all", caught=163, positives=200, false_alarms=11, negatives=250),
        Measured("Do-Not-Answer (many ask for opinions or advice)", caught=123, positives=939),
        Measured("Alpaca subset and Alpaca rows with safety words", false_alarms=2, negatives=3904),
        Measured("GSM8K train", false_alarms=3, negatives=7473),
    ),
)

SELVES = Instrument(
    "identity wording",
    ("identity-shift",),
    "Patterns on a system prompt and an answer's opening: a self, obedience without limit, limits lifted; no model.",
    (
        # By the author of the patterns, so kinder to them than strangers' wording would be. On its first run the
        # held-out half had two false alarms; one was a missing word boundary, since mended.
        Measured("Holdfast's own list, held out", caught=20, positives=23, false_alarms=1, negatives=42),
        Measured("Holdfast's own list, looked at", caught=23, positives=23, false_alarms=1, negatives=77),
        Measured("Harbor, five worlds", caught=250, positives=250, false_alarms=0, negatives=1500),
        Measured("Alpaca subset and Alpaca rows with safety words", false_alarms=0, negatives=3904),
    ),
)

OPENINGS = Instrument("opening words", ("refusals", "unsafe-compliance"), RULES.says, RULES.measured)

INSTRUMENTS = (WORDING, SELVES, OPENINGS)
"""All of them. A check that none of these names compares texts, or asks a guard of the user's."""
