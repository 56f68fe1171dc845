"""The GitHub Action: its steps run here in a shell, with the files and the environment that a runner gives them."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = ACTION["runs"]["steps"]
SCRIPTS = sorted((ROOT / ".github" / "action").glob("*.sh"))
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
"""What a runner makes of `shell: bash`."""


@dataclass
class Job:
    """A runner's job, as far as this action sees one; its cache outlives it."""

    folder: Path
    cache: dict[str, Path] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    uploaded: list[str] = field(default_factory=list)
    log: str = ""

    @property
    def temp(self) -> Path:
        return self.folder / "temp"

    @property
    def summary(self) -> str:
        return (self.folder / "summary.md").read_text(encoding="utf-8")

    def run(self, **given: str) -> int:
        """The action with these inputs, dashes written as underscores; its exit code."""
        inputs = {name: str(each.get("default", "")) for name, each in ACTION["inputs"].items()}
        named = {name.replace("_", "-"): value for name, value in given.items()}
        assert named.keys() <= inputs.keys()
        self.temp.mkdir(parents=True, exist_ok=True)
        (self.folder / "summary.md").touch()
        for number, step in enumerate(STEPS):
            if not self._holds(step.get("if", "true"), inputs | named):
                continue
            if code := self._step(number, step, inputs | named):
                return code
        return 0

    def result(self, name: str) -> str:
        return self._filled(ACTION["outputs"][name]["value"], {})

    def _step(self, number: int, step: dict[str, Any], inputs: dict[str, str]) -> int:
        kind = step.get("uses", "").partition("@")[0]
        words = {name: self._filled(value, inputs) for name, value in step.get("with", {}).items()}
        if "run" in step:
            return self._shell(number, step, inputs)
        if kind == "actions/cache/restore":
            self._restore(step["id"], words)
        elif kind == "actions/cache/save":
            self.cache[words["key"]] = shutil.copytree(words["path"], self.folder.parent / f"cache-{len(self.cache)}")
        elif kind == "actions/upload-artifact":
            self.uploaded = words["path"].split("\n")
        else:
            assert kind == "actions/setup-python"
        return 0

    def _restore(self, id: str, words: dict[str, str]) -> None:
        matching = [key for key in self.cache if key.startswith(words["restore-keys"])]
        if matching:
            shutil.copytree(self.cache[matching[-1]], words["path"])
        self.outputs[id] = {"cache-matched-key": matching[-1] if matching else ""}

    def _shell(self, number: int, step: dict[str, Any], inputs: dict[str, str]) -> int:
        assert step["shell"] == "bash"
        script, said = self.folder / f"step-{number}.sh", self.folder / f"output-{number}"
        script.write_text(step["run"], encoding="utf-8")
        said.touch()
        runner = {
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(said),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "RUNNER_TEMP": str(self.temp),
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
        }
        env = {name: self._filled(value, inputs) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            [*SHELL, str(script)],
            check=False, cwd=self.folder, env={**os.environ, **self.env, **runner, **env},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.log += done.stdout
        if "id" in step:
            lines = said.read_text(encoding="utf-8").splitlines()
            self.outputs[step["id"]] = dict(line.split("=", 1) for line in lines)
        return done.returncode

    def _filled(self, text: str, inputs: dict[str, str]) -> str:
        return EXPRESSION.sub(lambda found: self._value(found[1].strip(), inputs), str(text))

    def _value(self, name: str, inputs: dict[str, str]) -> str:
        room, _, rest = name.partition(".")
        if room == "inputs":
            return inputs[rest]
        if room == "steps":
            id, middle, output = rest.split(".")
            assert middle == "outputs"
            assert id in {step.get("id") for step in STEPS}
            return self.outputs.get(id, {}).get(output, "")
        assert name == "runner.temp"
        return str(self.temp)

    def _holds(self, condition: str, inputs: dict[str, str]) -> bool:
        """A condition of `==`, `!=` and `&&` on values and quoted words."""
        if condition == "true":
            return True
        found = EXPRESSION.fullmatch(condition)
        assert found is not None

        def value(word: str) -> str:
            return word.strip("'") if word.startswith("'") else self._value(word, inputs)

        for part in found[1].split("&&"):
            one, sign, other = part.split()
            if (value(one) == value(other)) != {"==": True, "!=": False}[sign]:
                return False
        return True


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    """Jobs one after the other, with one cache service and nothing else in common."""
    cache: dict[str, Path] = {}

    def start() -> Job:
        folder = tmp_path / f"job-{len(list(tmp_path.glob('job-*')))}"
        folder.mkdir()
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        env = {"PATH": path, "HOLDFAST_CACHE": str(folder / "answers"), "OMP_NUM_THREADS": "1"}
        return Job(folder, cache, env)

    return start


def table(path: Path, bad: int, n: int = 400) -> str:
    lines = [f"p{i},0,{int(i < bad)}" for i in range(n)]
    path.write_text("\n".join(["prompt_id,sample,value", *lines]) + "\n", encoding="utf-8")
    return path.name


def compared(job: Job, bad: int, **more: str) -> int:
    before, after = table(job.folder / "before.csv", 0), table(job.folder / "after.csv", bad)
    return job.run(before=before, after=after, install="none", **more)


# --- what comes out --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "code", "verdict", "tag"),
    [(0, 0, "pass", None), (100, 1, "fail", "failure"), (20, 3, "undecided", "error")],
)
def test_the_verdict_is_the_exit_code(
    job: Callable[[], Job], bad: int, code: int, verdict: str, tag: str | None
) -> None:
    run = job()
    assert compared(run, bad) == code, run.log
    assert run.result("verdict") == verdict
    cases = ElementTree.parse(run.result("junit")).getroot().findall("testsuite/testcase")
    assert [case.get("name") for case in cases] == ["value", "verdict"]
    assert [case.find(tag) is not None for case in cases if tag] == [True] * (2 if tag else 0)
    assert {child.tag for case in cases for child in case} == {tag or "system-out"}
    assert f": {verdict}" in run.summary
    assert "| value |" in run.summary
    page = Path(run.result("report")).read_text(encoding="utf-8")
    assert verdict in page.lower()
    assert run.uploaded == [run.result("report"), run.result("junit"), ""]


