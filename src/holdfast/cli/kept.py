"""The base's measurement, kept from one `check` to the next under a digest of all that made it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli.console import err
from holdfast.cli.measure import Reading, Ready
from holdfast.data import ANSWER_MARK
from holdfast.errors import OutputError
from holdfast.judges import EndpointGuard
from holdfast.measure import Asking, Measurement, Reader, Suite, load_measurement
from holdfast.measure.asked_judges import ByGuard, ByRubric
from holdfast.models import ServedModel, check_folder, default_device, digest_weights, read_tokenizer, template_digest
from holdfast.store import digest, plain, read_json, write_json

KeepBase = Annotated[
    Path | None,
    typer.Option("--keep-base", help="A folder that keeps the base's measurement: another run does not ask it again."),
]


@dataclass(frozen=True, slots=True)
class KeptBase:
    """The place of one measurement, whether or not it is there."""

    folder: Path
    name: str
    """What the model is called now; its measurement may have been kept under another name."""
    made_by: dict[str, Any]
    """All that decides what is measured, as plain JSON."""

    @property
    def file(self) -> Path:
        """Named by the digest."""
        return self.folder / f"base-{digest(self.made_by)[:32]}.json"

    def read(self) -> Measurement | None:
        """What is kept, said aloud; None where nothing is, or where it is damaged or not ours, said aloud too."""
        if not self.file.exists():
            return None
        try:
            found = self._checked(read_json(self.file))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            err.print(f"{self.file} is damaged or not ours, and the base is measured again: {error}.", markup=False)
            return None
        err.print(f"before · not asked again: its measurement is kept in {self.file}", markup=False)
        return replace(found, model=self.name)

    def _checked(self, kept: Any) -> Measurement:
        if kept["made_by"] != self.made_by:
            raise ValueError("it was made by something else than its name says")
        if kept["sha256"] != digest(kept["measurement"]):
            raise ValueError("its digest is not that of its measurement")
        found = load_measurement(kept["measurement"])
        if (found.weights, found.template) != (self.made_by["weights"], self.made_by["template"]):
            raise ValueError("it measures another model")
        return found

    def write(self, measured: Measurement) -> None:
        """Keep a measurement, whole or not at all.

        Raises:
            OutputError: the disk refuses it.
        """
        known = plain(measured)
        kept = {ANSWER_MARK: "kept base", "made_by": self.made_by, "sha256": digest(known), "measurement": known}
        write_json(self.file, kept)


def check_apart(keep: Path | None, folder: Path | None) -> None:
    """Refuse to keep a base inside the folder of one run.

    Raises:
        OutputError: the folder that keeps is the run's, or lies in it.
    """
    if keep and keep.exists() and not keep.is_dir():
        raise OutputError(f"--keep-base {keep} is no folder.", "", "Give a folder.")
    if keep and folder and keep.resolve().is_relative_to(folder.resolve()):
        raise OutputError(
            f"--keep-base {keep} lies in --out {folder}.",
            "That folder is one run's alone, and what is kept is for the runs after it.",
            "Give --keep-base a folder of its own.",
        )


def local_base(folder: Path, asked: Ready, asking: Asking, reading: Reading) -> KeptBase | None:
    """Where the measurement of a model on this machine is kept; None, said aloud, where it must not be.

    Its weights are digested and its tokenizer is read; the network is not loaded.
    """
    if _unseen_judge(asked.suites):
        return None
    found = asked.found
    check_folder(found.folder)
    own = not found.base or (found.folder / "tokenizer_config.json").is_file()
    tokenizer = read_tokenizer(found.folder if own or not found.base else found.base)
    weights = digest_weights(*([found.base] if found.base else []), found.folder)
    packages = ("holdfast", "torch", "transformers", *(("lm_eval",) if asked.tasks else ()))
    made_by = {
        "weights": weights,
        "template": template_digest(tokenizer),
        "reading": {"device": reading.place or default_device(), "dtype": reading.dtype, "bits": reading.bits},
        "tasks": [[task.name, task.settings, digest(task.prompts), task.origin] for task in asked.tasks],
        **_made_by(asked.suites, asking, packages),
    }
    return KeptBase(folder, found.name, plain(made_by))


def served_base(folder: Path, model: ServedModel, suites: Sequence[Suite], asking: Asking) -> KeptBase | None:
    """Where the measurement of a served model is kept; None, said aloud, where nobody vouches for what it is."""
    if _unseen_judge(suites):
        return None
    if not model.vouched:
        err.print(
            f"--keep-base: nothing is kept of {model.name}, whose weights cannot be seen. "
            "--vouch NAME says that what it serves does not change.",
            markup=False,
        )
        return None
    err.print(f"--keep-base: kept under the name that is vouched for, {model.weights}.", markup=False)
    made_by = {"weights": model.weights, "template": model.template, **_made_by(suites, asking, ("holdfast",))}
    return KeptBase(folder, model.name, plain(made_by))


def _made_by(suites: Iterable[Suite], asking: Asking, packages: Iterable[str]) -> dict[str, Any]:
    versions = {package: version(package) for package in packages}
    return {"asking": asking, "versions": versions, "suites": [_asked(suite) for suite in suites]}


def _asked(suite: Suite) -> dict[str, Any]:
    beside = [suite.beside.name, suite.beside.version] if suite.beside else []
    known = {"name": suite.name, "says": suite.says, "wants": suite.wants, "prompts": digest(suite.prompts)}
    return {**known, "judged_by": suite.judged_by, "decoding": suite.decoding, "origin": suite.origin, "beside": beside}


def _unseen_judge(suites: Iterable[Suite]) -> bool:
    """Whether a judge at a server reads a suite: what is behind its name may be another one by the next run, and the
    base would have been read by the one and the tuned model by the other.
    """
    unseen = {each.name for suite in suites for each in (suite.reader, suite.beside) if each and _is_served(each)}
    for name in sorted(unseen):
        err.print(f"--keep-base: nothing is kept, since {name} judges at a server and cannot be seen.", markup=False)
    return bool(unseen)


def _is_served(judge: Reader) -> bool:
    return isinstance(judge, ByRubric) or (isinstance(judge, ByGuard) and isinstance(judge.guard.guard, EndpointGuard))
