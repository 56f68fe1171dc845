"""People's labels of answers, read from a CSV file. Knows no judge.

A sheet that `judge label` wrote comes back through here too: it is known by its mark, and its guarded cells are read as
what they were.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from math import isfinite
from pathlib import Path
from typing import Literal

from holdfast.data import ANSWER_MARK
from holdfast.data.rows import Broken, Row
from holdfast.data.streams import open_source, refuse_binary
from holdfast.data.tables import csv_rows
from holdfast.errors import DataError

Word = Literal["complied", "refused", "partial"]
Side = Literal["safe", "unsafe", ""]

WORDS: Mapping[str, Word] = {
    **dict.fromkeys(
        ("1_full_compliance", "full_compliance", "compliance", "complied", "complies", "comply", "answered"), "complied"
    ),
    **dict.fromkeys(("2_full_refusal", "full_refusal", "refusal", "refused", "refuses", "refuse"), "refused"),
    **dict.fromkeys(("3_partial_refusal", "partial_refusal", "partially_refused", "partial"), "partial"),
}
"""What may stand under `final_label`; spaces and hyphens count as underscores, and letters without their case."""

NEEDED = ("prompt", "completion", "final_label")
CONTRAST = "contrast_"
"""How the types of XSTest's unsafe prompts begin."""

FAULTS_SHOWN = 5
LONGEST = 40
"""Characters shown of a cell that cannot be used."""

FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet run a cell, in the wide forms too."""

MEND = (
    "Write CSV in UTF-8, separated by commas, with the columns prompt, completion and final_label (complied, refused "
    "or partial), and optionally model, type, side (safe or unsafe) and weight."
)


@dataclass(frozen=True, slots=True)
class Label:
    """One answer and what people say of it."""

    line: int
    prompt: str
    completion: str
    word: Word
    model: str = ""
    """The model that answered, by its name; empty where the file does not say."""
    weights: str = ""
    """sha256 of its weights, or what a measurement knows it by; empty where the file does not say."""
    type: str = ""
    side: Side = ""
    """Whether the prompt should be answered (safe) or refused (unsafe)."""
    weight: float = 1.0
    """One over the probability with which the answer was drawn."""
    suite: str = ""
    """With `id` and `sample` the answer's place in a measurement; empty where the file does not say."""
    id: str = ""
    sample: int | None = None

    @property
    def refuses(self) -> bool:
        """Whether people see any refusal in it, full or partial."""
        return self.word != "complied"


@dataclass(frozen=True, slots=True)
class Labels:
    """A file of labels."""

    name: str
    sha256: str
    rows: tuple[Label, ...]
    weighted: bool = False
    """Whether the file says with what weight each answer was drawn."""

    @property
    def models(self) -> dict[str, str]:
        """The models' names, in the file's order, with their weights."""
        return {row.model: row.weights for row in self.rows if row.model}


def read_labels(path: Path) -> Labels:
    """Read `prompt,completion,final_label[,model][,model_weights][,type][,side][,weight][,suite][,id][,sample]`.

    Other columns and a byte-order mark are ignored. Without a `side` the types that begin with `contrast_` are unsafe
    and the others safe, as in XSTest.

    Raises:
        DataError: no such file, not CSV in UTF-8, missing columns (all are named), no rows, or lines that cannot be
            used (the first five are named with their values, and how many there are).
    """
    source = open_source(path)
    refuse_binary(source)
    try:
        found = csv_rows(source)
    except DataError as error:
        raise DataError(f"{str(path)!r}: {error.what}", error.why, error.mend or MEND) from error
    names = [_name(name) for name in found.columns]
    _check_columns(path, names)
    rows, faults = _sorted_out(found.items, unguarded if ANSWER_MARK in names else str)
    _refuse(path, [*faults, *_torn_models(rows)])
    if not rows:
        raise DataError(f"{str(path)!r} has a header and no rows.", "There is no label to go by.", MEND)
    with path.open("rb") as file:
        return Labels(str(path), file_digest(file, "sha256").hexdigest(), tuple(rows), "weight" in names)


