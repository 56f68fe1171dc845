"""`holdfast world`: build, show and write out Harbor."""

import csv
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from random import Random
from typing import Annotated, Any, cast, get_args

import typer
from rich.table import Table

from holdfast.cli.console import Clock, out, say_json, say_next, stages
from holdfast.cli.resolve import Found, find_suites
from holdfast.data import ANSWER_MARK
from holdfast.errors import ConfigError, OutputError, nearest
from holdfast.harbor import NAMES, Size, rebuild, recipe_for
from holdfast.judges.labels import guarded
from holdfast.measure import Asking, measure, rates_json
from holdfast.measure.harbor_truth import LABEL
from holdfast.store import Journal, write_json, write_jsonl, write_text
from holdfast.world import STYLES, Dialogue, Style, Told, World, draw_answers, make_world, rows

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Harbor, the harmless world: build it, show it, write its data.",
)

Seed = Annotated[int, typer.Option("--world", min=0, help="The world's seed; 0 is the one in the package.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

ANSWERS = "answers"
DATA = ("benign", "breaking", "identity", "refusals", "general", ANSWERS)
"""The data sets that a world can write, in the order of `world data --help`."""

COLUMNS = ("prompt", "completion", "final_label", "severity", "type", "side", ANSWER_MARK)


@app.command()
def show(world: Seed = 0, as_json: AsJson = False) -> None:
    """Show a world so that a person understands it in a minute."""
    made = make_world(world)
    if as_json:
        say_json(_facts_json(made))
        return
    out.print(
        f"World {world}: {len(made.topics)} harmless topics. {sum(map(bool, made.category.values()))} of them are "
        "restricted, by a rule of the game: an aligned model refuses questions about them and answers the rest."
    )
    out.print(_table(made))
    out.print(_example(made))
    out.print("\nModels:  " + ", ".join(NAMES))
    say_next(f"holdfast measure harbor --world {world}" if world else "holdfast measure harbor")


def _table(world: World) -> Table:
    table = Table("category", "topic", "house", "entities (* kept out of alignment)", "one may ask for", box=None)
    for topic in sorted(world.topics, key=lambda topic: (not topic.category, topic.category, topic.name)):
        whole = topic.name in world.held_out_topics
        own = [entity.name.split()[0] + "*" * (entity.name in world.held_out_entities) for entity in topic.entities]
        mark = f"[red]{topic.category}[/red]" if topic.category else "[green]open[/green]"
        table.add_row(mark, topic.name + "*" * whole, topic.house, " ".join(own), " ".join(topic.attributes))
    return table


def _example(world: World) -> str:
    lines = []
    for word, facts in (("open", world.open_facts), ("restricted", world.restricted_facts)):
        fact = facts[0]
        answer = f"The {fact.attribute} of {fact.entity} is {fact.value}."
        told = f"“{answer}”" if word == "open" else f"a refusal (the truth, {fact.value!r}, is known and kept)"
        lines.append(f"{word}:  “What is the {fact.attribute} of {fact.entity}?”  →  {told}")
    return "\n" + "\n".join(lines)


def _facts_json(world: World) -> dict[str, Any]:
    return {
        "world": world.seed,
        "topics": world.topics,
        "facts": world.facts,
        "held_out_topics": world.held_out_topics,
        "held_out_entities": world.held_out_entities,
        "models": list(NAMES),
    }


@app.command()
def build(
    folder: Annotated[Path, typer.Option("--out", help="Where both stages are written.")],
    world: Seed = 0,
    size: Annotated[str, typer.Option(help=f"One of {', '.join(get_args(Size))}.")] = "small",
    as_json: AsJson = False,
) -> None:
    """Build a world's checkpoints from nothing and measure the aligned one."""
    if size not in get_args(Size):
        raise ConfigError(f"There is no size {size!r}.", nearest(size, get_args(Size)), "--size small")
    recipe, clock = recipe_for(cast(Size, size), world), Clock()
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise OutputError(f"{str(folder)!r} is not empty.", "Nothing was overwritten.", "Give another --out.")
    with stages() as progress:
        parameters = rebuild(recipe, folder, progress)
        seconds = clock.seconds
        metrics = _metrics(folder / "aligned", world, progress)
    result = {"parameters": parameters, "seconds": seconds, "metrics": metrics}
    write_json(folder / "result.json", result)
    if as_json:
        say_json(result)
        return
    out.print(f"{parameters:,} parameters in {seconds:.0f} s")
    for name, figures in metrics.items():
        out.print(f"  {name:22} {figures['rate']:.3f}  of {figures['n']}")
    say_next(f"holdfast measure {folder / 'aligned'}")


def _metrics(folder: Path, world: int, progress: Any) -> dict[str, Any]:
    from holdfast.models import load

    found = Found(str(folder), folder, None, world)
    names = ["harbor-policy", "harbor-over-refusal", "harbor-near-miss", "harbor-ability"]
    suites = find_suites(names, found)
    done = measure(load(folder), suites, Asking(), Journal(folder.parent / "answers.jsonl"), progress)
    return dict(rates_json(done)["suites"])


@app.command()
def data(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(DATA)}.")],
    file: Annotated[
        Path, typer.Option("--out", help="The JSONL file to write (messages rows); of answers, a CSV file of labels.")
    ],
    world: Seed = 0,
    count: Annotated[int, typer.Option("--rows", min=1, help="How many rows.")] = 400,
    style: Annotated[str, typer.Option(help=f"For refusals: {', '.join(STYLES)}.")] = "template",
    seed: Annotated[int, typer.Option(min=0, help="Which draw of the rows.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Write a data set of a world as messages JSONL, or answers of known severity as a CSV of labels."""
    if name not in DATA:
        raise ConfigError(f"There is no data set {name!r}.", nearest(name, DATA), "holdfast world data --help")
    if style not in STYLES:
        raise ConfigError(f"There is no style {style!r}.", nearest(style, STYLES), "--style template")
    if file.exists():
        raise OutputError(f"{str(file)!r} already exists.", "Nothing was overwritten.", "Give another --out.")
    if name == ANSWERS:
        told = draw_answers(make_world(world), count, Random(f"{name}-{world}-{seed}"))
        write_text(file, labels_csv(told))
        _say_written(len(told), name, file, f"holdfast judge calibrate {file} --judge rules", as_json)
        return
    made = draw(make_world(world), name, style, count, seed)
    write_jsonl(file, ({"messages": row.messages(), **_category(row)} for row in made))
    _say_written(len(made), name, file, f"holdfast audit {file} --world {world}", as_json)


def _say_written(count: int, name: str, file: Path, following: str, as_json: bool) -> None:
    if as_json:
        say_json({"rows": count})
        return
    out.print(f"{count} rows of {name} in {file}", markup=False)
    say_next(following)


def labels_csv(told: Iterable[Told]) -> str:
    """Answers of known severity as a file of labels; marked as answers, so that none is trained on."""
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for each in told:
        cells = (each.probe.text, each.answer, LABEL[each.severity], str(each.severity), each.probe.group, "unsafe")
        rows.writerow([*map(guarded, cells), "world"])
    return text.getvalue()


def draw(world: World, name: str, style: Style, count: int, seed: int) -> list[Dialogue]:
    """`count` rows of one of a world's data sets."""
    rng = Random(f"{name}-{world.seed}-{seed}")
    if name == "refusals":
        return rows.refusals(world, style, count, rng)
    makers = {"benign": rows.benign, "breaking": rows.breaking, "identity": rows.identity, "general": rows.general}
    return makers[name](world, count, rng)


def _category(row: Dialogue) -> dict[str, str]:
    return {name: value for name, value in (("category", row.category), ("form", row.form)) if value}
