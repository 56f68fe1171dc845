"""The door: words on the command line ↔ calls. One file a verb: parse, call, save, print, name the next command.

Exit codes: 0 pass or done · 1 the gate says worse · 2 the user's error · 3 undecided · 4 an error of ours.
"""

import sys
import traceback

import typer

from holdfast.cli import audit, check, compare, demo, ls, measure, mix, tune, world
from holdfast.errors import HoldfastError

USERS_ERROR, OUR_ERROR, INTERRUPTED = 2, 4, 130

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
app.command("compare")(compare.command)
app.command("check")(check.command)
app.add_typer(world.app, name="world")
app.command("ls")(ls.command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
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
    except Exception:
        traceback.print_exc()
        print("\nThis is a fault of Holdfast, not of yours. Please report it with the lines above.", file=sys.stderr)
        return OUR_ERROR


def _stopped() -> int:
    print("Stopped. What was finished is kept; the same command continues.", file=sys.stderr)
    return INTERRUPTED
