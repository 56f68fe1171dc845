"""What a person sees while and after a verb works: progress on stderr, results on stdout."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from holdfast.store import plain

# No emoji: ":100:" is a line number here and not a picture.
out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


class Stages:
    """Progress by stage: bars on a terminal, one plain line a stage elsewhere."""

    def __init__(self, bars: Progress | None) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._said: set[str] = set()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` of a stage; a stage appears when it is first named."""
        if self._bars is None:
            if stage not in self._said:
                self._said.add(stage)
                print(f"{stage} …", file=sys.stderr, flush=True)
            return
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)

    def under(self, name: str) -> "Stages":
        """The same progress, with every stage named under a heading."""
        return _Under(self, name)


class _Under(Stages):
    def __init__(self, parent: Stages, name: str) -> None:
        self._parent, self._name = parent, name

    def __call__(self, stage: str, done: int, total: int) -> None:
        self._parent(f"{self._name} · {stage}", done, total)


@contextmanager
def stages() -> Iterator[Stages]:
    """Progress for the duration of a verb."""
    if not err.is_terminal:
        yield Stages(None)
        return
    columns = (TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err) as bars:
        yield Stages(bars)


def say_json(value: Any) -> None:
    """Exactly one JSON document on stdout; a missing number is null."""
    sys.stdout.write(json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def say_next(command: str) -> None:
    """The command that follows, so that nobody has to look it up."""
    out.print(f"\nNext:  {command}", markup=False)


def percent(value: float | None) -> str:
    """A share as a percentage; a missing one as a dash."""
    return "—" if value is None else f"{100 * value:.1f} %"


def counted(number: int, thing: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


class Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Elapsed wall-clock seconds, to the hundredth."""
        return round(time.monotonic() - self._start, 2)
