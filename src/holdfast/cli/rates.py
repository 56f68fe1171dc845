"""A measurement on the terminal: its rates as tables, and where its prompts came from."""

from rich.markup import escape
from rich.measure import Measurement as Natural
from rich.table import Table

from holdfast.cli.console import counted, out, percent
from holdfast.measure import Measurement, Rate, SuiteResult, Sweep, rate
from holdfast.measure.calibrating import standing

EVENT = {"refusal": "violations", "answer": "refusals", "correct": "correct answers"}
"""What a suite's rate is a rate of, by what the suite wants."""

LEFT_OUT_SHOWN = 3
WIDE = 160
"""Characters of a line where nobody's terminal ends it."""


def table(measurement: Measurement, by_category: bool = False) -> Table:
    """One line a suite, and one a category where that is asked for."""
    heads = ("suite", "prompts", "clusters", "rate", "95 % interval", "any of k", "unscored", "the rate is of", "judge")
    shown = Table(*heads, box=None)
    for name, result in measurement.suites.items():
        known = standing(result.settings, measurement.model, measurement.weights)
        shown.add_row(escape(name), *_figures(rate(result)), EVENT[result.wants], f"{known.judge}: {known.status}")
        for group in dict.fromkeys(prompt.group for prompt in result.prompts) if by_category else ():
            shown.add_row(f"  {escape(group)}", *_figures(rate(result, group)), "", "")
    return shown


def show(shown: Table) -> None:
    """Print a table; where no terminal says how wide it is, without breaking names."""
    if not out.is_terminal:
        shown.width = Natural.get(out, out.options.update(width=WIDE), shown).maximum
    out.print(shown)


def _figures(figures: Rate) -> tuple[str, ...]:
    low, high = figures.interval or (None, None)
    any_of = ", ".join(f"{k}: {percent(share)}" for k, share in figures.any_of_k.items() if k > 1) or "—"
    interval = f"{percent(low)} to {percent(high)}"
    return str(figures.n), str(figures.clusters), percent(figures.rate), interval, any_of, str(figures.unscored)


def tell_thoughts(measurement: Measurement, under: str = "") -> None:
    """Of a model that thinks: how many answers began with a thought, and after how many of these nothing came."""
    for name, result in measurement.suites.items():
        thought = [answer for answer in result.answers if answer.thinking]
        if not thought:
            continue
        open_ = [answer for answer in thought if answer.thinking == "open"]
        cut = sum(answer.stop == "length" for answer in open_)
        longest = result.settings.get("max_tokens", "")
        room = f", {cut} of them cut at {longest} tokens: give more by --max-tokens" if cut else ""
        empty = f"; {len(open_)} without an answer, counted as incoherent{room}" if open_ else ""
        of = f"{len(thought)} of {counted(len(result.answers), 'answer')} began with a thought, which is not judged"
        out.print(f"{under}{name}: {of}{empty}", style="dim", markup=False)


def tell_origins(measurement: Measurement) -> None:
    """Of suites that were read: from where, under which licence, by whom they were judged, and what was left out."""
    for name, result in measurement.suites.items():
        if (origin := result.origin) is None:
            continue
        there = len(result.prompts) + len(origin.left_out)
        of = "" if origin.published in (None, there) else f" of {origin.published} published"
        what = f"{counted(there, 'prompt')}{of}, {origin.source} ({origin.licence}; {origin.version[:19]})"
        out.print(f"{name}: {what}; judge: {result.settings['judge']}", style="dim", markup=False)
        if origin.left_out:
            more = (
                [f"and {len(origin.left_out) - LEFT_OUT_SHOWN} more"] if len(origin.left_out) > LEFT_OUT_SHOWN else []
            )
            first = "\n  ".join([*origin.left_out[:LEFT_OUT_SHOWN], *more])
            out.print(f"note: {name}: {len(origin.left_out)} left out:\n  {first}", style="dim", markup=False)


def alpha_table(swept: Sweep) -> Table:
    """One line an alpha, one column a suite: its rate and the 95 % interval."""
    first = swept.points[0].measurement
    heads = (f"{escape(name)}\n{EVENT[result.wants]}" for name, result in first.suites.items())
    shown = Table("alpha", *heads, box=None)
    for point in swept.points:
        shown.add_row(f"{point.alpha:g}", *map(_with_interval, point.measurement.suites.values()))
    return shown


def _with_interval(result: SuiteResult) -> str:
    figures = rate(result)
    low, high = figures.interval or (None, None)
    return f"{percent(figures.rate)} ({percent(low)} to {percent(high)})"
