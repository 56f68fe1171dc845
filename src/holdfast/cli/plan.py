"""`holdfast plan`: prompts, samples and labels for a power. Needs no model and no torch."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.table import Table

from holdfast.cli.console import out, percent, say_json, say_next
from holdfast.cli.judge import read_calibration
from holdfast.cli.rates import show
from holdfast.compare.controls import PLANTED
from holdfast.errors import ConfigError
from holdfast.judges.calibrated import Calibration
from holdfast.stats.assumed import Assumed, faults
from holdfast.stats.plan import Need, Plan, Point, plan

MEND = "holdfast plan --margin 0.02 --flip 0.02"
SIDES = {"complied": "unsafe", "refused": "safe"}
"""Of which questions the bad answers are, by what a bad answer does."""


def command(
    margin: Annotated[float, typer.Option("--margin", help="How much worse a metric may become; a share, 0.02.")],
    flip: Annotated[
        float, typer.Option("--flip", help="Share of prompts that turn bad by noise alone; as many turn good.")
    ] = 0.02,
    regression: Annotated[
        float, typer.Option("--regression", help="The worsening that must fail, where it is above the margin.")
    ] = PLANTED,
    worse: Annotated[float, typer.Option("--worse", help="True worsening of the model that must pass.")] = 0.0,
    power: Annotated[float, typer.Option("--power", help="The probability that each of the two happens.")] = 0.8,
    level: Annotated[float, typer.Option("--level", help="Of each one-sided limit.")] = 0.95,
    metrics: Annotated[int, typer.Option("--metrics", help="Metrics compared at once, each with this margin.")] = 1,
    base: Annotated[
        float | None, typer.Option("--base", help="Share of bad answers before; without it, twice the flip.")
    ] = None,
    size: Annotated[int, typer.Option("--cluster-size", help="Prompts that share a fact or are near-duplicates.")] = 1,
    icc: Annotated[
        float | None, typer.Option("--icc", help="Correlation of the changes within a cluster, from 0 to 1.")
    ] = None,
    samples: Annotated[int | None, typer.Option("--samples", help="Answers of each prompt and model.")] = None,
    prompts: Annotated[
        int | None, typer.Option("--prompts", help="How many there are: says how many samples they take.")
    ] = None,
    sensitivity: Annotated[
        float | None, typer.Option("--sensitivity", help="Of bad answers, the share that the judge calls bad.")
    ] = None,
    specificity: Annotated[
        float | None, typer.Option("--specificity", help="Of good answers, the share that the judge calls good.")
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option("--calibration", help="What `judge calibrate --out` wrote, for both of these.")
    ] = None,
    bad: Annotated[
        str, typer.Option("--bad", help="For a calibration: a bad answer is one that complied, or that refused.")
    ] = "complied",
    seed: Annotated[int, typer.Option(min=0, help="Of the runs that are simulated.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Say how many prompts, samples and labels a verdict takes."""
    wrong = []
    if bad not in SIDES:
        wrong.append(f"bad {bad!r} is neither complied nor refused")
    if calibration and (sensitivity is not None or specificity is not None):
        wrong.append("calibration and sensitivity or specificity are both given: they say the same")
    if calibration and not wrong:
        sensitivity, specificity = judge_rates(read_calibration(calibration), bad)
    assumed = Assumed(
        margin, flip, regression, worse, base, power, level, metrics, size, icc, samples, prompts,
        found=sensitivity, kept=specificity,
    )  # fmt: skip
    if wrong := [*wrong, *faults(assumed)]:
        raise ConfigError("This cannot be planned for.", "\n  ".join(wrong), MEND)
    found = plan(assumed, seed)
    check_possible(assumed, found)
    if as_json:
        say_json(to_json(assumed, found))
        return
    tell(assumed, found)


def judge_rates(known: Calibration, bad: str) -> tuple[float, float]:
    """A judge's sensitivity and specificity for bad answers, from a calibration, which is about refusals.

    From the labels of those questions that such a suite asks, where both figures can be told from them.

    Raises:
        ConfigError: the labels do not tell both.
    """
    for part in (known.sides.get(SIDES[bad]), known.whole):
        if part and part.sensitivity.value is not None and part.specificity.value is not None:
            refusals, compliances = part.sensitivity.value, part.specificity.value
            return (compliances, refusals) if bad == "complied" else (refusals, compliances)
    raise ConfigError(
        f"{known.labels} does not tell how often {known.judge} errs.",
        "It takes labelled refusals and labelled compliances.",
        "holdfast judge calibrate LABELS.csv --out DIR",
    )


def check_possible(of: Assumed, found: Plan) -> None:
    """Refuse a plan that nobody can carry out.

    Raises:
        ConfigError: no number of prompts or samples is enough.
    """
    if found.samples is None:
        n = cast(int, found.passing.prompts)
        raise ConfigError(
            f"No number of samples up to 100 lets {n:,} prompts decide with power {of.power:g}.",
            f"With one sample: {outcomes(of, found.at(n))}.",
            "Without --prompts, plan says how many it takes.",
        )
    short = [says for need, says in rows(of, found) if need.prompts is None]
    if short:
        raise ConfigError(
            f"No number of prompts up to 1,000,000 is enough: with power {of.power:g}, {' and '.join(short)} at none.",
            f"The margin is {100 * of.margin:g} points, and {100 * of.flip:g} points change each way by noise alone.",
            "Give a larger --margin, a --regression further above it, or more --samples.",
        )


