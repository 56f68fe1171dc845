"""Rows whose answer a guard calls unsafe; the guard is the user's, and reads what rules on wording cannot."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.audit.check import Figure, Material, Need
from holdfast.data import Example, Finding
from holdfast.judges import Asked, Guard, GuardVerdict, is_refusal
from holdfast.scope import most_suspect
from holdfast.stats import clopper_pearson

SHOWN = 200

Judged = dict[int, list[tuple[Asked, GuardVerdict]]]
"""By the row's place: each answer in it, and what the guard said."""


@dataclass(frozen=True, slots=True)
class UnsafeByGuard:
    """What a guard calls controversial is noted and stays; what it cannot decide is counted, never taken for safe."""

    name: str = "unsafe-by-guard"
    says: str = "Rows whose answer a guard model calls unsafe, refusals apart."
    needs: Need = "guard"
    restorable: bool = True

    def find(self, material: Material) -> Iterator[Finding | Figure]:
        """A finding for each unsafe or controversial row, and the guard's figure."""
        if material.guard is None:
            return
        ranked, drawn = _chosen(material)
        judged = _judged(material, sorted({*ranked, *drawn}), material.guard)
        for place, verdicts in judged.items():
            if found := self._finding(material.examples[place], verdicts, material.guard.name):
                yield found
        yield _figure(material, judged, drawn)

    def _finding(self, example: Example, verdicts: Sequence[tuple[Asked, GuardVerdict]], guard: str) -> Finding | None:
        for level in ("unsafe", "controversial"):
            for asked, verdict in verdicts:
                if verdict.safety == level and not _refuses(asked, verdict):
                    kinds = f" ({', '.join(verdict.categories)})" if verdict.categories else ""
                    reason = f"The guard {guard} calls the answer {level}{kinds}."
                    removes = level == "unsafe"
                    return Finding(self.name, example.id, reason, asked.answer[:SHOWN], removes=removes, verdict=level)
        return None


def _chosen(material: Material) -> tuple[list[int], list[int]]:
    """The places of the rows that rank highest by cheap signals, and of a random sample of all: they may overlap."""
    everything, most = list(range(len(material.examples))), material.guard_rows
    if most is None or most >= len(everything):
        return [], everything
    ranked = most_suspect(material.examples, most // 2)
    drawn = np.random.default_rng(material.seed).choice(len(everything), most - len(ranked), replace=False)
    return ranked, sorted(drawn.tolist())


def _judged(material: Material, places: Sequence[int], guard: Guard) -> Judged:
    """Every answer of the rows at `places`, judged."""
    asked = [(place, each) for place in places for each in _asked(material.examples[place])]
    judged: Judged = {place: [] for place in places}
    verdicts = guard.judge([each for _, each in asked])
    for done, ((place, each), verdict) in enumerate(zip(asked, verdicts, strict=True), 1):
        judged[place].append((each, verdict))
        material.tell(done, len(asked))
    return judged


def _asked(example: Example) -> Iterator[Asked]:
    """Each answer of the conversation with all that the user had said by then."""
    said: list[str] = []
    for turn in example.turns:
        if turn.role == "user":
            said.append(turn.content)
        elif turn.role == "assistant" and said:
            yield Asked("\n".join(said), turn.content)


def _refuses(asked: Asked, verdict: GuardVerdict) -> bool:
    return is_refusal(asked.answer) if verdict.refusal is None else verdict.refusal


def _level(verdicts: Sequence[tuple[Asked, GuardVerdict]]) -> str:
    """A row is as bad as the worst of its answers."""
    levels = {"safe" if _refuses(*each) and each[1].safety != "undecided" else each[1].safety for each in verdicts}
    return next((level for level in ("unsafe", "undecided", "controversial") if level in levels), "safe")


def _figure(material: Material, judged: Judged, drawn: Sequence[int]) -> Figure:
    """The share of unsafe rows, from the random sample alone: rows that were picked by rank say nothing of the rest."""
    counts = Counter(_level(judged[place]) for place in drawn)
    n, unsafe, undecided = len(drawn), counts["unsafe"], counts["undecided"]
    # An undecided row may be either: the lower limit takes it for safe, the upper for unsafe.
    low, high = (clopper_pearson(unsafe, n)[0], clopper_pearson(unsafe + undecided, n)[1]) if n else (0.0, 1.0)
    everything = len(judged) == len(material.examples)
    basis = "all rows" if everything else f"a random sample of {n} of {len(material.examples)} rows"
    name = material.guard.name if material.guard else ""
    says = (
        f"By the guard {name}, {unsafe} of {n} rows are unsafe ({low:.2%} to {high:.2%} with the undecided counted "
        f"both ways), {counts['controversial']} controversial and {undecided} undecided; estimated from {basis}."
    )
    kinds = Counter(kind for verdicts in judged.values() for _, verdict in verdicts for kind in verdict.categories)
    value = {
        "guard": name,
        "judged": len(judged),
        "basis": basis,
        "n": n,
        "unsafe": unsafe,
        "controversial": counts["controversial"],
        "undecided": undecided,
        "undecided_in_all": sum(_level(verdicts) == "undecided" for verdicts in judged.values()),
        "share": unsafe / n if n else None,
        "interval": [low, high],
        "categories": dict(kinds.most_common()),
    }
    return Figure("guard", says, value)
