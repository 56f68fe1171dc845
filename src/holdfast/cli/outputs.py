"""What `check` and `compare` write beside their verdict: JUnit XML, a Markdown summary, the HTML report.

What writes them is imported where it is used: `compare --help` needs none of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.errors import ConfigError, OutputError

if TYPE_CHECKING:
    from holdfast.compare import Comparison, Side
    from holdfast.measure import Measurement
    from holdfast.report import Page

Junit = Annotated[
    Path | None, typer.Option("--junit", help="Also write JUnit XML there: a test case a metric, and the verdict.")
]
Summary = Annotated[
    Path | None, typer.Option("--summary", help="Also append a few lines of Markdown there ($GITHUB_STEP_SUMMARY).")
]
ReportFile = Annotated[Path | None, typer.Option("--report", help="Also write the report there, one HTML file.")]

OURS = {"--junit": '<testsuites name="holdfast"', "--report": "default-src &#39;none&#39;; style-src &#39;sha256-"}
"""By what a file is known that an earlier run wrote, and that may be replaced."""
BEGINNING = 500
"""Characters of a file in which that stands."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files that were asked for.

    Raises:
        ConfigError: one file is to be two things.
        OutputError: a place is a folder, or holds a file that no run of ours wrote; every fault at once.
    """

    junit: Path | None = None
    summary: Path | None = None
    report: Path | None = None

    def __post_init__(self) -> None:
        places = [path.resolve() for _, path in self._named()]
        if len(set(places)) < len(places):
            told = " ".join(f"{option} {path}" for option, path in self._named())
            raise ConfigError(f"{told}: one file cannot be two things.", "", "Give each a file of its own.")
        if faults := [fault for option, path in self._named() for fault in _faults(option, path)]:
            raise OutputError(f"{'; '.join(faults)}.", "Nothing was overwritten.", "Give another file.")

    def _named(self) -> list[tuple[str, Path]]:
        each = {"--junit": self.junit, "--summary": self.summary, "--report": self.report}
        return [(option, path) for option, path in each.items() if path]

    def write(self, found: "Comparison", shown: "Callable[[], Page]") -> None:
        """Write what was asked for; the page is made only where something is written from it.

        Raises:
            OutputError: the disk refuses it.
        """
        from holdfast.report import junit, markdown, report
        from holdfast.store import write_text

        if self.junit:
            write_text(self.junit, junit(found))
        if self.summary or self.report:
            made = shown()
            if self.report:
                write_text(self.report, report(made))
            if self.summary:
                _append(self.summary, markdown(made))


def compared_page(found: "Comparison", before: Path, after: Path, next_command: str) -> "Page":
    """The page of two sides that were read from these places, with the answers where they are measurements of ours.

    Of several tuned models no answers are shown: the figures are those of all of them.
    """
    from holdfast.cli.pages import UNTESTED, page
    from holdfast.report import Section

    several = len(found.tuned) > 1
    old = _measured(before, found.before)
    new = _unseen(found.after) if several else _measured(after, found.after)
    title = f"{found.before.name} and {found.after.name}"
    made = page(title, (Section(found.after.name, found, old, new),), old, next_command)
    # What another tool asked is its own to say.
    return made if old.suites else replace(made, untested=UNTESTED[-1:], decoder=_decoder(found.before))


def _measured(path: Path, side: "Side") -> "Measurement":
    """The measurement that a side was read from; of what another tool wrote its name, with no answer to be opened."""
    from holdfast.cli.measure import read_measurement
    from holdfast.cli.sides import kind_of

    return read_measurement(path) if kind_of(path) == "a measurement" else _unseen(side)


def _unseen(side: "Side") -> "Measurement":
    from holdfast.measure import Measurement

    return Measurement(side.name, side.weights, side.template, {}, {})


def _decoder(side: "Side") -> dict[str, str]:
    """How the answers were sampled, as far as the source says."""
    from holdfast.cli.pages import DECODER

    said = {key: [metric.settings.get(key, "") for metric in side.metrics.values()] for key in DECODER}
    return {key: " or ".join(dict.fromkeys(filter(None, values))) for key, values in said.items() if any(values)}


def _faults(option: str, path: Path) -> Iterator[str]:
    mark = OURS.get(option)
    if path.is_dir() or (mark and path.exists() and not path.is_file()):
        yield f"{option} {path} is no file"
    elif mark and path.exists() and path.stat().st_size and mark not in _beginning(path):
        yield f"{option} {path} is there and was not written by this option"


def _beginning(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(BEGINNING)


def _append(path: Path, text: str) -> None:
    """Add to a file that others write to as well, such as a job's summary."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        raise OutputError(f"{str(path)!r} cannot be written.", f"{error.strerror}.", "Give another file.") from error
