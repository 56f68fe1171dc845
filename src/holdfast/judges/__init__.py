"""Judges: what an answer does, read from its text."""

from holdfast.judges.judge import Judge
from holdfast.judges.rules import Verdict, is_refusal, judge_refusal

RULES = Judge("rules", "Reads from an answer's opening whether it refuses: patterns, no model, CPU only.")

__all__ = ["RULES", "Judge", "Verdict", "is_refusal", "judge_refusal"]
