"""The table and the figure of the operating curve, from samples that every gate has seen.

uv run python -m benchmarks.operating_curve.page --out docs/results
"""

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from benchmarks.operating_curve.curve import Bin, curve
from benchmarks.operating_curve.draws import DESIGNS
from benchmarks.operating_curve.figure import Panel, draw, photograph
from benchmarks.operating_curve.gates import MARGIN, base_pairs
from benchmarks.operating_curve.population import home, read_models
from benchmarks.operating_curve.seen import OURS, Found, Seen, read
from benchmarks.operating_curve.words import percent, whole

TITLE = "What each gate says, by how much worse the model really is"


def figure(found: Sequence[Found]) -> str:
    """The figure of the designs that draw single prompts from a fine-tune and its base."""
    rows = [(each.design.name, [_panel(each, gate) for gate in each.gates]) for each in found]
    most, low, high = found[0], 100 * MARGIN, 100 * MARGIN + 0.5
    foot = (
        f"Across: by how many points the tuned model truly is worse. {len(most.change):,} fine-tuned models in "
        f"{most.worlds} worlds; the truth is known",
        "from asking every question. Up: what the gate says on random samples of them. Blue right of the margin is a "
        "wrong",
        f"pass, orange left of it a wrong fail. Below each panel: their shares among models {low:g} to {high:g} and "
        f"{low - 0.5:g} to {low:g} points worse.",
        "Holdfast and statgate test for non-inferiority; the others pass what is not significantly worse, truescore "
        "without a margin.",
    )
    return draw(rows, low, TITLE, foot)


def _panel(found: Found, gate: Seen) -> Panel:
    ours = gate.gate == OURS
    beyond, within = found.beyond(gate.rule), found.within(gate.rule)
    wrong = _share(beyond, "pass"), _share(within, "fail")
    bins = curve(found.change, gate.rule, found.samples, MARGIN)
    return Panel(gate.gate if ours else f"{gate.gate} {gate.version}", bins, wrong, ours)


def _share(found: Bin | None, verdict: str) -> str:
    return percent(found[verdict]) if found else "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=home())
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    given = parser.parse_args()
    found = [each for design in DESIGNS if (each := read(design, given.home))]
    shown = [each for each in found if each.design.kind == "prompts" and each.design.family == "base"]
    models = read_models(given.home)
    if len(base_pairs(models)) != len(shown[0].change):
        parser.error("there are models that no gate has seen: run gates, rivals and this again")
    svg, png = given.out / "operating-curve.svg", given.out / "operating-curve.png"
    svg.write_text(figure(shown), encoding="utf-8")
    photograph(svg, png)
    text = whole(found, models, date.today())
    (given.out / "operating-curve.md").write_text(text, encoding="utf-8")
    print(svg, png)


if __name__ == "__main__":
    main()
