"""The docs say what is so: names, links and options exist, and the sessions are run.

A session is a `console` block. Its lines that begin with `$` are commands, run in order in one folder a page; they exit
with 0 or with the code of an `[exit N]` line. What they print is shown as an example and not compared, but for the
keys of `--json`, which the page must name. `<!-- not run: reason -->` before a block leaves it out.
"""

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
import typer

from holdfast.audit import CHECKS
from holdfast.cli import USERS_ERROR, VERBS, opened, run
from holdfast.data.formats import FORMATS
from holdfast.judges.guard_styles import STYLES
from holdfast.measure import HARBOR_EXACT, JUDGES, PUBLIC, SUITES
from holdfast.tune import RECIPES, Settings, Training

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINKING = [*PAGES, ROOT / "CHANGELOG.md", *sorted((ROOT / "benchmarks").glob("*.md"))]
NOT_RUN = re.compile(r"<!-- not run: (?P<reason>\S.*) -->")
MOST_NOT_RUN = 8
"""Blocks that may be left out: one more has to be argued for here."""


@dataclass(frozen=True)
class Block:
    page: Path
    kind: str
    lines: tuple[str, ...]
    not_run: str
    """Why it is left out, or nothing."""


@dataclass(frozen=True)
class Command:
    line: str
    code: int


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> Iterator[Block]:
    kind, before, reason, fenced = "", "", "", False
    lines: list[str] = []
    for line in page.read_text(encoding="utf-8").split("\n"):
        if line.startswith("```") and not fenced:
            left_out = NOT_RUN.fullmatch(before.strip())
            fenced, kind, lines = True, line.removeprefix("```").strip(), []
            reason = left_out["reason"] if left_out else ""
        elif line.startswith("```"):
            yield Block(page, kind, tuple(lines), reason)
            fenced, before = False, ""
        elif fenced:
            lines.append(line)
        elif line.strip():
            before = line
    assert not fenced, f"{name(page)}: a block is not closed"


def sessions(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.kind == "console"]


def commands(block: Block) -> Iterator[Command]:
    """The commands of a session, a line that ends with a backslash joined with the next."""
    joined = "\n".join(block.lines).replace("\\\n", " ").split("\n")
    starts = [at for at, line in enumerate(joined) if line.startswith("$ ")]
    assert starts, f"{name(block.page)}: a session without a command"
    for start, end in pairwise([*starts, len(joined)]):
        codes = [int(found[1]) for line in joined[start:end] if (found := re.fullmatch(r"\[exit (\d+)\]", line))]
        yield Command(joined[start].removeprefix("$ "), codes[-1] if codes else 0)


def execute(line: str, said: io.StringIO) -> int:
    """Our own commands in this process, where torch is imported once; all others in a shell."""
    if not line.startswith("holdfast "):
        done = subprocess.run(["bash", "-c", line], check=False, stdout=subprocess.PIPE, text=True)
        return done.returncode
    with contextlib.redirect_stdout(said):
        return run(shlex.split(line)[1:])


def assert_keys_are_named(command: Command, printed: str, page: Path) -> None:
    value = json.loads(printed)
    keys = (value[0] if isinstance(value, list) else value).keys()
    missing = [key for key in keys if f"`{key}`" not in page.read_text(encoding="utf-8")]
    assert not missing, f"{name(page)}: `{command.line}` prints {missing}, which the page does not name"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("page", [page for page in PAGES if sessions(page)], ids=name)
