"""What Harbor's reports have in common."""

from datetime import date
from importlib.metadata import version

from holdfast.measure import Measurement
from holdfast.report import JudgeError, Page, Section

EXACT = JudgeError(
    "none: in Harbor every answer is read against facts that are known, so nothing has to be calibrated."
)
UNTESTED = (
    "prompts made to break the model (jailbreaks, prefilled answers, other decoders)",
    "conversations of several turns",
    "other training seeds",
    "anything about large models (docs/transfer.md)",
)


def page(title: str, sections: tuple[Section, ...], measured: Measurement, next_command: str) -> Page:
    """A page over one or more conditions of a Harbor model."""
    settings = next(iter(measured.suites.values())).settings
    decoder = {key: settings[key] for key in ("temperature", "top_p", "max_tokens", "samples")}
    return Page(
        title=title,
        sections=sections,
        judge=EXACT,
        untested=UNTESTED,
        next_command=next_command,
        version=version("holdfast"),
        date=date.today().isoformat(),
        decoder=decoder,
    )
