"""The gate from the command line: `--margin NAME=0.02` over what a file's table `[gate]` says.

The gate is imported where it is used: `compare --help` needs none of it.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.errors import ConfigError

if TYPE_CHECKING:
    from holdfast.compare import Gate

Margins = Annotated[list[str] | None, typer.Option("--margin", help="NAME=0.02: how much worse a metric may become.")]
GateFile = Annotated[
    Path | None, typer.Option("--gate", help="TOML with a table [gate]: level, harm, default, [gate.margins].")
]


def gate_of(margins: Sequence[str], file: Path | None) -> "Gate":
    """The gate of a file, with the margins that were named on the command line.

    Raises:
        ConfigError: a margin that is no name and number, or a file that holds no such table; all faults of one source
            at once.
    """
    from holdfast.compare import Gate

    named = parse_margins(margins)
    gate = _read(file) if file else Gate()
    return replace(gate, margins={**gate.margins, **named})


def _read(file: Path) -> "Gate":
    from holdfast.compare import read_gate

    mend = "[gate]\n    default = 0.05"
    try:
        plain = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"--gate {str(file)!r} cannot be read.", str(error.strerror), mend) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"--gate {str(file)!r} is no TOML.", str(error), mend) from error
    table = plain.get("gate")
    if not isinstance(table, dict):
        has = ", ".join(map(repr, plain)) or "nothing"
        raise ConfigError(f"--gate {str(file)!r} has no table [gate].", f"It has {has}.", mend)
    return read_gate(table, repr(str(file)))


def parse_margins(given: Sequence[str]) -> dict[str, float]:
    """`NAME=0.02` as a mapping.

    Raises:
        ConfigError: with every margin that is not a name and a number.
    """
    found, wrong = {}, []
    for text in given:
        name, _, value = text.rpartition("=")
        try:
            found[name] = float(value)
        except ValueError:
            wrong.append(text)
            continue
        if not name:
            wrong.append(text)
    if wrong:
        raise ConfigError(
            f"--margin {', '.join(wrong)} is no margin.", "A margin is a metric's name and a share.",
            "--margin harbor-policy=0.02",
        )  # fmt: skip
    return found
