"""`holdfast measure`: ask, judge, record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli.console import Stages, out, say_json, say_next, stages
from holdfast.cli.judging import JudgeKeyFrom, JudgeNames, JudgeServers, check_subject, find_judges, tell_judges
from holdfast.cli.lm_eval import ability_keys, split, tasks_of, tell_abilities, with_tasks
from holdfast.cli.rates import alpha_table, show, table, tell_origins, tell_thoughts
from holdfast.cli.resolve import Found, Served, find_model, find_suites, find_tuned
from holdfast.cli.serving import (
    Concurrency,
    KeyFrom,
    Retries,
    Serving,
    Timeout,
    Vouch,
    check_served,
    find_served,
    finish,
    measure_served,
)
from holdfast.cli.suites import Judging, asked_of
from holdfast.endpoint import KEY
from holdfast.engines.lm_eval_tasks import TaskSuite
from holdfast.errors import ConfigError, ModelError
from holdfast.harbor import cache
from holdfast.measure import (
    Asking,
    Measurement,
    Suite,
    SuiteResult,
    load_measurement,
    measure,
    rates_json,
    sweep,
    sweep_json,
)
from holdfast.models import Between, LocalModel, check_alpha, open_between
from holdfast.store import RESULT, Journal, check_own, claim, read_json, write_json

MEASUREMENT = "measurement.json"
EVERY_TENTH = "11"
"""The places between two models: 0, 0.1, … 1."""


class KeepWord(StrEnum):
    """What may be kept of an answer."""

    text = "text"
    hash = "hash"
    none = "none"


class DeviceWord(StrEnum):
    """Where a model may run."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


class DtypeWord(StrEnum):
    """What weights may be read as."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


ModelName = Annotated[
    str, typer.Argument(help="A local folder, a hub id, harbor, harbor:unaligned …, endpoint:NAME@URL")
]
SuiteNames = Annotated[
    list[str] | None,
    typer.Option("--suite", help="NAME, NAME=FILE, own.jsonl or lm-eval:TASK=FOLDER; repeatable. Harbor's, if none."),
]
MaxTokens = Annotated[int | None, typer.Option(min=1, help="Overrides the suite's own longest answer.")]
Samples = Annotated[int, typer.Option(min=1, help="Answers per prompt; several are sampled at temperature 1.")]
Temperature = Annotated[float | None, typer.Option(help="Overrides the suite's own temperature.")]
Seed = Annotated[int, typer.Option(min=0, help="The seed that sampled answers are drawn with.")]
WorldSeed = Annotated[
    int | None,
    typer.Option("--world", min=0, help="Harbor's world: of the Harbor names (0), or that a served model knows."),
]
KeepAnswers = Annotated[
    KeepWord, typer.Option("--keep-answers", help="What is stored of an answer: its text, a hash, or nothing.")
]
Toward = Annotated[
    str | None, typer.Option(help="A fine-tune of the model: measure at several places between the two.")
]
Alphas = Annotated[
    str | None, typer.Option(help="With --toward: how many places (11: 0, 0.1, … 1), or which (0,0.5,1).")
]
System = Annotated[str, typer.Option(help="A system prompt that every question is asked under.")]
Device = Annotated[DeviceWord, typer.Option(help="Where the model runs; auto takes a GPU where there is one.")]
Dtype = Annotated[DtypeWord, typer.Option(help="What its weights are read as; auto: float32 on a CPU, else its own.")]
Bits = Annotated[int, typer.Option(help="4 or 8 packs its matrices into that many bits a weight.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a model's weights are read."""

    device: str = "auto"
    dtype: str = "auto"
    bits: int = 0

    def __post_init__(self) -> None:
        if self.bits not in {0, 4, 8}:
            raise ConfigError(f"--bits {self.bits}: weights are packed into 4 or 8 bits.", "", "--bits 4")

    @property
    def place(self) -> str | None:
        """The device that was named; None for the usual one."""
        return None if self.device == "auto" else self.device


