"""The door: words on the command line ↔ calls. One file a verb: parse, call, save, print, name the next command.

Exit codes: 0 pass or done · 1 the gate says worse · 2 the user's error · 3 undecided · 4 an error of ours.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer

from holdfast.errors import HoldfastError

USERS_ERROR, OUR_ERROR, INTERRUPTED, NO_READER = 2, 4, 130, 141
TUNING = {"torch", "transformers", "trl", "peft", "accelerate", "datasets"}
"""What the extra `tune` brings."""

# typer brings its own click, or uses the one beside it, by version: its public exceptions tell which.
Misuse: type[Exception] = typer.BadParameter.__mro__[2]

VERBS = (
    "demo", "audit", "mix", "tune", "measure", "ask", "compare", "check", "plan", "judge", "ledger", "world", "study",
    "ls",
)  # fmt: skip
"""Each is a file here, with a `command`, or with an `app` where it has verbs of its own."""


def opened(verbs: Sequence[str]) -> typer.Typer:
    """The door with these verbs: what is not called is not imported, so that help comes at once."""
    app = typer.Typer(
        name="holdfast",
        no_args_is_help=True,
        rich_markup_mode=None,  # plain help: reading what draws boxes takes longer than all else together
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Fine-tune a language model, and show that it still keeps its word.",
    )
    app.callback()(lambda: None)  # without it a single verb would be the whole program
    for verb in verbs:
        room: Any = import_module(f"holdfast.cli.{verb}")
        if hasattr(room, "app"):
            app.add_typer(room.app, name=verb)
        else:
            app.command(verb, **getattr(room, "DOOR", {}))(room.command)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    # Threads that wait by spinning make two jobs on two cores slow each other several times over.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command; the exit code tells who has to act."""
    try:
        app = opened(arguments[:1] if arguments and arguments[0] in VERBS else VERBS)
        code = int(app(arguments, standalone_mode=False) or 0)
        return _stopped() if code == INTERRUPTED else code
    except Misuse as wrong:
        wrong.show()  # type: ignore[attr-defined]
        return USERS_ERROR
    except HoldfastError as error:
        print(f"Error: {error}", file=sys.stderr)
        return USERS_ERROR
    except (KeyboardInterrupt, typer.Abort):
        return _stopped()
    except SystemExit:
        return _no_reader()
    except Exception as error:
        return _surprised(error)


def _surprised(error: Exception) -> int:
    """What the machine lacks is the user's to mend; all else is ours."""
    if isinstance(error, OSError) and error.filename is not None:
        print(f"Error: {str(error.filename)!r} cannot be used: {error.strerror}.", file=sys.stderr)
        return USERS_ERROR
    if isinstance(error, ModuleNotFoundError) and error.name in TUNING:
        print(f"Error: this needs {error.name}.\n  pip install 'holdfast[tune]'", file=sys.stderr)
        return USERS_ERROR
    return _ours()


def _ours() -> int:
    traceback.print_exc()
    print("\nThis is a fault of Holdfast, not of yours. Please report it with the lines above.", file=sys.stderr)
    return OUR_ERROR


def _no_reader() -> int:
    """Whoever read our stdout went away (`| head`): click and rich exit 1 for that, which here means "worse"."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return NO_READER


def _stopped() -> int:
    print("Stopped. What was finished is kept; the same command continues.", file=sys.stderr)
    return INTERRUPTED
