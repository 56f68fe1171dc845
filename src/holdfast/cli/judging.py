"""`--judge` words → judges: ours by name, `RUBRIC:MODEL@URL`, and guards as `guard:MODEL@URL` or `guard:FOLDER`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

import typer
from rich.markup import escape
from rich.table import Table

from holdfast.cli.auditing import VERDICTS
from holdfast.cli.console import out, percent, stages
from holdfast.cli.rates import show
from holdfast.cli.resolve import find_model
from holdfast.cli.serving import Serving
from holdfast.endpoint import INSTALL, KEY, Server, is_installed, is_local, read_endpoint
from holdfast.errors import ConfigError, nearest
from holdfast.harbor import cache
from holdfast.judges import STYLES, EndpointGuard, LocalGuard, Remembered, style_for
from holdfast.judges.rubric_judge import RubricJudge
from holdfast.judges.rubrics import RUBRICS
from holdfast.measure import Choosable, Measurement, readers
from holdfast.measure.asked_judges import GUARD, ByGuard, ByRubric
from holdfast.measure.beside import Disagreement, disagreement
from holdfast.measure.scores import Scores, scores
from holdfast.models import ServedModel
from holdfast.store import Journal, digest

JUDGEMENTS = "judgements"
MOST = 2
"""The judge that decides, and one beside it."""

RUBRIC = {rubric.name: rubric for rubric in RUBRICS}
STYLE = {GUARD: None, **{style.name: style.name for style in STYLES}}
"""How a guard's name may begin: `guard`, or the style that its model's name does not tell."""

JudgeNames = Annotated[
    list[str] | None,
    typer.Option(
        "--judge",
        help="Who reads the answers: a judge's name, RUBRIC:MODEL@URL, guard:MODEL@URL or guard:FOLDER. A second one "
        "reads them beside the first. Harbor's suites are read exactly, and any other judge beside that.",
    ),
]
JudgeKeyFrom = Annotated[
    str, typer.Option("--judge-key-from", help="Of judges at a server: the environment variable that holds the key.")
]


class Named(NamedTuple):
    """A judge as it was named."""

    spelled: str
    kind: str
    """A rubric, a guard's style, or the judge's own name."""
    model: str = ""
    url: str = ""
    """Empty for a model on this machine, and for judges that are no model."""

    @property
    def served(self) -> bool:
        """Whether it is asked at a server."""
        return self.kind in RUBRIC or bool(self.url)


@dataclass(frozen=True, slots=True)
class JudgeServers:
    """How judges behind servers are asked: as served models are, with a key of their own."""

    serving: Serving = field(default_factory=Serving)
    key_from: str = KEY

    def server(self, url: str) -> Server:
        """The server at an address."""
        how = self.serving
        return Server(url, self.key_from, how.concurrency, how.retries, how.timeout)


def find_judge(spelling: str, servers: JudgeServers | None = None, option: str = "--judge") -> Choosable:
    """The judge that these words mean, which stood after `option`.

    Raises:
        ConfigError: with all that is wrong with them.
        ModelError: a guard's folder or hub id is no model.
    """
    return find_judges([spelling], servers, option)[0]


def find_judges(
    spellings: Sequence[str], servers: JudgeServers | None = None, option: str = "--judge"
) -> tuple[Choosable, ...]:
    """The judges that these words mean, the one that decides first.

    Raises:
        ConfigError: with all that is wrong with all of them.
        ModelError: as `find_judge`.
    """
    how = servers or JudgeServers()
    named = [_named(spelling) for spelling in spellings]
    _refuse(option, [fault for each in named for fault in _faults(each, how)])
    if len(named) > MOST:
        raise ConfigError(f"{len(named)} judges are named.", "The first decides and one is read beside it.", "Name 2.")
    judges = tuple(_made(each, how) for each in named)
    if len({judge.name for judge in judges}) < len(judges):
        raise ConfigError(f"The judge {judges[0].name!r} is named twice.", "", "Name another one beside it.")
    return judges


def check_subject(judges: Sequence[Choosable], subject: ServedModel | str) -> None:
    """Refuse a judge that is the model which it judges.

    Args:
        judges: the judges.
        subject: a served model, or the digest of a local one's weights.

    Raises:
        ConfigError: a model would grade its own answers.
    """
    for judge in judges:
        if _is(judge, subject):
            raise ConfigError(
                f"The judge {judge.name!r} is the model that is measured.",
                "A model does not grade its own answers.",
                "Name another --judge.",
            )


def beside_json(measurement: Measurement) -> dict[str, Any]:
    """How two judges disagree, by suite; only of suites that two have read."""
    found = {name: disagreement(result) for name, result in measurement.suites.items()}
    return {name: each.to_json() for name, each in found.items() if each}


def tell_judges(measurement: Measurement, under: str = "") -> None:
    """The scores of judges that score, and a line for each suite that two judges have read; `under` comes first."""
    scored = {name: each for name, result in measurement.suites.items() if (each := scores(result))}
    if scored:
        shown = Table("suite", "mean score", "95 % interval", "share of 5s", "95 % interval", box=None)
        for name, each in scored.items():
            shown.add_row(escape(under + name), *_scores(each))
        show(shown)
    for name, result in measurement.suites.items():
        if found := disagreement(result):
            out.print(f"{under}{name}: {_told(found)}", style="dim", markup=False)


def _scores(found: Scores) -> tuple[str, ...]:
    low, high = found.interval
    ends = f"{found.scale.lowest:g} to {found.scale.highest:g}"
    least, most = found.fives_interval or (None, None)
    share = f"{percent(least)} to {percent(most)}" if found.fives_interval else "—"
    return f"{found.mean:.2f} of {ends}", f"{low:.2f} to {high:.2f}", percent(found.fives), share


def _told(found: Disagreement) -> str:
    low, high = found.interval or (None, None)
    share = f", {percent(found.share)} (95 %: {percent(low)} to {percent(high)})" if found.interval else ""
    alone = f"{found.only_first} broken by the first alone, {found.only_second} by the second alone"
    unscored = f"; unscored: {found.unscored_first} and {found.unscored_second}"
    return (
        f"{found.second} beside {found.first}: they differ on {found.differ} of {found.n} answers{share}: {alone}"
        + (unscored if found.unscored_first or found.unscored_second else "")
    )


def _named(spelling: str) -> Named:
    kind, colon, rest = spelling.strip().partition(":")
    if not colon or not (kind in RUBRIC or kind in STYLE):
        return Named(spelling, kind if colon else spelling.strip())
    if kind in RUBRIC or re.search(r"@\w+://", rest):
        return Named(spelling, kind, *read_endpoint(rest))
    return Named(spelling, kind, rest.strip())


def _faults(named: Named, how: JudgeServers) -> Iterator[tuple[str, str]]:
    """What is wrong with a judge's name, each with what mends it."""
    known = [*(judge.name for judge in readers.JUDGES), *RUBRIC, GUARD]
    if named.spelled == named.kind and named.kind in known[: len(readers.JUDGES)]:
        return
    if named.kind not in RUBRIC and named.kind not in STYLE:
        yield f"there is no judge {named.kind!r}. {nearest(named.kind, known)}", "holdfast ls judges"
        return
    called = f"{named.kind}:{named.model}"  # an address may hold a password, and no error shows one
    example = f"--judge {named.kind}:MODEL@http://HOST:PORT/v1"
    if not named.model:
        yield f"{called!r} names no model", f"give {example}"
    if named.served and (named.model or named.url):
        server = how.server(named.url)
        here = named.kind in STYLE and style_for(named.model, STYLE[named.kind]).here_only
        wrong = [("this guard needs its weights here", f"give --judge {named.kind}:FOLDER")] if here else []
        wrong += [*server.faults(example), *server.key_faults()]
        wrong += [] if is_installed() else [("the OpenAI client is not installed", INSTALL)]
        yield from ((f"{called!r}: {fault}", mend) for fault, mend in wrong)


