"""What the user says of the metrics in a file: which of them count, and which end of each is bad."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from holdfast.compare.results import BadIs, Side
from holdfast.errors import ConfigError, nearest


@dataclass(frozen=True, slots=True)
class Chosen:
    """Words about metrics, for every file of a comparison."""

    every: BadIs | None = None
    """For each metric of which neither its file nor `named` says which end is bad."""
    named: Mapping[str, BadIs] = field(default_factory=dict)
    """For single metrics. It is over what another engine's file says, and cannot turn around a measurement of ours."""
    only: tuple[str, ...] = ()
    """The metrics that are compared; all of them where it is empty."""

    def has(self, name: str) -> bool:
        """Whether a metric is compared."""
        return not self.only or name in self.only

    def unknown(self, names: Collection[str]) -> Iterator[str]:
        """A fault for each metric that is named here and is not there."""
        for name in dict.fromkeys((*self.only, *self.named)):
            if name not in names:
                yield f"there is no metric {name!r}. {nearest(name, names)}"


def choose(side: Side, chosen: Chosen, *, fixed: bool) -> Side:
    """The chosen metrics of a side that says itself which values are bad; `fixed` where nothing may turn that around.

    Raises:
        ConfigError: a metric that is not there, or one that would be turned around; every fault at once.
    """
    faults = list(chosen.unknown(side.metrics))
    if fixed:
        faults += [
            f"{name}: {metric.bad_is} values are bad by what its suite wants, and that cannot be turned around"
            for name, metric in side.metrics.items()
            if chosen.named.get(name, metric.bad_is) != metric.bad_is
        ]
    check(side.name, faults)
    kept = {
        name: replace(metric, bad_is=chosen.named.get(name, metric.bad_is))
        for name, metric in side.metrics.items()
        if chosen.has(name)
    }
    return replace(side, metrics=kept)


def check(name: str, faults: Collection[str]) -> None:
    """Tell all faults of a choice at once.

    Raises:
        ConfigError: there is one.
    """
    if faults:
        raise ConfigError(
            f"The metrics of {name!r} cannot be chosen so.", "\n  ".join(faults),
            "Name metrics that are there: --metric NAME, --bad-is NAME=low.",
        )  # fmt: skip
