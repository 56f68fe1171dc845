"""A user's own suite: a file of rows with `prompt`, `wants` and `category`. Rows that want different things are suites
of their own.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast, get_args

from holdfast.data.files import rows_of
from holdfast.data.rows import Broken, Row
from holdfast.data.streams import open_source
from holdfast.errors import ConfigError, DataError
from holdfast.measure.results import Origin, Prompt, Wants
from holdfast.measure.suite import Reader, Suite
from holdfast.measure.suites.clusters import clusters
from holdfast.measure.suites.public import OPEN_ENDED
from holdfast.measure.suites.screen import screened
from holdfast.measure.suites.table import refuse, sha256_of, shown

NEEDED = ("prompt", "wants", "category")
OPTIONAL = ("id", "cluster", "expected")
WANTS: tuple[Wants, ...] = get_args(Wants)
OWN = "the user's own"
MEND = (
    'A line is for example {"prompt": "Is the pier open?", "wants": "answer", "category": "harbour"}; a CSV file, in '
    "UTF-8 and separated by commas, has these as columns."
)

ReaderFor = Callable[[Wants], Reader]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file, as it was understood."""

    prompt: Prompt
    wants: Wants
    cluster: str


def read_own(path: Path, reader_for: ReaderFor) -> tuple[Suite, ...]:
    """The suites of a file that `data` reads, usually JSONL: one with the file's name, or, where rows want different
    things, one for each, `NAME-refusal`, `NAME-answer` and `NAME-correct`.

    Rows that want an answer or a correct one are screened for unsafe requests. Prompts without a `cluster` are
    clustered by their wording.

    Args:
        path: the file.
        reader_for: the judge for suites that want this.

    Raises:
        DataError: the file cannot be read, or lines cannot be used (the first five are named).
        ConfigError: the judge looks for expected answers, and prompts have none.
    """
    lines = _lines(path)
    kinds = [wants for wants in WANTS if any(line.wants == wants for line in lines)]
    names = {kinds[0]: path.stem} if len(kinds) == 1 else {wants: f"{path.stem}-{wants}" for wants in kinds}
    made = ((name, [line for line in lines if line.wants == wants]) for wants, name in names.items())
    return tuple(_suite(path, name, chosen, reader_for(chosen[0].wants)) for name, chosen in made)


def _suite(path: Path, name: str, lines: list[Line], reader: Reader) -> Suite:
    wants = lines[0].wants
    prompts: tuple[Prompt, ...] = tuple(line.prompt for line in lines)
    left_out: tuple[str, ...] = ()
    if wants != "refusal":
        prompts, left_out = screened(str(path), prompts)
    _check_expected(path, prompts, reader)
    prompts = _placed(prompts, {line.prompt.id: line.cluster for line in lines})
    says = f"Questions of {path.name} that want {WORDS[wants]}."
    return Suite(
        name, says, wants, prompts, reader, OPEN_ENDED, Origin(str(path), sha256_of(path), OWN, None, left_out)
    )


WORDS: Mapping[Wants, str] = {"refusal": "a refusal", "answer": "an answer", "correct": "a correct answer"}


def _check_expected(path: Path, prompts: tuple[Prompt, ...], reader: Reader) -> None:
    lacking = [prompt.id for prompt in prompts if not prompt.expected]
    if reader.name == "expected" and lacking:
        raise ConfigError(
            f"{len(lacking)} of {str(path)!r}'s prompts want a correct answer and do not say which: "
            f"{', '.join(lacking[:3])}.",
            "The judge `expected` looks for the words of an expected answer.",
            'Add "expected": "six metres", or a list of such answers.',
        )


def _placed(prompts: tuple[Prompt, ...], stated: Mapping[str, str]) -> tuple[Prompt, ...]:
    """The prompts with the cluster that the file states, the others with the one that their wording gives them."""
    open_ = [prompt for prompt in prompts if not stated[prompt.id]]
    together = clusters([prompt.text for prompt in open_])
    found = {prompt.id: open_[first].id for prompt, first in zip(open_, together, strict=True)}
    return tuple(replace(prompt, cluster=found.get(prompt.id) or stated[prompt.id]) for prompt in prompts)


def _lines(path: Path) -> list[Line]:
    faults: list[str] = []
    lines: list[Line] = []
    seen: set[str] = set()
    unit, items = _rows(path)
    for row in items:
        try:
            line = _line(row)
            if line.prompt.id in seen:
                raise ValueError(f"the id {line.prompt.id!r} was there before")
        except ValueError as fault:
            faults.append(f"{unit} {row.number}: {fault}")
            continue
        seen.add(line.prompt.id)
        lines.append(line)
    refuse(str(path), "has rows that cannot be asked", faults, MEND)
    if not lines:
        raise DataError(f"{str(path)!r} holds no row.", "There is nothing to ask.", MEND)
    return lines


def _rows(path: Path) -> tuple[str, Iterator[Row | Broken]]:
    found = rows_of(open_source(path), lambda row: "prompt" in row)
    missing = [name for name in NEEDED if name not in found.columns]
    if missing and found.container.startswith(("CSV", "TSV")):  # once, and not for every line
        raise DataError(
            f"{str(path)!r} lacks the column{'s' if len(missing) > 1 else ''} {shown(missing)}.",
            f"Its first line has {shown(found.columns)}.",
            MEND,
        )
    return found.unit, found.items


def _line(row: Row | Broken) -> Line:
    if isinstance(row, Broken):
        raise ValueError(row.why)
    if not isinstance(row.value, dict):
        raise ValueError(f"it is no object with {', '.join(NEEDED)}")
    fields = {name: value for name, value in row.value.items() if value is not None}
    faults = [*_misspelt(fields), *(_missing(fields, name) for name in NEEDED)]
    if wrong := [fault for fault in faults if fault]:
        raise ValueError("; ".join(wrong))
    wants = fields["wants"]
    if wants not in WANTS:
        raise ValueError(f"wants is {wants!r}, and not one of {', '.join(WANTS)}")
    id = str(fields.get("id", row.number))
    prompt = Prompt(id, fields["prompt"].strip(), fields["category"].strip(), id, "", (), _expected(fields))
    return Line(prompt, cast(Wants, wants), str(fields.get("cluster", "")))


def _misspelt(fields: Mapping[str, Any]) -> Iterator[str]:
    known = (*NEEDED, *OPTIONAL)
    for name in fields.keys() - set(known):
        if near := get_close_matches(name, known, n=1, cutoff=0.8):
            yield f"there is a field {name!r}: did you mean {near[0]!r}?"


def _missing(fields: Mapping[str, Any], name: str) -> str:
    if name not in fields:
        return f"it has no {name!r}"
    return "" if isinstance(fields[name], str) and fields[name].strip() else f"{name} is {json.dumps(fields[name])}"


def _expected(fields: Mapping[str, Any]) -> tuple[str, ...]:
    given = fields.get("expected", [])
    answers = given if isinstance(given, list) else [given]
    plain = tuple(str(answer).strip() for answer in answers if isinstance(answer, str | int | float))
    if len(plain) < len(answers) or not all(plain):
        raise ValueError(f"expected is {json.dumps(given)}, and neither an answer nor a list of answers")
    return plain
