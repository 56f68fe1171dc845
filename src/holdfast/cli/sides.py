"""A side of a comparison from whatever a person names: recognised by what it holds, not by its name.

Readers are imported where they are used: `compare --help` needs none of them.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from holdfast.errors import ConfigError, DataError

if TYPE_CHECKING:
    from holdfast.compare import Side
    from holdfast.compare.chosen import Chosen

Format = Literal["a measurement", "a CSV", "an Inspect log", "samples of lm-eval"]
WORDS = ("high", "low")
HEAD = 1 << 12
"""Bytes by which a file is recognised."""
SAMPLE = re.compile(rb'\{\s*"doc_id"\s*:')
"""How lm-eval begins a sample."""
KINDS = (
    "A side is a folder of `measure --out`, a CSV (prompt_id,sample,value), a log of Inspect's (.eval or JSON), or "
    "what lm-eval wrote with --log_samples."
)


def chosen_of(bad_is: Sequence[str] = (), only: Sequence[str] = ()) -> "Chosen":
    """The words after `--bad-is` (`low`, or `NAME=low` for a single metric) and `--metric`.

    Raises:
        ConfigError: with every word that says neither high nor low, and what is said twice.
    """
    from holdfast.compare.chosen import Chosen

    said = [text.rpartition("=")[::2] for text in bad_is]
    wrong = [text for text, (_, word) in zip(bad_is, said, strict=True) if word not in WORDS or text.startswith("=")]
    names = [name for name, _ in said]
    wrong += [f"{name or 'all metrics'} twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    if wrong:
        raise ConfigError(
            f"--bad-is {', '.join(wrong)}: that is neither high nor low.",
            "It says which values of a metric are bad: for all that do not say it themselves, or for one by name.",
            "--bad-is low  or  --bad-is NAME=low",
        )
    words = cast("dict[str, Literal['high', 'low']]", dict(said))
    return Chosen(words.pop("", None), words, tuple(only))


def read_sides(paths: Sequence[Path], chosen: "Chosen") -> list["Side"]:
    """The sides of one comparison, the base first.

    Raises:
        DataError: there is no such file, or it is nothing that can be compared.
        ConfigError: they are of different kinds, or a metric was named that is not there.
    """
    kinds = [kind_of(path) for path in paths]
    if len(set(kinds)) > 1:
        raise ConfigError(
            "Sides of different kinds cannot be compared.",
            "\n  ".join(f"{str(path)!r} is {kind}" for path, kind in zip(paths, kinds, strict=True)),
            "Measure both models in one way.",
        )
    return [_read(path, kind, chosen) for path, kind in zip(paths, kinds, strict=True)]


def read_side(path: Path, chosen: "Chosen") -> "Side":
    """One side; see `read_sides`, which also sees to it that they are of one kind."""
    return read_sides([path], chosen)[0]


def kind_of(path: Path) -> Format:
    """What a file or folder holds.

    Raises:
        DataError: there is no such file, or it is nothing that can be compared.
    """
    from holdfast.cli.measure import MEASUREMENT
    from holdfast.compare.lm_eval_samples import holds_samples

    if path.is_dir():
        if (path / MEASUREMENT).is_file():
            return "a measurement"
        if holds_samples(path):
            return "samples of lm-eval"
        logs = sorted(file.name for file in path.glob("*.eval"))
        raise DataError(
            f"There is no measurement in {str(path)!r}.",
            f"It holds logs of Inspect's: {', '.join(logs[:5])}." if logs else KINDS,
            f"Name one of them: {path / logs[0]}" if logs else f"holdfast measure MODEL --out {path}",
        )
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        mend = f"holdfast measure MODEL --out {path}"
        raise DataError(f"There is no measurement in {str(path)!r}.", f"{error.strerror}. {KINDS}", mend) from error
    return _kind(path, head.removeprefix(b"\xef\xbb\xbf").lstrip())


def _kind(path: Path, head: bytes) -> Format:
    from holdfast.compare.inspect_file import ZIP

    if head.startswith(ZIP) or path.suffix.lower() == ".eval":
        return "an Inspect log"
    if not head.startswith(b"{"):
        if path.suffix.lower() == ".csv" or b"prompt_id" in head.partition(b"\n")[0]:
            return "a CSV"
        raise _no_side(path, "It begins like none of them.")
    if path.suffix.lower() == ".jsonl" or SAMPLE.match(head):
        return "samples of lm-eval"
    return _kind_of_json(path)


def _kind_of_json(path: Path) -> Format:
    found = _json(path)
    if isinstance(found, dict) and "suites" in found:
        return "a measurement"
    if isinstance(found, dict) and "eval" in found:
        return "an Inspect log"
    keys = ", ".join(map(repr, list(found)[:5])) if isinstance(found, dict) else "nothing"
    raise _no_side(path, f"It is JSON with the keys {keys}.")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _no_side(path, f"It begins like JSON, and is none or breaks off: {error}.") from error


def _no_side(path: Path, why: str) -> DataError:
    return DataError(f"{str(path)!r} holds nothing that can be compared.", f"{why} {KINDS}", "holdfast compare --help")


def _read(path: Path, kind: Format, chosen: "Chosen") -> "Side":
    from holdfast.compare import read_csv
    from holdfast.compare.chosen import choose
    from holdfast.compare.inspect_log import read_inspect
    from holdfast.compare.lm_eval_samples import read_lm_eval

    match kind:
        case "a CSV":
            return choose(read_csv(path, chosen.every or "high"), chosen, fixed=False)
        case "an Inspect log":
            return read_inspect(path, chosen)
        case "samples of lm-eval":
            return read_lm_eval(path, chosen)
        case "a measurement":
            return choose(_measured(path), chosen, fixed=True)


def _measured(path: Path) -> "Side":
    from holdfast.cli.measure import MEASUREMENT, read_measurement
    from holdfast.compare import side

    file = path / MEASUREMENT if path.is_dir() else path
    try:
        return side(read_measurement(file))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        mend = "holdfast measure MODEL --out DIR"
        raise DataError(f"{str(file)!r} is no measurement of ours.", str(error), mend) from error
