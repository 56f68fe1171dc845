"""The page of the operating curve: figures in, Markdown out, by the template beside this file."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.operating_curve.curve import Bin, Shares, worst
from benchmarks.operating_curve.gates import MARGIN, RANGE
from benchmarks.operating_curve.population import Tuned
from benchmarks.operating_curve.seen import OURS, Found, Seen
from jinja2 import Environment, StrictUndefined

POINTS = 100 * MARGIN
OFTEN = 0.08


def percent(share: float) -> str:
    """A share in percent, with a decimal where it is small."""
    return f"{100 * share:.0f} %" if share >= 0.0995 else f"{100 * share:.1f} %"


def whole(found: Sequence[Found], models: Sequence[Tuned], made: date) -> str:
    """The whole page."""
    template = (Path(__file__).parent / "page.md.jinja").read_text(encoding="utf-8")
    values = {**_population(found, models), **_short(found)}
    return Environment(undefined=StrictUndefined, keep_trailing_newline=True).from_string(template).render(
        made=made,
        version=version("holdfast"),
        margin=f"{POINTS:g}",
        margin_up=f"{POINTS + 0.5:g}",
        margin_down=f"{POINTS - 0.5:g}",
        rule=_table(_columns(), (_row(each, gate, gate.rule) for each in found for gate in each.gates)),
        held=_table(_columns(), (_row(each, gate, gate.held) for each in found for gate in each.gates[1:])),
        at_margin=_table(_OWN, (_own(each, gate) for each in found for gate in each.gates)),
        **values,
    )  # fmt: skip


def _population(found: Sequence[Found], models: Sequence[Tuned]) -> dict[str, Any]:
    change = 100 * np.array([model.change for model in models])
    inside = (change >= 100 * RANGE[0]) & (change <= 100 * RANGE[1])
    return {
        "models": f"{inside.sum():,}",
        "outside": int((~inside).sum()),
        "tunes": len({model.tune for model in models}),
        "worlds": len({model.world for model in models}),
        "recipes": ", ".join(sorted({model.recipe.replace(", ", " with ") for model in models})),
        "low": f"{change[inside].min():.1f}",
        "high": f"{change[inside].max():.1f}",
        "near": int((np.abs(change - POINTS) <= 1).sum()),
        "questions": models[0].before.size,
        "facts": models[0].before.shape[0],
        "samples": found[0].samples,
    }


def _short(found: Sequence[Found]) -> dict[str, Any]:
    beyond = [(each, at) for each in found if (at := each.beyond(each.gates[0].rule))]
    where, most = max(beyond, key=lambda each: each[1]["pass"])
    second = [{**one, "design": each.design.name} for each in found for one in each.worst]
    own = {
        verdict: max(
            (one for one in second if one["held"] == "its own change" and one["verdict"] == verdict),
            key=lambda one: one["share"],
        )
        for verdict in ("pass", "fail")
    }
    return {
        "pooled": {
            "share": percent(most["pass"]), "error": f"{100 * most.error('pass'):.1f}", "design": where.design.name,
        },
        "own": {
            verdict: {
                "share": percent(one["share"]), "error": f"{100 * one['error']:.2f}",
                "change": f"{100 * one['change']:.1f}", "design": one["design"],
            }
            for verdict, one in own.items()
        },
        "checked": sum(each.checked for each in found),
        "differing": sum(each.differing for each in found) or "none",
    }  # fmt: skip


def _columns() -> Iterator[str]:
    yield from ("samples", "gate", "pass at 0", f"**wrong pass at {POINTS:g}**", f"pass at {POINTS + 1:g}")
    yield from (f"pass at {POINTS + 3:g}", f"fail at {POINTS + 3:g}", "wrong fail", "worst")


_OWN = (
    "samples",
    "gate",
    "wrong pass",
    "models above 8 %",
    "wrong fail",
    "models above 8 %",
    "our worst, pass and fail",
)


def _table(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    head = tuple(columns)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def _row(found: Found, gate: Seen, by: Shares) -> list[str]:
    zero, one, three = (found.near(by, points) for points in (0, POINTS + 1, POINTS + 3))
    beyond, within = found.beyond(by), found.within(by)
    most = worst(found.change, by, found.samples, MARGIN, "pass")
    return [
        found.design.name,
        gate.gate,
        _cell(zero, "pass"),
        f"**{_cell(beyond, 'pass')}**" + (f" ± {100 * beyond.error('pass'):.1f}" if beyond else ""),
        _cell(one, "pass"),
        _cell(three, "pass"),
        _cell(three, "fail"),
        _cell(within, "fail"),
        f"{percent(most.share)} ± {100 * most.error:.1f}, at {100 * most.change:.1f}" if most else "–",
    ]


def _cell(found: Bin | None, verdict: str) -> str:
    return percent(found[verdict]) if found else "–"


def _own(found: Found, gate: Seen) -> list[str]:
    shares = [
        percent(share)
        for column in (gate.own[:, 0], gate.own[:, 2])
        for share in (float(column.mean()), float((column > OFTEN).mean()))
    ]
    return [found.design.name, gate.gate, *shares, _second(found) if gate.gate == OURS else ""]


def _second(found: Found) -> str:
    worst = {one["verdict"]: one for one in found.worst if one["held"] == "its own change"}
    return ", ".join(
        f"{percent(one['share'])} ± {100 * one['error']:.2f}" for one in map(worst.get, ("pass", "fail")) if one
    )
