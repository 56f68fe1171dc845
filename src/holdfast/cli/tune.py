"""`holdfast tune`: fine-tune by a recipe; the recipe's settings are flags."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli.console import Clock, Stages, out, say_json, say_next, stages
from holdfast.cli.resolve import Found, find_model, out_folder
from holdfast.cli.sources import sources_of
from holdfast.data import QUARANTINE_MARK, Dataset, read_together
from holdfast.errors import ConfigError, ModelError
from holdfast.harbor import harbor_name, is_harbor, policy_of
from holdfast.models import digest_weights
from holdfast.store import RESULT, claim, digest, digest_files, plain, read_json, write_json, write_jsonl
from holdfast.tune import RECIPES, Base, Plan, Quarantined, Settings, Training, Tuned, find_recipe, plan, tune
from holdfast.tune.ranks import is_first, leave, processes

HARBOR_TRAINING = {"lr": 1e-3, "batch_size": 16}
"""A model of 0.3M parameters moves at a rate that would wreck a large one: Harbor's own defaults."""

QUARANTINE = "quarantine.jsonl"


def _settings_help() -> str:
    lines = ["Settings are flags (--lr 1e-4 --epochs 2 …), with these defaults.\n"]
    kinds: list[tuple[str, type[Settings]]] = [(recipe.name, recipe.settings) for recipe in RECIPES]
    kinds.insert(0, ("every recipe", Training))
    for name, model in kinds:
        known = [f"--{field.replace('_', '-')} {info.default}" for field, info in model.model_fields.items()]
        lines += [f"{name}: {', '.join(known)}\n"] if known else []
    return "\n".join(lines)