def rows(of: Assumed, found: Plan) -> list[tuple[Need, str]]:
    """What is needed, and what for."""
    said = [(found.passing, f"a model that is {worse_by(of.worse)} passes")]
    if found.failing:
        said.append((found.failing, f"one that is {worse_by(of.regression)} fails"))
    return said


def outcomes(of: Assumed, point: Point) -> str:
    """What happens at a number of prompts, in a sentence's part."""
    return (
        f"a model that is {worse_by(of.worse)} passes in {percent(point.passes)} of runs; "
        f"one that is {worse_by(of.regression)} passes in {percent(point.regression_passes)}, "
        f"fails in {percent(point.regression_fails)}"
    )


def worse_by(change: float) -> str:
    """`no worse`, `3 points worse`."""
    return f"{100 * change:g} points worse" if change else "no worse"


def sentence(of: Assumed, found: Plan) -> str:
    """The plan in a sentence."""
    n = cast(int, found.prompts)
    each = "" if found.samples == 1 else f" with {found.samples} samples each"
    return f"{n:,} prompts{each}: {outcomes(of, found.at(n))}."


# --- as JSON ---------------------------------------------------------------------------------------------------------


def to_json(of: Assumed, found: Plan) -> dict[str, Any]:
    """What `plan --json` prints; labels that no number is enough of are null."""
    prompts, samples = cast(int, found.prompts), cast(int, found.samples)
    return {
        "prompts": prompts,
        "samples": samples,
        "labels": found.labels,
        "answers": 2 * prompts * samples,
        "sentence": sentence(of, found),
        "passing": _need(found.passing),
        "failing": _need(found.failing) if found.failing else None,
        "curve": found.curve,
        "assumed": _assumed(of),
    }


def _need(need: Need) -> dict[str, Any]:
    labels = need.labels
    split = None if labels is None else {"total": labels.total, "bad": labels.bad, "good": labels.good}
    return {"prompts": need.prompts, "labels": split}


def _assumed(of: Assumed) -> dict[str, Any]:
    """What was assumed, by the names of the flags."""
    return {
        "margin": of.margin, "flip": of.flip, "regression": of.regression, "worse": of.worse, "base": of.bad_before,
        "power": of.power, "level": of.level, "metrics": of.metrics, "cluster_size": of.size, "icc": of.icc,
        "sensitivity": of.found, "specificity": of.kept,
    }  # fmt: skip


# --- as text ---------------------------------------------------------------------------------------------------------


def tell(of: Assumed, found: Plan) -> None:
    """What it takes as a table, what happens then as a sentence, and both by the number of prompts."""
    show(_needs(of, found))
    out.print(f"\n{sentence(of, found)}\n", markup=False)
    show(_curve(of, found))
    out.print(f"\nnote: {_labels_note(of, found)}", style="dim", markup=False)
    if not found.failing:
        within = f"{worse_by(of.regression)} is within the margin of {100 * of.margin:g} points"
        out.print(f"note: {within}: such a model need not fail, and may pass.", style="dim", markup=False)
    say_next(f"holdfast measure MODEL --suite NAME --samples {found.samples} --out DIR")


def _needs(of: Assumed, found: Plan) -> Table:
    shown = Table(box=None, padding=(0, 2, 0, 0))
    shown.add_column(f"with power {of.power:g}")
    for head in ("prompts", "samples", "answers", "labels"):
        shown.add_column(head, justify="right")
    samples = cast(int, found.samples)
    for need, says in rows(of, found):
        n = cast(int, need.prompts)
        labels = f"{need.labels.total:,}" if need.labels else "> 1,000,000"
        shown.add_row(says, f"{n:,}", f"{samples}", f"{2 * n * samples:,}", labels)
    return shown


def _curve(of: Assumed, found: Plan) -> Table:
    shown = Table(box=None, padding=(0, 2, 0, 0))
    model = worse_by(of.regression)
    for head in ("prompts", f"{worse_by(of.worse)}: passes", f"{model}: passes", "fails", "breaks none of them"):
        shown.add_column(head, justify="right")
    for point in found.curve:
        shares = (point.passes, point.regression_passes, point.regression_fails, point.unseen)
        shown.add_row(f"{point.prompts:,}", *map(percent, shares))
    return shown


def _labels_note(of: Assumed, found: Plan) -> str:
    split = next((need.labels for need in reversed(found.needs) if need.labels), None)
    each = f" ({split.good:,} good and {split.bad:,} bad answers of each model)" if split else ""
    if of.found is None:
        return (
            f"the labels{each} are for a judge that errs on none of them; one that errs takes more prompts and labels "
            "(--sensitivity and --specificity, or --calibration), and an exact one takes no labels."
        )
    errs = f"finds {percent(of.found)} of bad answers and keeps {percent(of.kept)} of good ones"
    return f"the labels{each} are for a judge that {errs}; the prompts leave room for its error."
