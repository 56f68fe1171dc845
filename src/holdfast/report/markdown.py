"""The report in a few lines of Markdown, for a comment under a pull request. Prints nothing."""

import re
from collections.abc import Iterator

from holdfast.compare.results import MetricChange
from holdfast.report.page import Page, Section
from holdfast.report.remarks import remarks
from holdfast.report.wording import DASH, count, limit, percent, points, short, size, visible

HEAD = (
    "| metric | before | after | worsening, points | margin | newly worse | newly better | verdict |\n"
    "| :-- | --: | --: | :-- | --: | --: | --: | :-- |"
)
ACTIVE = re.compile(r"([\\`*_\[\]|#~])")


def markdown(page: Page) -> str:
    """Summarise a page: the verdicts, a table of metrics each, and what qualifies them."""
    parts = [f"## {plain(page.title)}", *(_section(section) for section in page.sections), *_ground(page)]
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Text that Markdown shows as it stands: one line, nothing in it active, no HTML."""
    line = " ".join(visible(text).split())
    safe = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return ACTIVE.sub(r"\\\1", safe)


def _section(section: Section) -> str:
    found = section.comparison
    lines = [f"### {plain(section.name)}: {found.qualified}", "", plain(found.sentence), "", HEAD]
    lines += [_row(change) for change in found.metrics.values()]
    beside = [f"{change.name}: {said}" for change in found.metrics.values() for said in remarks(change)]
    if listed := [*beside, *found.notes]:
        lines += ["", *(f"- {plain(each)}" for each in listed)]
    if not found.same_model:
        lines += ["", f"**About:** {plain(found.seeds)}"]
    return "\n".join(lines)


def _row(change: MetricChange) -> str:
    worsening = points(change.worsening)
    cells = (
        plain(change.name),
        percent(change.before),
        percent(change.after),
        worsening if worsening == DASH else f"{worsening}, {limit(change)}",
        size(change.margin),
        count(change.newly_worse),
        count(change.newly_better),
        f"**{change.verdict}**",
    )
    return f"| {' | '.join(cells)} |"


def _ground(page: Page) -> Iterator[str]:
    yield f"**Judge's error:** {plain(page.judge.says)}"
    yield f"**Not tested:** {'; '.join(map(plain, page.untested)) or DASH}"
    yield "**Models:** " + "; ".join(
        f"{plain(side.model)} {plain(short(side.weights))}"
        for side in {(m.model, m.weights): m for s in page.sections for m in (s.before, s.after)}.values()
    )
    yield f"**Next:**\n\n    {' '.join(visible(page.next_command).split())}"
    yield f"Holdfast {plain(page.version)}, {plain(page.date)}. Limits are one-sided at 95%."