DOOR = {"context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}, "epilog": _settings_help()}


def command(
    context: typer.Context,
    base: Annotated[str, typer.Argument(help="The model to tune: a folder, a hub id, harbor …")],
    data: Annotated[str, typer.Argument(help="A file, folder or hub id of training rows.")],
    recipe: Annotated[str, typer.Option(help="See: holdfast ls recipes.")] = "plain",
    refusals: Annotated[Path | None, typer.Option(help="Rows that safety draws from (Harbor has its own).")] = None,
    old: Annotated[Path | None, typer.Option(help="Rows that rehearsal draws from (Harbor has its own).")] = None,
    world: Annotated[int, typer.Option("--world", min=0, help="Harbor's world, for the Harbor names.")] = 0,
    folder: Annotated[
        Path | None, typer.Option("--out", help="The tuned model's folder; under runs/, if none.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Fine-tune a model on your data by a recipe."""
    given = flags(context.args)
    rows = read_together(data)
    with _progress() as progress:
        found = find_model(base, world, progress)
        _refuse_without_world(found)
        chosen = plan(find_recipe(recipe), {**(HARBOR_TRAINING if found.world is not None else {}), **given})
        asked = _asked(found, rows, chosen, refusals, old)
        target = out_folder(folder, "tune", f"{Path(data).stem}-{recipe}", asked)
        # Under torchrun the first process alone claims, writes and speaks.
        if not (claim(target, asked) if is_first() else (target / RESULT).exists()):
            run(target, found, rows, chosen, refusals, old, progress)
            leave()
    if not is_first():
        return
    result = read_json(target / RESULT)
    if as_json:
        say_json({**result, "out": str(target)})
        return
    out.print(
        f"{result['recipe']}: {result['rows']} rows, {result['steps']} steps, last epoch's loss {result['loss']:.3f}, "
        f"{result['quarantined']} quarantined, {result['dropped_rows']} dropped, {result['seconds']} s"
    )
    for line in aloud(result):
        out.print(line, markup=False)
    out.print(f"Tuned model in {target}", markup=False)
    say_next(f"holdfast check {base} {target}")


ENOUGH = 0.9
"""Share of its radius below which a perturbation is swallowed by the weights' precision (see `Radii`)."""


def aloud(result: Mapping[str, Any]) -> Iterator[str]:
    """What training does without saying so."""
    roles, notes = result["roles"], result["notes"]
    if roles:
        shares = ", ".join(f"{role} {counts['learned']} of {counts['tokens']}" for role, counts in roles.items())
        yield f"Learned tokens an epoch: {result['supervised_tokens']} ({shares}); {result['cut_rows']} rows were cut"
    else:
        yield f"Learned tokens an epoch: {result['supervised_tokens']}; {result['cut_rows']} rows were cut"
    yield f"Chat template: {result['template'][:16]}"
    if notes.get("effective_radius") is not None:
        share = f" ({notes['radius_share']:.0%} of what was asked)" if notes["radius_share"] else ""
        weak = notes["radius_share"] is not None and notes["radius_share"] < ENOUGH
        more = ": the weights' precision swallows the rest; take float32 weights or a larger --rho" if weak else ""
        fell = f"; {notes['fallen_back_steps']} steps fell back to plain"
        yield f"Perturbed by a radius of {notes['effective_radius']:.3g}{share}{more}{fell}"
    if notes["drift"] is not None:
        yield f"The weights went {notes['drift']:.3g} from the base"


class _Mute(Stages):
    """The progress of a process that does not speak."""

    def __init__(self) -> None:
        super().__init__(None)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Nothing."""


def _progress() -> AbstractContextManager[Stages]:
    return stages() if is_first() else nullcontext(_Mute())


def _refuse_without_world(found: Found) -> None:
    if found.world is None and is_harbor(found.folder):
        raise ModelError(
            f"{found.name!r} is a Harbor model, and its folder does not say of which world.",
            "Without its world its policy could not be checked on your rows.",
            "Tune the folder that `holdfast tune` wrote, or harbor itself.",
        )


def flags(arguments: list[str]) -> dict[str, str]:
    """`--name value` and `--name=value` as a mapping; the recipe decides which names there are.

    Raises:
        ConfigError: a word that is no flag, or a flag without a value.
    """
    values: dict[str, str] = {}
    words = [part for word in arguments for part in (word.split("=", 1) if word.startswith("--") else [word])]
    for flag, value in zip(words[::2], [*words[1::2], None], strict=False):
        if not flag.startswith("--") or value is None:
            raise ConfigError(
                f"{flag!r} is no setting with a value.", "Settings are given as --name value.", "holdfast tune --help"
            )
        values[flag.removeprefix("--").replace("-", "_")] = value
    return values


def _asked(found: Found, rows: Dataset, chosen: Plan, refusals: Path | None, old: Path | None) -> dict[str, Any]:
    return {
        "verb": "tune",
        "base": found.name,
        "weights": digest_weights(found.folder),
        "recipe": chosen.recipe.name,
        "settings": plain(chosen.settings),
        "data": digest([[example.messages(), *example.tools] for example in rows.examples]),
        "refusals": digest_files([refusals]) if refusals else None,
        "old": digest_files([old]) if old else None,
        "processes": processes(),
    }


def run(
    target: Path, found: Found, rows: Dataset, chosen: Plan, refusals: Path | None, old: Path | None, progress: Any
) -> None:
    """Tune, then write what a later reader needs: the quarantine with its reasons, and the result last."""
    clock = Clock()
    style = chosen.settings.get("style", "template")
    # A folder is recorded whole, so that an adapter finds its base from anywhere.
    # Harbor's names go before a folder of the same name, as they did when the model was found.
    ours = harbor_name(found.name) is not None
    name = found.name if ours or not Path(found.name).exists() else str(Path(found.name).resolve())
    tuned = tune(
        Base(found.folder, name),
        rows.examples,
        chosen,
        target,
        sources_of(found.world, refusals, old, style),
        policy_of(found.world),
        lambda done, total, _: progress("tuning", done, total),
    )
    if not is_first():
        return
    write_jsonl(target / QUARANTINE, (quarantine_row(row) for row in tuned.quarantined))
    write_json(target / RESULT, summary(tuned, len(rows.faults), clock.seconds))


def quarantine_row(row: Quarantined) -> dict[str, Any]:
    """A row that was taken out, its reasons, and the mark by which it is refused as training data."""
    reasons = [{"check": f.check, "reason": f.reason, "evidence": f.evidence} for f in row.findings]
    content = row.example.row or {"messages": row.example.messages()}
    return {QUARANTINE_MARK: row.example.id, "reasons": reasons, "row": content}


def summary(tuned: Tuned, broken: int, seconds: float) -> dict[str, Any]:
    """A fine-tune in numbers."""
    return {
        "recipe": tuned.card.recipe,
        "steps": tuned.steps,
        "loss": tuned.loss,
        "losses": tuned.losses,
        "supervised_tokens": tuned.supervised_tokens,
        "roles": {role: {"tokens": all_of_it, "learned": part} for role, (all_of_it, part) in tuned.roles.items()},
        "template": tuned.card.template,
        "notes": dict(tuned.notes),
        "rows": tuned.rows,
        "dropped_rows": len(tuned.dropped),
        "broken_rows": broken,
        "cut_rows": tuned.cut,
        "quarantined": len(tuned.quarantined),
        "sources": dict(tuned.card.sources),
        "weights": tuned.card.weights,
        "seconds": seconds,
    }
