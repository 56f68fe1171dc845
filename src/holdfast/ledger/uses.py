"""How often the same prompts have decided, and what that makes of a verdict.

Each one-sided limit errs in at most 5 of 100 comparisons. Over several models the chance that any was passed wrongly is
at most the sum (Bonferroni), if none was chosen or changed for what these prompts had said before; if one was, no such
bound holds (Dwork, Feldman, Hardt, Pitassi, Reingold, Roth: The reusable holdout, Science 349, 2015).
"""

from collections.abc import Iterator, Sequence

from holdfast.ledger.entry import Entry
from holdfast.models import is_served


def decided(entry: Entry) -> bool:
    """Whether an entry was held against any other one."""
    return any(compared.verdict is not None for compared in entry.every)


def uses(entries: Sequence[Entry]) -> list[dict[str, int]]:
    """For each entry and metric: how many models these prompts have decided on, up to and with this one.

    A candidate that became a release is one model; without weights every entry counts.
    """
    seen: dict[tuple[str, str], set[str]] = {}
    counts = []
    for place, entry in enumerate(entries):
        model = entry.measurement if entry.weights and not is_served(entry.weights) else str(place)
        for name, prompts in entry.prompts.items():
            seen.setdefault((name, prompts), set()).update({model} if decided(entry) else ())
        counts.append({name: len(seen[name, prompts]) for name, prompts in entry.prompts.items()})
    return counts


def uses_say(entries: Sequence[Entry]) -> Iterator[str]:
    """The newest entry's counts in sentences, metrics of one count together."""
    if not entries:
        return
    together: dict[int, list[str]] = {}
    for name, count in uses(entries)[-1].items():
        together.setdefault(count, []).append(name)
    for count, names in together.items():
        if count:
            yield _says(count, names, entries[-1].level)


def _says(count: int, names: Sequence[str], level: float) -> str:
    error = round(100 * (1 - level), 6)
    one = f"The prompts of {', '.join(names)} have decided on {count} model{'s' if count > 1 else ''}."
    if count == 1:
        return one
    together = (
        f"{count} verdicts pass at least one such model at most {count * error:g} times in 100, and more often"
        if count * error < 100
        else f"for {count} verdicts together that bounds nothing, the less"
    )
    return (
        f"{one} One verdict passes a model that is worse than its margin at most {error:g} times in 100; {together} "
        "where a model was tuned or picked for what these prompts had said. Fresh prompts with a new anchor start anew."
    )