def test_undecided_passes_by_choice_and_a_fail_does_not(job: Callable[[], Job]) -> None:
    run = job()
    assert compared(run, 20, undecided="pass") == 0
    assert run.result("verdict") == "undecided"
    assert compared(job(), 100, undecided="pass") == 1


def test_margins_and_further_words_reach_the_command(job: Callable[[], Job]) -> None:
    assert compared(job(), 20, margins="\n  value=0.10  \n") == 0
    run = job()
    assert compared(run, 0, arguments="--bad-is\nlow\n--seed\n3") == 0, run.log


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({}, "Give 'base' and 'tuned'"),
        ({"base": "a"}, "Give 'base' and 'tuned'"),
        ({"base": "a", "tuned": "b", "before": "c", "after": "d"}, "Give 'base' and 'tuned'"),
        ({"before": "a", "after": "b", "suites": "c"}, "'suites' and 'samples' go with"),
        ({"before": "a", "after": "b", "undecided": "maybe"}, "'undecided' is fail or pass"),
        ({"before": "a", "after": "b", "working_directory": "nowhere"}, "no such 'working-directory'"),
        ({"before": "a", "after": "b"}, "It ended before there was a verdict"),
        ({"before": "a", "after": "b", "margins": "half"}, "It ended before there was a verdict"),
    ],
)
def test_a_users_error_decides_nothing(job: Callable[[], Job], inputs: dict[str, str], says: str) -> None:
    run = job()
    assert run.run(install="none", keep_base="false", **inputs) == 2
    assert run.result("verdict") == "error"
    assert f"::error title=Holdfast::{says}" in run.log or says in run.log
    assert says in run.summary
    assert not run.uploaded


def test_a_check_asks_the_base_once_across_jobs(job: Callable[[], Job]) -> None:
    words = {"base": "harbor", "tuned": "harbor", "suites": "harbor-task", "install": "none"}
    first, second = job(), job()
    assert first.run(**words) == 0, first.log
    assert first.result("verdict") == "pass"
    assert "harbor-task" in first.summary
    assert "before · harbor-task" in first.log
    assert Path(first.result("report")).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len(first.cache) == 1
    assert second.run(**words) == 0, second.log
    assert "before · not asked again" in second.log
    assert "before · harbor-task" not in second.log
    assert len(second.cache) == 1, "what was there is not saved again"
    failing = job()
    assert failing.run(**{**words, "seed": "1", "margins": "harbor-polcy=0.02"}) == 2
    assert len(failing.cache) == 2, "what was measured is kept although nothing was decided"


# --- inputs are data -------------------------------------------------------------------------------------------------

HOSTILE = (
    '"; touch pwned #',
    "'; touch pwned #",
    "$(touch pwned)",
    "`touch pwned`",
    "a\ntouch pwned",
    "x\nverdict=pass\ncode=0",
    "--help",
    "a\n--help",
    "&& touch pwned; exit 0",
)
PASSED_ON = ("suites", "margins", "calibration", "samples", "seed", "arguments")


def assert_harmless(run: Job) -> None:
    assert run.result("verdict") == "error", run.log
    assert run.outputs["gate"].keys() == {"verdict", "code"}
    assert not list(run.folder.rglob("pwned"))


