"""`--suite` words → suites: Harbor's by name, published ones by name or `NAME=PATH`, a user's own by path."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from holdfast.cli.fetching import fetched
from holdfast.engines.lm_eval_tasks import PREFIX
from holdfast.errors import ConfigError, nearest
from holdfast.measure import (
    PUBLIC,
    SUITES,
    Choosable,
    HarborSuite,
    Keep,
    PublicSuite,
    Reader,
    Suite,
    SuiteResult,
    Wants,
    read_own,
    reader_for,
)
from holdfast.world import make_world

HARBOR = {suite.name: suite for suite in SUITES}
PUBLISHED = {suite.name: suite for suite in PUBLIC}
OWN_ENDS = (".jsonl", ".ndjson", ".json")
_EXAMPLE = '--suite own.jsonl with {"prompt", "wants": refusal|answer|correct, "category"}'


@dataclass(frozen=True, slots=True)
class Judging:
    """How suites are read and asked, where it departs from what they state."""

    judges: tuple[Choosable, ...] = ()
    """The one that decides, and one to read beside it."""
    max_tokens: int | None = None
    keep: Keep = "text"
    """What is kept of an answer: a second judge reads its text."""

    @property
    def named(self) -> str | list[str]:
        """The judges' names; of one alone, that."""
        names = [judge.name for judge in self.judges]
        return names[0] if len(names) == 1 else names

    def deciding(self, wants: Wants) -> Choosable | None:
        """The first of the judges that can decide a suite that wants this."""
        return next((judge for judge in self.judges if wants in judge.decides), None)

    def beside(self, suite: Suite) -> Suite:
        """The suite with the judge that reads it beside its own, if there is one.

        Raises:
            ConfigError: the answers' texts are not kept.
        """
        others = (judge for judge in self.judges if suite.wants in judge.decides and judge.name != suite.reader.name)
        second = next(others, None)
        if second and self.keep != "text":
            raise ConfigError(
                f"--keep-answers {self.keep}: the judge {second.name!r} reads what another has read.",
                "For that the answers' texts have to be there.",
                "--keep-answers text, or one --judge.",
            )
        return replace(suite, beside=second) if second else suite


@dataclass(frozen=True, slots=True)
class Word:
    """One `--suite`, understood: a suite of ours, a file, or both."""

    suite: HarborSuite | PublicSuite | None = None
    path: Path | None = None


def suites_of(words: Sequence[str], model: str, world: int | None, judging: Judging) -> list[Suite]:
    """The suites of these words for this model; all of Harbor's when none is named.

    Args:
        words: as they stood after `--suite`.
        model: the model's name, for messages.
        world: its Harbor world; None for any other model.
        judging: the judges and the tokens that the user chose.

    Raises:
        ConfigError: a word is no suite, a suite is Harbor's and the model is not, or no judge can decide a suite.
        DataError: a file cannot be read, or is not the suite's.
    """
    if not words and world is None:
        raise _nothing_to_ask(model)
    found = _understood(words) or [Word(suite) for suite in SUITES]
    if world is None and any(isinstance(word.suite, HarborSuite) for word in found):
        raise ConfigError(
            f"Harbor's suites ask about Harbor's world, and {model!r} is no Harbor model.",
            "Its answers would mean nothing.",
            "Measure harbor, or a model tuned from it.",
        )
    _check_judges(found, judging)
    made = [judging.beside(suite) for word in found for suite in _made(word, world, judging)]
    _check_used(made, judging)
    tokens = judging.max_tokens
    return [replace(s, decoding=replace(s.decoding, max_tokens=tokens)) for s in made] if tokens else made


def _nothing_to_ask(model: str) -> ConfigError:
    return ConfigError(
        f"{model!r} is no Harbor model, so a suite has to be named.",
        f"Published ones: {', '.join(PUBLISHED)}; each as NAME=PATH, or as NAME to fetch it.",
        f"--suite xstest-safe=xstest_prompts.csv  or your own: {_EXAMPLE}",
    )


def _understood(words: Sequence[str]) -> list[Word]:
    found = {word: _word(word) for word in words}
    wrong = [word.partition("=")[0] for word, meant in found.items() if meant is None]
    if wrong:
        raise ConfigError(
            f"There is no suite {', '.join(map(repr, wrong))}, nor such a file.",
            nearest(wrong[0], {**HARBOR, **PUBLISHED}),
            "holdfast ls suites",
        )
    return [found[word] or Word() for word in words]


