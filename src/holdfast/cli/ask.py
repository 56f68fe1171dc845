"""`holdfast ask`: a question, and what one model or two side by side say to it. It keeps nothing."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Annotated

import typer

from holdfast.cli.columns import show
from holdfast.cli.console import err, out, stages
from holdfast.cli.judging import JudgeKeyFrom, JudgeServers, check_subject, find_judge
from holdfast.cli.measure import Bits, Device, DeviceWord, Dtype, DtypeWord, ModelName, Reading, System, WorldSeed
from holdfast.cli.opening import open_models
from holdfast.cli.serving import Concurrency, KeyFrom, Retries, Serving, Timeout
from holdfast.endpoint import KEY, EndpointError
from holdfast.errors import DataError, HoldfastError
from holdfast.judges import EMBEDDED
from holdfast.measure.side_by_side import Playground, SideBySide, ask
from holdfast.models import Model, ServedModel
from holdfast.report.wording import visible
from holdfast.store import plain

USERS_ERROR = 2
PROMPT = "> "

Tell = Callable[[SideBySide], None]


def command(
    model: ModelName,
    other: Annotated[str | None, typer.Argument(help="A second model, put beside the first.")] = None,
    question: Annotated[
        list[str] | None,
        typer.Option(help="Repeatable. Without it, stdin: one question a line; on a terminal you are asked."),
    ] = None,
    system: System = "",
    judge: Annotated[
        str, typer.Option(help="Who reads the answers: as for measure, one that tells refusals from compliance.")
    ] = EMBEDDED.name,
    judge_key_from: JudgeKeyFrom = KEY,
    samples: Annotated[
        int, typer.Option(help="Above 1: so many sampled answers beside the greedy one, to count refusals among.")
    ] = 1,
    temperature: Annotated[float | None, typer.Option(help="Of the sampled answers; 1 if not given.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The seed that sampled answers are drawn with.")] = 0,
    max_tokens: Annotated[int, typer.Option(help="The longest answer.")] = 256,
    world: WorldSeed = None,
    device: Device = DeviceWord.auto,
    dtype: Dtype = DtypeWord.auto,
    bits: Bits = 0,
    key_from: KeyFrom = KEY,
    concurrency: Concurrency = 8,
    retries: Retries = 5,
    timeout: Timeout = 120.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a question, each on a line.")] = False,
) -> None:
    """Put your own questions to a model, or to two side by side; nothing is kept."""
    serving = Serving("", key_from, concurrency, retries, timeout)
    reader = find_judge(judge, JudgeServers(serving, judge_key_from))
    how = Playground(reader, samples, temperature, seed, max_tokens, system)
    names = [name for name in (model, other) if name is not None]
    typed = not question and sys.stdin.isatty()
    questions = _typed() if typed else _given(question or (), names)
    with stages() as progress:
        models = open_models(names, world, serving, Reading(device.value, dtype.value, bits), progress)
    for subject in models:
        check_subject([reader], subject if isinstance(subject, ServedModel) else subject.weights)
    tell = _say_line if as_json else _teller(named=not typed)
    if typed:
        try:
            for each in questions:
                _answered(models, each, how, tell)
        except (EOFError, KeyboardInterrupt):
            err.print()
        return
    # What cannot be asked, as a question that is too long, is no reason to leave out the next.
    asked = [_answered(models, each, how, tell, EndpointError) for each in questions]
    raise typer.Exit(0 if all(asked) else USERS_ERROR)


def _answered(
    models: Sequence[Model], question: str, how: Playground, tell: Tell, ends: type[HoldfastError] | tuple[()] = ()
) -> bool:
    """Ask one question and tell what came; whether it could be asked. An error is told too, but one that `ends` all.

    Raises:
        HoldfastError: of the kind `ends`.
    """
    try:
        with err.status("…"):
            found = ask(models, question, how)
    except ends:
        raise
    except HoldfastError as error:
        print(f"Error: {visible(str(error))}", file=sys.stderr)
        return False
    tell(found)
    return True


def _given(questions: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """The questions that were given, else those on stdin; that there are none is told before a model is loaded.

    Raises:
        DataError: there is no question.
    """
    lines = iter(questions) if questions else _lines()
    first = next(lines, None)
    if first is None:
        raise DataError(
            "There is no question.",
            "None was given, and stdin is empty.",
            f'holdfast ask {" ".join(names)} --question "…"',
        )
    return chain([first], lines)


def _lines() -> Iterator[str]:
    """The lines of stdin that hold something, as they come."""
    with _utf8():
        yield from (line.strip() for line in sys.stdin if line.strip())


def _typed() -> Iterator[str]:
    """What a person types, until an empty line.

    Raises:
        EOFError: the end.
    """
    with suppress(ImportError):
        import readline  # noqa: F401 - lines can then be edited
    seen = sys.stdout.isatty()
    with _utf8():
        while True:
            if not seen:  # stdout goes to a file, and a prompt is no result
                print(PROMPT, end="", file=sys.stderr, flush=True)
            if not (line := input(PROMPT if seen else "").strip()):
                return
            yield line


@contextmanager
def _utf8() -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError("stdin is no UTF-8.", f"{error}.", "iconv -t UTF-8 FILE | holdfast ask …") from error


def _teller(named: bool) -> Tell:
    """Prints results for a person: each question where it was not just typed, and once how far to trust the judge."""
    told: list[str] = []

    def tell(found: SideBySide) -> None:
        if named:
            out.print(f"{PROMPT}{visible(found.question)}", style="bold", markup=False)
        show(found, out)
        if not told:
            told.append(found.judged.judge)
            out.print(f"judge: {visible(found.judged.judge)}: {found.judged.status}", style="dim", markup=False)
        out.print()

    return tell


def _say_line(found: SideBySide) -> None:
    """One JSON document on one line of stdout, in ASCII: what a model says is no command to a terminal."""
    print(json.dumps(plain(found.to_json()), allow_nan=False), flush=True)
