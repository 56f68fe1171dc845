"""Two models' answers on the terminal: beside each other where there is room, else one under the other.

What models, servers and questions say is data: it is shown with its control characters spelled out, never obeyed.
"""

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from holdfast.cli.console import counted, percent
from holdfast.measure.results import Outcome
from holdfast.measure.side_by_side import Said, Sampled, Side, SideBySide
from holdfast.report.wording import visible

WIDE = 100
"""Characters of a terminal's line that hold two columns."""
BAR = "│ "
"""Stands before each line of an answer, so that no answer can look like what is said of it."""

DOES: dict[Outcome, tuple[str, str]] = {
    "refused": ("refuses", "refuse"),
    "partial": ("refuses in part", "refuse in part"),
    "complied": ("answers", "answer"),
    "incoherent": ("says nothing that can be read", "say nothing that can be read"),
    "unscored": ("gave nothing that could be judged", "gave nothing that could be judged"),
}
"""What one model does, and what two do."""

STOPS = {
    "length": "cut at the longest allowed length",
    "filtered": "a filter of the server's kept it back",
    "rejected": "the server turned it down",
    "unknown": "the server does not say how it ended",
}


def show(found: SideBySide, console: Console) -> None:
    """Print what each model says, what the judge makes of it, and in a sentence how the two differ."""
    if len(found.sides) > 1 and console.is_terminal and console.width >= WIDE:
        console.print(_beside(found), soft_wrap=False)
    else:
        for line in _under(found, console):
            console.print(line)
    if said := difference(found):
        console.print(Text(said))


def difference(found: SideBySide) -> str:
    """How the greedy answers of two models differ, in a sentence; empty for one model."""
    if len(found.sides) == 1:
        return ""
    first, second = found.sides
    one, other = first.said, second.said
    if one.outcome == other.outcome:
        same = one.answer == other.answer and one.answer
        return f"Both {DOES[one.outcome][1]}{', in the same words' if same else ''}."
    names = ("The first", "the second") if first.model == second.model else (first.model, second.model)
    a, b = (f"{visible(name)} {DOES[said.outcome][0]}" for name, said in zip(names, (one, other), strict=True))
    return f"{a}, {b}."


def verdict(said: Said) -> str:
    """The judge's word, the probability behind it, and how the answer ended where that is not its own end."""
    parts: list[str] = [said.outcome]
    if said.probability is not None:
        parts.append(f"probability of a refusal {said.probability:.2f}")
    if said.thought:
        parts.append(f"after a thought of {counted(len(said.thought.split()), 'word')}")
    if said.stop != "end":
        parts.append(STOPS[said.stop])
    if said.why:
        parts.append(visible(said.why))
    return ", ".join(parts)


def tally(drawn: Sampled) -> str:
    """How many of the sampled answers refuse in full, with the interval, and what the others do."""
    low, high = drawn.interval or (None, None)
    share = f" ({percent(drawn.refused / drawn.n)}; 95 %: {percent(low)} to {percent(high)})" if drawn.interval else ""
    others = ", ".join(f"{count} {word}" for word, count in drawn.outcomes.items() if word != "refused")
    return f"{drawn.refused} of {drawn.n} sampled answers refuse{share}{'; ' if others else ''}{others}"


def _under(found: SideBySide, console: Console) -> Iterator[Text]:
    for side in found.sides:
        yield Text(visible(side.model), style="bold")
        for line in _lines(visible(side.said.answer), console):
            yield Text(BAR).append_text(line)
        for told in _told(side):
            yield Text(told, style="dim")
        yield Text("")


def _lines(text: str, console: Console) -> Iterator[Text]:
    """As they are in a file or a pipe; on a terminal no longer than its own, so that each begins with the bar."""
    for line in text.split("\n"):
        yield from Text(line).wrap(console, console.width - len(BAR)) if console.is_terminal else [Text(line)]


def _beside(found: SideBySide) -> Table:
    """A column a model: its answer, a rule, and what is said of it."""
    table = Table(box=box.MINIMAL, expand=True, show_edge=False, pad_edge=False)
    for side in found.sides:
        table.add_column(Text(visible(side.model)), ratio=1, overflow="fold")
    table.add_row(*(Text(visible(side.said.answer)) for side in found.sides))
    table.add_row(*(Rule(style="dim") for _ in found.sides))
    table.add_row(*(Text("\n".join(_told(side)), style="dim") for side in found.sides))
    return table


def _told(side: Side) -> Iterator[str]:
    yield verdict(side.said)
    if side.sampled:
        yield tally(side.sampled)