@pytest.mark.parametrize("value", HOSTILE)
def test_an_input_is_never_read_as_code(job: Callable[[], Job], value: str) -> None:
    for inputs in (
        {"base": value, "tuned": value, **dict.fromkeys(PASSED_ON, value)},
        {"before": value, "after": value, "margins": value},
        {"before": "a", "after": "b", "working_directory": value},
        {"before": "a", "after": "b", "undecided": value},
    ):
        run = job()
        assert run.run(**{"install": "none", **inputs}) == 2, run.log
        assert_harmless(run)


def test_help_among_the_arguments_is_no_pass(job: Callable[[], Job]) -> None:
    run = job()
    assert compared(run, 100, arguments="--help") == 2
    assert "Usage:" in run.log
    assert_harmless(run)


def test_what_the_command_prints_is_no_command_to_the_runner(job: Callable[[], Job]) -> None:
    run = job()
    table(run.folder / "x::add-mask::y\n::error::z.csv", 0)
    code = run.run(before="x::add-mask::y\n::error::z.csv", after=table(run.folder / "b.csv", 0), install="none")
    assert code == 0, run.log
    stopped = re.search(r"^::stop-commands::([0-9a-f]{32})$", run.log, flags=re.MULTILINE)
    assert stopped is not None
    inside = run.log.partition(stopped[0])[2].partition(f"::{stopped[1]}::")
    assert inside[1], "commands go on afterwards"
    assert not re.search(r"^::", run.log.partition(stopped[0])[0] + inside[2], flags=re.MULTILINE)


@pytest.mark.parametrize("step", [step for step in STEPS if "run" in step], ids=lambda step: step["name"])
def test_no_expression_stands_in_a_script(step: dict[str, Any]) -> None:
    assert "${{" not in step["run"]
    assert step["shell"] == "bash"


def test_scripts_evaluate_nothing() -> None:
    assert [path.name for path in SCRIPTS] == ["gate.sh", "install.sh", "key.sh"]
    for path in SCRIPTS:
        code = re.sub(r"(^|\s)#.*", "", path.read_text(encoding="utf-8"))
        assert not re.search(r"\$\{\{|\b(eval|source)\b|\b(ba)?sh -c", code), path.name


def test_the_actions_that_it_uses_are_pinned_to_a_full_version() -> None:
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used
    for each in used:
        assert re.fullmatch(r"actions/[a-z/-]+@v\d+\.\d+\.\d+", each), each


def test_every_input_and_output_is_on_its_page() -> None:
    page = (ROOT / "docs" / "action.md").read_text(encoding="utf-8")
    for name in (*ACTION["inputs"], *ACTION["outputs"]):
        assert f"`{name}`" in page, name
    values = (str(value) for step in STEPS for value in [*step.get("env", {}).values(), *step.get("with", {}).values()])
    used = " ".join([*values, *(str(step.get("if", "")) for step in STEPS)])
    for name in ACTION["inputs"]:
        assert f"inputs.{name} " in used, f"{name} does nothing"


# --- installing ------------------------------------------------------------------------------------------------------


def wheel(path: Path, name: str) -> str:
    """A wheel with one module and nothing else, which pip installs without a network."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path / f"{name}-1.0-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", "there = True\n")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return str(path / f"{name}-1.0-py3-none-any.whl")


def install(job: Job, **inputs: str) -> int:
    """The step alone: what it makes available to the others is its output."""
    number = next(at for at, step in enumerate(STEPS) if step.get("id") == "install")
    job.temp.mkdir(parents=True)
    job.env |= {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    return job._step(number, STEPS[number], {"base": "", "tuned": "", "install": "", "extras": "", **inputs})


def test_it_installs_into_an_environment_of_its_own(job: Callable[[], Job]) -> None:
    run = job()
    assert install(run, install=wheel(run.folder, "tiny_to_install")) == 0, run.log
    python = Path(run.outputs["install"]["bin"]) / "python"
    done = subprocess.run(
        [python, "-c", "import tiny_to_install; print(tiny_to_install.there)"], check=False, capture_output=True
    )
    assert done.stdout == b"True\n"
    here = subprocess.run([sys.executable, "-c", "import tiny_to_install"], capture_output=True, check=False)
    assert here.returncode != 0


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"extras": "tune; touch pwned"}, "is a list such as"),
        ({"extras": "tune", "install": "holdfast==1"}, "extras stand in it"),
        ({"install": "--help"}, "--help"),
        ({"install": "$(touch pwned)"}, "$(touch pwned)"),
    ],
)
def test_what_cannot_be_installed_stops_the_job(job: Callable[[], Job], inputs: dict[str, str], says: str) -> None:
    run = job()
    assert install(run, **inputs) != 0
    assert says in run.log
    assert not list(run.folder.rglob("pwned"))