def _word(word: str) -> Word | None:
    """What a word means; nothing where it is no suite."""
    name, equals, path = word.partition("=")
    if name.startswith(PREFIX):
        raise ConfigError(
            f"{word!r}: a task of lm-eval asks one model on this machine.",
            "It reads likelihoods, which a server does not give.", "Name a folder or a hub id, without --toward.",
        )  # fmt: skip
    if equals and name in PUBLISHED:
        return Word(PUBLISHED[name], Path(path).expanduser())
    if equals and name in HARBOR:
        raise ConfigError(f"{word!r}: Harbor's suites are made and not read.", "", f"--suite {name}")
    if known := HARBOR.get(word) or PUBLISHED.get(word):
        return Word(known)
    if Path(word).is_dir():
        raise ConfigError(f"{word!r} is a folder, and no suite.", "A suite of your own is one file.", _EXAMPLE)
    if Path(word).is_file() or (word.lower().endswith(OWN_ENDS) and not equals):
        return Word(None, _own(Path(word)))
    return None


def _own(path: Path) -> Path:
    if path.stem in HARBOR or path.stem in PUBLISHED:
        raise ConfigError(
            f"{str(path)!r} has the name of a built-in suite.",
            "Its figures would be taken for that suite's, which wants what it wants.",
            "Rename the file"
            + (f"; if it is the published one: --suite {path.stem}={path}" if path.stem in PUBLISHED else "."),
        )
    return path


def _check_judges(words: Sequence[Word], judging: Judging) -> None:
    """Tell what no judge can decide before a file is fetched."""
    for word in words:
        if isinstance(word.suite, PublicSuite):
            _reader(word.suite, judging)
    harbors = [word.suite for word in words if isinstance(word.suite, HarborSuite)]
    if judging.judges and len(harbors) == len(words) and not any(judging.deciding(suite.wants) for suite in harbors):
        raise ConfigError(
            f"--judge {judging.judges[0].name}: Harbor's suites are read against known facts.",
            f"It cannot read any of these beside that, for want of a word on {', '.join(s.name for s in harbors)}.",
            "Leave out --judge.",
        )


def _check_used(suites: Sequence[Suite], judging: Judging) -> None:
    """Refuse judges that none of the suites is read by: what was asked for would silently not happen.

    Raises:
        ConfigError: naming them.
    """
    used = {reader.name for suite in suites for reader in (suite.reader, suite.beside) if reader}
    if idle := [judge.name for judge in judging.judges if judge.name not in used]:
        wants = sorted({suite.wants for suite in suites})
        raise ConfigError(
            f"--judge {', '.join(idle)}: it reads none of {', '.join(suite.name for suite in suites)}.",
            f"It does not decide what they want ({', '.join(wants)}): {', '.join(sorted(used))} would read them.",
            "Leave it out, or name another: holdfast ls judges",
        )


def _reader(suite: PublicSuite, judging: Judging) -> Reader:
    try:
        return reader_for(suite.wants, suite.needs, judging.deciding(suite.wants))
    except ConfigError as error:
        if not suite.needs:
            raise
        raise ConfigError(f"{suite.name!r} cannot be judged. {error.what}", error.why, error.mend) from error


def _made(word: Word, world: int | None, judging: Judging) -> Sequence[Suite]:
    suite = word.suite
    if isinstance(suite, HarborSuite):
        assert world is not None
        return (suite.make(make_world(world)),)
    if suite is None:
        assert word.path is not None
        return read_own(word.path, lambda wants: reader_for(wants, named=judging.deciding(wants)))
    if word.path is not None:
        return (suite.read(word.path, _reader(suite, judging)),)
    return (suite.made(fetched(suite), _reader(suite, judging), trusted=True),)


def asked_of(suites: Iterable[Suite | SuiteResult], judging: Judging) -> dict[str, Any]:
    """What `asked.json` says of the suites: their names, their files' versions, and what the user chose otherwise."""
    each = list(suites)
    files = {_name(suite): suite.origin.version for suite in each if suite.origin}
    chosen = {"files": files, "judge": judging.named, "max_tokens": judging.max_tokens}
    return {"suites": sorted(map(_name, each)), **{name: value for name, value in chosen.items() if value}}


def _name(suite: Suite | SuiteResult) -> str:
    return suite.name if isinstance(suite, Suite) else suite.suite