def test_sessions_run(
    page: Path, tmp_path: Path, cache: Path, one_thread: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOLDFAST_CACHE", str(cache))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for block in sessions(page):
        for command in () if block.not_run else commands(block):
            said = io.StringIO()
            code = execute(command.line, said)
            assert code == command.code, f"{name(page)}: `{command.line}` exits {code}\n{said.getvalue()}"
            if command.line.startswith("holdfast ") and "--json" in shlex.split(command.line):
                assert_keys_are_named(command, said.getvalue(), page)


def test_few_sessions_are_left_out() -> None:
    every = [block for page in PAGES for block in sessions(page)]
    left_out = [f"{name(block.page)}: {block.not_run}" for block in every if block.not_run]
    assert len(left_out) <= MOST_NOT_RUN, "\n".join(left_out)
    assert len(every) > 2 * len(left_out)


def test_a_mark_stands_before_a_session() -> None:
    for page in PAGES:
        marks = NOT_RUN.findall(page.read_text(encoding="utf-8"))
        assert len(marks) == sum(bool(block.not_run) for block in sessions(page)), name(page)


# --- names -----------------------------------------------------------------------------------------------------------

Door = dict[str, set[str]]


def door() -> Door:
    """Each command as words (`world data`) with its options; `tune` takes settings as well."""
    found: Door = {}

    def walk(words: tuple[str, ...], command: object) -> None:
        for word, inner in getattr(command, "commands", {}).items():
            walk((*words, word), inner)
        options = {option for parameter in command.params for option in parameter.opts}  # type: ignore[attr-defined]
        found[" ".join(words)] = {option for option in options if option.startswith("--")} | {"--help"}

    walk((), typer.main.get_command(opened(VERBS)))
    found["tune"] |= set(SETTINGS)
    return found


KINDS: tuple[type[Settings], ...] = (Training, *(recipe.settings for recipe in RECIPES))
SETTINGS = {f"--{field.replace('_', '-')}": field for kind in KINDS for field in kind.model_fields}
"""The flags of `tune` that are settings, which its page writes by their names."""


DOOR = door()
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
OURS = re.compile(r"(?<![\w/'-])holdfast ((?:[a-z]+ ?){1,2})([^`#\n]*)")


def code_of(page: Path) -> Iterator[str]:
    """What is written as code: the lines of the blocks, and the spans in the text.

    Of sessions only the commands, and not those that show what a user's error says.
    """
    text = page.read_text(encoding="utf-8")
    for block in blocks(page):
        if block.kind == "console":
            yield from (command.line for command in commands(block) if command.code != USERS_ERROR)
        elif block.kind != "python":
            yield from block.lines
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose))


def named(words: str) -> str | None:
    """The command that the first words name: two of them for `world data`, else one."""
    first = words.split()
    return next((known for known in (" ".join(first[:2]), first[0]) if known in DOOR), None)


def test_commands_and_options_in_the_docs_exist() -> None:
    every = set().union(*DOOR.values())
    for page in PAGES:
        for code in code_of(page):
            for words, rest in OURS.findall(code):
                command = named(words)
                assert command is not None, f"{name(page)}: `{code}`: there is no command {words!r}"
                wrong = set(OPTION.findall(rest)) - DOOR[command]
                assert not wrong, f"{name(page)}: `{code}`: {command} has no {wrong}"
            if code.startswith("--"):
                assert OPTION.findall(code)[0] in every, f"{name(page)}: no command has `{code}`"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_page_that_names_its_options(verb: str) -> None:
    page = ROOT / "docs" / f"{verb}.md"
    # What a recipe can be set to stands with the recipe.
    pages = [page, ROOT / "docs" / "recipes.md"] if verb == "tune" else [page]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    options = set().union(*(DOOR[words] for words in DOOR if words.split()[:1] == [verb])) - {"--help"}
    for option in options:
        assert f"`{option}" in text or f"`{SETTINGS.get(option, option)}`" in text, f"{page.name} lacks {option}"
    assert "Exit codes" in text


def test_every_member_of_a_family_is_in_the_docs() -> None:
    docs = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    families = (CHECKS, RECIPES, (*SUITES, *PUBLIC), (HARBOR_EXACT, *JUDGES), FORMATS, STYLES)
    for member in (member.name for family in families for member in family):
        assert f"`{member}`" in docs, member


# --- links -----------------------------------------------------------------------------------------------------------

LINK = re.compile(r"\]\((?P<target>[^()\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", LINKING, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), f"{name(page)}: {target}"
        assert not anchor or anchor in anchors(there), f"{name(page)}: {target} is no heading"


# --- the README's two commands ---------------------------------------------------------------------------------------


def test_the_readmes_test_command_is_the_one_that_ci_runs() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").split("\n")
    tests = [line for line in ci if line.startswith("uv run pytest")]
    assert len(tests) == 1
    shown = [
        line.partition("#")[0].strip().removeprefix("$ ")
        for block in blocks(ROOT / "README.md")
        for line in block.lines
    ]
    assert tests[0].strip() in shown
    demos = [line for line in shown if "uv run holdfast demo --out" in line]
    assert demos, "the README shows the demo"
    assert any(line.startswith("uv run holdfast demo --out") for line in ci), "CI runs the demo"
