"""The door: words on the command line ↔ calls. One file a verb: parse, call, save, print, name the next command.

Exit codes: 0 pass or done · 1 the gate says worse · 2 the user's error · 3 undecided · 4 an error of ours.
"""

import os
import sys
import traceback

import typer

from holdfast.cli import ask, audit, check, compare, demo, judge, ledger, ls, measure, mix, plan, study, tune, world
from holdfast.errors import HoldfastError

USERS_ERROR, OUR_ERROR, INTERRUPTED, NO_READER = 2, 4, 130, 141
TUNING = {"torch", "transformers", "trl", "peft", "accelerate", "datasets"}
"""What the extra `tune` brings."""

# typer brings its own click, or uses the one beside it, by version: its public exceptions tell which.
Misuse: type[Exception] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="holdfast",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Fine-tune a language model, and show that it still keeps its word.",
)
app.command("demo")(demo.command)
app.command("audit")(audit.command)
app.command("mix")(mix.command)
app.command("tune", context_settings=tune.EXTRA, epilog=tune.EPILOG)(tune.command)
app.command("measure")(measure.command)
app.command("ask")(ask.command)
app.command("compare")(compare.command)
app.command("check")(check.command)
app.command("plan")(plan.command)
app.add_typer(judge.app, name="judge")
app.add_typer(ledger.app, name="ledger")
app.add_typer(world.app, name="world")
app.add_typer(study.app, name="study")
app.command("ls")(ls.command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    # Threads that wait by spinning make two jobs on two cores slow each other several times over.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command; the exit code tells who has to act."""
    try:
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