def _refuse(path: Path, faults: list[str]) -> None:
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        more = [f"and {len(faults) - FAULTS_SHOWN} more"] if len(faults) > FAULTS_SHOWN else []
        why = "\n  ".join([*faults[:FAULTS_SHOWN], *more])
        raise DataError(f"{str(path)!r} cannot be used: {count}.", why, MEND)


def _check_columns(path: Path, names: list[str]) -> None:
    if missing := [name for name in NEEDED if name not in names]:
        raise DataError(
            f"{str(path)!r} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))}.",
            f"Its first line has {', '.join(repr(_short(name)) for name in names[:12]) or 'nothing'}.",
            MEND,
        )


def _sorted_out(items: Iterable[Row | Broken], clean: Callable[[str], str]) -> tuple[list[Label], list[str]]:
    rows: list[Label] = []
    faults: list[str] = []
    for item in items:
        if isinstance(item, Broken):
            faults.append(f"line {item.number}: {item.why}")
            continue
        cells = {_name(name): clean(cell) for name, cell in item.value.items()}
        wrong = list(_faults(cells))
        faults += [f"line {item.number}: {fault}" for fault in wrong]
        rows += [] if wrong else [_label(item.number, cells)]
    return rows, faults


def _faults(cells: Mapping[str, str]) -> Iterator[str]:
    if not cells["prompt"].strip():
        yield "prompt is empty"
    if _key(cells["final_label"]) not in WORDS:
        given = cells["final_label"].strip()
        yield f"final_label is {_short(given)!r}, and none of complied, refused, partial" if given else "no final_label"
    if cells.get("side", "").strip().lower() not in {"", "safe", "unsafe"}:
        yield f"side is {_short(cells['side'])!r}, and neither safe nor unsafe"
    if "weight" in cells and _weight(cells["weight"]) is None:
        yield f"weight is {_short(cells['weight'])!r}, and no number above 0"


def _label(line: int, cells: Mapping[str, str]) -> Label:
    kind = cells.get("type", "").strip()
    stated = cells.get("side", "").strip().lower()
    by_type: Side = "" if not kind else "unsafe" if kind.startswith(CONTRAST) else "safe"
    return Label(
        line=line,
        prompt=cells["prompt"],
        completion=cells["completion"],
        word=WORDS[_key(cells["final_label"])],
        model=cells.get("model", "").strip(),
        weights=cells.get("model_weights", "").strip(),
        type=kind,
        side="unsafe" if stated == "unsafe" else "safe" if stated == "safe" else by_type,
        weight=_weight(cells.get("weight", "1")) or 1.0,
        suite=cells.get("suite", "").strip(),
        id=cells.get("id", "").strip(),
        sample=int(at) if (at := cells.get("sample", "").strip()).isascii() and at.isdigit() else None,
    )


def _torn_models(rows: Sequence[Label]) -> Iterator[str]:
    """A model without a name, or one name for two: the errors of several would be counted as one's."""
    seen: dict[str, str] = {}
    named = any(row.model for row in rows)
    for row in rows:
        if named and not row.model:
            yield f"line {row.line}: model is empty, and other rows name one"
        elif seen.setdefault(row.model, row.weights) != row.weights:
            yield f"line {row.line}: model {row.model!r} has other model_weights than before"


def _name(column: str) -> str:
    return column.strip().lower()


def _weight(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if isfinite(number) and number > 0 else None


def _key(cell: str) -> str:
    return "_".join(cell.strip().lower().replace("-", " ").split()).replace("__", "_")


def _short(cell: str) -> str:
    return cell if len(cell) <= LONGEST else f"{cell[:LONGEST]}…"


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe before what could be one (OWASP, CSV injection),
    and before an apostrophe, so that `unguarded` gives back the very text.
    """
    return f"'{cell}" if cell.lstrip()[:1] in FORMULA or cell[:1] in ("'", "\t", "\r") else cell


def unguarded(cell: str) -> str:
    """The text that `guarded` was given."""
    return cell.removeprefix("'")
