"""The ledger as a table, and its newest entry in words."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from holdfast.cli.compare import COLOUR, points
from holdfast.cli.console import out
from holdfast.compare import Verdict
from holdfast.ledger import Compared, Entry

HEADS = ("release", "date", "before", "anchor", "metric", "worsening (limits)", "margin", "uses", "verdict")
WIDE = 160


def say_table(entries: Sequence[Entry], uses: Sequence[Mapping[str, int]], anchors: int) -> None:
    """A line a metric, in points: an entry against the one before it, and since every anchor.

    `anchors` is how many the ledger has: where there are several, each verdict names the one that it is against.
    """
    shown = Table(box=None, padding=(0, 1, 0, 0))
    for name in HEADS:
        shown.add_column(name, no_wrap=True)
    for entry, counts in zip(entries, uses, strict=True):
        first = (_named(entry), entry.date[:10], _verdict(entry.before))
        lines = [line for compared in entry.since for line in _lines(compared, counts, named=anchors > 1)]
        for at, line in enumerate(lines or [("—", "", "", "", "", "")]):
            shown.add_row(*(first if at == 0 else ("", "", "")), *line)
    # Wider than a narrow terminal: a line that wraps can be read, a figure that is cut off cannot.
    Console(highlight=False, emoji=False, width=max(WIDE, out.width)).print(shown)


def _named(entry: Entry) -> str:
    return escape(entry.release) if entry.kind == "release" else f"{escape(entry.release)} ({entry.kind})"


def _verdict(compared: Compared | None) -> str:
    if compared is None:
        return "—"
    return _coloured(compared.verdict) if compared.verdict else "not comparable"


def _coloured(verdict: Verdict) -> str:
    return f"[{COLOUR[verdict]}]{verdict}[/]"


def _lines(compared: Compared, uses: Mapping[str, int], *, named: bool) -> list[tuple[str, ...]]:
    against = f"{escape(compared.to)}: {_verdict(compared)}" if named else _verdict(compared)
    if compared.verdict is None:
        return [(against, "", "", "", "", "")]
    return [
        (
            against if at == 0 else "",
            escape(name),
            f"{points(change.worsening)} ({points(change.lower)} to {points(change.upper)})",
            points(change.margin),
            str(uses[name]),
            _coloured(change.verdict),
        )
        for at, (name, change) in enumerate(compared.metrics.items())
    ]


def tell(newest: Entry | None, says: Sequence[str]) -> None:
    """How the newest entry stands, and what qualifies the history."""
    against = (*newest.since, *([newest.before] if newest.before else [])) if newest else ()
    for compared in {each.to: each for each in against}.values():
        # What qualifies a verdict is said of those that decide; that there is none, of all.
        if compared.verdict is None:
            _note(f"{compared.to}: not comparable: {compared.says}")
        elif newest and compared is not newest.before:
            for note in compared.notes:
                _note(f"since {compared.to}: {note}")
    for note in says:
        _note(note)
    if newest and newest.anchor and newest.verdict:
        out.print(f"\n[{COLOUR[newest.verdict]} bold]{newest.anchor.qualified.upper()}[/]  ", end="")
        out.print(f"{newest.release} since the anchor {newest.anchor.to}: {newest.anchor.says}", markup=False)
    elif newest:
        out.print(f"\n{newest.release} is the anchor: what follows is held against it.", markup=False)


def _note(text: str) -> None:
    out.print(f"note: {text}", style="dim", markup=False)
