"""`holdfast ls`: what there is, one sentence each."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from holdfast.audit import CHECKS
from holdfast.cli.console import out, say_json
from holdfast.judges import RULES
from holdfast.measure import HARBOR_EXACT, SUITES
from holdfast.tune import RECIPES


class Family(StrEnum):
    """The families that grow by one file and one line."""

    checks = "checks"
    recipes = "recipes"
    suites = "suites"
    judges = "judges"


def command(
    family: Annotated[Family, typer.Argument(help="What to list.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """List the checks, recipes, suites or judges."""
    families: Mapping[Family, Sequence[Any]] = {
        Family.checks: CHECKS,
        Family.recipes: RECIPES,
        Family.suites: SUITES,
        Family.judges: (HARBOR_EXACT, RULES),
    }
    members = [{"name": member.name, "says": member.says} for member in families[family]]
    if as_json:
        say_json(members)
        return
    table = Table.grid(padding=(0, 2))
    for member in members:
        table.add_row(member["name"], member["says"])
    out.print(table)
