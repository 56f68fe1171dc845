"""The house keeps its floors: every import runs down, every room has a floor, and the door opens without torch."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "src" / "holdfast"
FLOORS = (  # ground first; rooms that share a floor do not know each other
    {"errors", "stats"},
    {"endpoint", "workers"},
    {"data", "models", "store", "vectors", "world"},
    {"judges"},
    {"scope", "mix"},
    {"audit", "tune", "measure"},
    {"compare", "engines", "harbor", "cells", "refusals"},
    {"demo", "ledger", "study"},
    {"report"},
    {"cli"},
    {"__main__"},
)
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
HEAVY = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "holdfast":
                yield from (f"holdfast.{alias.name}" for alias in node.names)
            else:
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def arrows(path: Path) -> set[str]:
    found = imports(ast.parse(path.read_text()))
    return {name.split(".")[1] for name in found if name.startswith("holdfast.")}


def modules() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if room_of(path) != "__init__"]


def test_every_room_has_a_floor() -> None:
    assert {room_of(path) for path in modules()} == set(FLOOR)


def test_imports_run_down() -> None:
    for path in modules():
        room = room_of(path)
        for other in arrows(path) - {room}:
            assert FLOOR[other] < FLOOR[room], f"{path.name}: {room} imports {other}, which is not below it"


def test_a_relative_import_would_hide_an_arrow() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path} imports relatively"


def test_heavy_packages_are_imported_inside_functions_only() -> None:
    for path in PACKAGE.rglob("*.py"):
        at_top = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
        for name in imports(ast.Module(at_top, [])):
            assert name.split(".")[0] not in HEAVY, f"{path} imports {name} on import"


def test_files_stay_short() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, f"{path} is over 400 lines"


def test_the_door_opens_without_torch() -> None:
    code = "import sys, holdfast, holdfast.cli, holdfast.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