def _refuse(option: str, faults: Sequence[tuple[str, str]]) -> None:
    if faults:
        mend = "; ".join(dict.fromkeys(mend for _, mend in faults))
        told = "; ".join(fault.removesuffix(".") for fault, _ in faults)
        raise ConfigError(f"{option}: {told}.", "", mend)


def _made(named: Named, how: JudgeServers) -> Choosable:
    if named.kind in RUBRIC:
        server = how.server(named.url)
        journal = Journal(cache() / JUDGEMENTS / f"{digest([named.kind, named.model, named.url])[:32]}.jsonl")
        return ByRubric(RubricJudge(RUBRIC[named.kind], named.model, server, journal))
    if named.kind in STYLE:
        guard = _guard(named, how)
        journal = Journal(cache() / VERDICTS / f"{digest(guard.name)[:32]}.jsonl")
        return ByGuard(Remembered(guard, journal), named.spelled.strip())
    return next(judge for judge in readers.JUDGES if judge.name == named.kind)


def _guard(named: Named, how: JudgeServers) -> EndpointGuard | LocalGuard:
    style = STYLE[named.kind]
    if named.url:  # the user named the server: a suite's prompts and answers may go there
        asking = how.serving
        return EndpointGuard(
            named.model, named.url, True, style, how.key_from, asking.concurrency, asking.retries, asking.timeout
        )
    from holdfast.models import load

    with stages() as progress:
        found = find_model(named.model, 0, progress)
        return LocalGuard(load(found.folder, found.base, name=found.name), style)


def _is(judge: Choosable, subject: ServedModel | str) -> bool:
    if isinstance(judge, ByRubric):
        return _served_as(judge.judge.model, judge.judge.server.url, subject)
    if not isinstance(judge, ByGuard):
        return False
    guard = judge.guard.guard
    if isinstance(guard, EndpointGuard):
        return _served_as(guard.model, guard.url, subject)
    return isinstance(guard, LocalGuard) and guard.model.weights == subject


def _served_as(model: str, url: str, subject: ServedModel | str) -> bool:
    """Whether a served judge is the subject: the same name at the same server, or, of a vouched subject, anywhere."""
    if isinstance(subject, str) or subject.model != model:
        return False
    return bool(subject.vouched) or _place(subject.server.url) == _place(url)


def _place(url: str) -> tuple[str, int | None, str]:
    """A server's host, port and path, this machine by one name."""
    place = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(place.scheme)
    return "localhost" if is_local(url) else place.hostname or "", place.port or usual, place.path.rstrip("/")