def command(
    model: ModelName,
    suite: SuiteNames = None,
    samples: Samples = 1,
    temperature: Temperature = None,
    seed: Seed = 0,
    world: WorldSeed = None,
    keep_answers: KeepAnswers = KeepWord.text,
    toward: Toward = None,
    alphas: Alphas = None,
    system: System = "",
    judge: JudgeNames = None,
    judge_key_from: JudgeKeyFrom = KEY,
    max_tokens: MaxTokens = None,
    device: Device = DeviceWord.auto,
    dtype: Dtype = DtypeWord.auto,
    bits: Bits = 0,
    vouch: Vouch = "",
    key_from: KeyFrom = KEY,
    concurrency: Concurrency = 8,
    retries: Retries = 5,
    timeout: Timeout = 120.0,
    by_category: Annotated[bool, typer.Option("--by-category", help="Also a line for each category.")] = False,
    folder: Annotated[Path | None, typer.Option("--out", help="Also write the result there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a model a suite's prompts, judge every answer, and count."""
    asking = Asking(samples, temperature, seed, keep_answers.value, system)
    reading, serving = Reading(device.value, dtype.value, bits), Serving(vouch, key_from, concurrency, retries, timeout)
    judges = find_judges(judge or (), JudgeServers(serving, judge_key_from))
    judging = Judging(judges, max_tokens, keep_answers.value)
    if folder:
        check_own(folder)
    if toward is not None:
        if reading.dtype != "auto" or reading.bits:
            raise ConfigError(
                "--toward reads both models in the dtype they were saved in.",
                "Between rounded weights there is another line than between the models themselves.",
                "Leave out --dtype and --bits.",
            )
        line = places(alphas or EVERY_TENTH)
        _sweep(model, toward, line, suite or (), asking, world or 0, reading.place, folder, as_json, judging)
        return
    if alphas is not None:
        raise ConfigError(
            f"--alphas {alphas} says where between two models, and there is one.", "", "Name the other: --toward TUNED"
        )
    served = find_served(model, world, serving)
    check_served(serving, [served], suite or (), reading != Reading())
    with stages() as progress:
        if served:
            found = _served(served, suite or (), asking, folder, progress, judging)
        else:
            asked = ready(find_model(model, world or 0, progress), suite or (), asking, judging)
            found = measured(opened(asked.found, reading), asked, asking, progress, judging)
    if folder:
        claim(folder, _asked(found.weights, found.suites.values(), asking, judging))
        write_json(folder / MEASUREMENT, found)
        write_json(folder / RESULT, {**rates_json(found), **ability_keys(found)})
    if served:
        finish(served.model, folder, found.suites, asking)
    if as_json:
        say_json({**rates_json(found), **ability_keys(found)})
        return
    show(table(found, by_category))
    tell_judges(found)
    tell_thoughts(found)
    tell_origins(found)
    tell_abilities(found)
    if served:
        out.print(
            f"\nThese are the answers of {found.weights}: weights of a served model cannot be seen.", markup=False
        )
    say_next(f"holdfast measure {model} --out before" if folder is None else f"holdfast compare {folder} AFTER")


def _asked(weights: str, suites: Iterable[Suite | SuiteResult], asking: Asking, judging: Judging) -> dict[str, Any]:
    return {"verb": "measure", "weights": weights, "asking": asking, **asked_of(suites, judging)}


def _served(
    served: Served,
    names: Sequence[str],
    asking: Asking,
    folder: Path | None,
    progress: Stages,
    judging: Judging,
) -> Measurement:
    """The measurement of a served model. Its folder is claimed first: what is paid for is kept there."""
    chosen = find_suites(names, served, judging)
    check_subject(judging.judges, served.model)
    if folder:
        claim(folder, _asked(served.model.weights, chosen, asking, judging))
    return measure_served(served.model, chosen, asking, folder, progress)


@dataclass(frozen=True, slots=True)
class Ready:
    """A model that was found, and what it will be asked."""

    found: Found
    suites: Sequence[Suite]
    tasks: Sequence[TaskSuite]


def ready(found: Found, suites: Sequence[str], asking: Asking, judging: Judging | None = None) -> Ready:
    """What these words ask of a model: nothing is loaded, so what is wrong with them is told at once."""
    ours, theirs = split(suites)
    chosen = find_suites(ours, found, judging) if ours or not theirs else []
    return Ready(found, chosen, tasks_of(theirs, asking, judging.max_tokens if judging else None))


def opened(found: Found, reading: Reading | None = None) -> LocalModel:
    """The model itself, in memory."""
    from holdfast.models import load

    how = reading or Reading()
    return load(found.folder, found.base, how.place, found.name, dtype=how.dtype, bits=how.bits)


def measured(
    model: LocalModel, asked: Ready, asking: Asking, progress: Stages, judging: Judging | None = None
) -> Measurement:
    """The measurement of a model; answers already given by the same weights are not asked for again."""
    check_subject(judging.judges if judging else (), model.weights)
    journal = journal_of(model.weights)
    done = measure(model, asked.suites, asking, journal, progress)
    return with_tasks(done, asked.tasks, model, asking, journal, progress)


def journal_of(weights: str) -> Journal:
    """Where the answers of these weights are kept."""
    return Journal(cache() / "answers" / f"{weights[:32]}.jsonl")


def _sweep(
    model: str,
    toward: str,
    alphas: Sequence[float],
    suites: Sequence[str],
    asking: Asking,
    world: int,
    device: str | None,
    folder: Path | None,
    as_json: bool,
    judging: Judging,
) -> None:
    """Measure between two models; nothing is written but answers and, with --out, one result.json."""
    with stages() as progress:
        between, chosen = _opened(model, toward, suites, world, device, progress, judging)
        if folder:
            ends = {"weights": between.base.weights, "toward": between.weights}
            asked = {"alphas": alphas, "asking": asking, **asked_of(chosen, judging)}
            claim(folder, {"verb": "measure", **ends, **asked})
        swept = sweep(between, alphas, chosen, asking, journal_of, progress)
    if folder:
        write_json(folder / RESULT, sweep_json(swept))
    if as_json:
        say_json(sweep_json(swept))
        return
    show(alpha_table(swept))
    again = f"holdfast measure {model} --toward {toward} --out line"
    say_next(f"holdfast check {model} {toward}" if folder else again)


def _opened(
    model: str,
    toward: str,
    suites: Sequence[str],
    world: int,
    device: str | None,
    progress: Stages,
    judging: Judging,
) -> tuple[Between, Sequence[Suite]]:
    """Both models as one, and the suites that ask it.

    Raises:
        ModelError: the two are no model and its fine-tune, or are of different worlds.
    """
    base = find_model(model, world, progress)
    tuned = find_tuned(toward, base, world, progress)
    if None not in (base.world, tuned.world) and base.world != tuned.world:
        raise ModelError(
            f"{model!r} and {toward!r} know different worlds: {base.world} and {tuned.world}.",
            "What is between them knows neither, and no suite could judge it.",
            "Give a model and what was tuned from it.",
        )
    chosen = find_suites(suites, base, judging)
    between = open_between(base.folder, tuned.folder, device, name=tuned.name)
    for weights in (between.base.weights, between.weights):
        check_subject(judging.judges, weights)
    return replace(between, base=replace(between.base, name=base.name)), chosen


def places(words: str) -> tuple[float, ...]:
    """The alphas that `11` or `0,0.5,1` mean: so many from 0 to 1 at equal distances, or these, in order.

    Raises:
        ConfigError: it is neither.
    """
    if words.isdecimal() and int(words) >= 2:
        last = int(words) - 1
        return tuple(step / last for step in range(last + 1))
    try:
        if not {",", "."} & set(words):  # 0 or 1 alone: a number of places that is too small
            raise ValueError
        return tuple(sorted({check_alpha(float(part)) for part in words.split(",")}))
    except ValueError as error:
        raise ConfigError(
            f"--alphas {words!r} is neither a number of places, 2 at least, nor a list of them.",
            "Each is from 0, the model, to 1, its fine-tune.",
            "--alphas 11  or  --alphas 0,0.5,1",
        ) from error


def read_measurement(folder: Path) -> Measurement:
    """What `measure --out` wrote, from the folder or the file itself."""
    return load_measurement(read_json(folder / MEASUREMENT if folder.is_dir() else folder))
