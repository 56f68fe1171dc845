"""Fine-tuning on the data with refusals, and with rows of what the model already knew, mixed in."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator

from holdfast.data import Example
from holdfast.mix import Mix, Mixture, Sources, is_amount, mix
from holdfast.tune.recipe import Recipe
from holdfast.tune.settings import Settings


def _amount(value: float) -> float:
    if not is_amount(value):
        raise ValueError("should be 0, a share below 1, or a whole number of rows")
    return value


Amount = Annotated[int | float, AfterValidator(_amount)]


class SafetyMix(Settings):
    """How much is mixed in."""

    safety: Amount = 0.05
    """Refusals: a number of rows from 1 on, a share of the data's rows below 1."""
    style: Literal["template", "reason", "long"] = "template"
    """How the refusals are worded."""
    rehearsal: Amount = 0
    """Old rows: likewise a number or a share."""


def _before(settings: SafetyMix, examples: Sequence[Example], sources: Sources, seed: int) -> Mixture:
    return mix(examples, Mix(settings.safety, settings.style, settings.rehearsal, seed), sources)


SAFETY_MIX = Recipe(
    name="safety-mix",
    says="Mixes refusals into the data to hold the policy, and old rows to hold what the model could do.",
    settings=SafetyMix,
    before=_before,
    paper="Bianchi et al. 2024, Safety-Tuned LLaMAs, https://arxiv.org/abs/2309.07875",
)
