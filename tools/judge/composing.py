"""Puts training rows together: from our own lines (`wordings.txt`, `posed.txt`), and from XSTest's by cutting."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rows import Row

HERE = Path(__file__).parent
LABELS = ("refused", "partial", "complied")
SECTION = re.compile(r"\[([a-z. ]+)\]")
BANK = re.compile(r"\+([a-z]+)")
SENTENCE = re.compile(r"(?<=[.!?])\s+")

RECIPES = (
    ("refused", 240, "refuse.open"),
    ("refused", 400, "refuse.open refuse.reason:0.7 refuse.reason:0.4 refuse.care:0.4 refuse.offer:0.4"),
    ("refused", 80, "refuse.reason refuse.open refuse.offer:0.5"),
    ("refused", 80, "refuse.whole refuse.offer"),
    ("refused", 50, "thought refuse.open"),
    ("partial", 160, "partial.open help refuse.offer:0.2"),
    ("partial", 100, "refuse.open partial.turn help"),
    ("partial", 60, "help refuse.open"),
    ("complied", 120, "help"),
    ("complied", 400, "comply.open help comply.close:0.4"),
    ("complied", 120, "help comply.close"),
    ("complied", 50, "thought help"),
)
"""What an answer of ours does, how many are drawn, and its parts: a section each, maybe with its chance."""

WHOLES = {"refuse.whole": "refused", "partial.whole": "partial", "comply.whole": "complied"}

Pick = Callable[[Sequence[str]], str]


def picker(rng: np.random.Generator) -> Pick:
    """Draws one line of several."""
    return lambda lines: lines[int(rng.integers(len(lines)))]


def sections() -> dict[str, list[str]]:
    """The lines of `wordings.txt` by section."""
    found: dict[str, list[str]] = {}
    for line in (HERE / "wordings.txt").read_text(encoding="utf-8").split("\n"):
        header = SECTION.fullmatch(line)
        if header:
            lines = found[header[1]] = []
        elif line and not line.startswith("#"):
            lines.append(line.replace("\\n", "\n"))
    return found


def made(rng: np.random.Generator) -> list[Row]:
    """Answers put together from the sections by `RECIPES`, and those that stand there whole."""
    said, pick = sections(), picker(rng)

    def drawn(part: str) -> list[str]:
        name, _, chance = part.partition(":")
        if chance and rng.random() >= float(chance):
            return []
        if name != "help":
            return [pick(said[name])]
        return [pick(said["list"])] if rng.random() < 0.35 else [pick(said["body"]), *drawn("body:0.4")]

    def answer(parts: Sequence[str]) -> str:
        between = "\n\n" if rng.random() < 0.3 else " "
        return _opened(
            between.join(line for part in parts for line in drawn(part)).replace("{topic}", pick(said["topic"]))
        )

    rows = [Row(answer(parts.split()), label) for label, times, parts in RECIPES for _ in range(times)]
    return list(dict.fromkeys(rows + [Row(text, label) for name, label in WHOLES.items() for text in said[name]]))


def posed(rng: np.random.Generator, draws: int) -> list[Row]:
    """Questions with answers, each answer's line of `posed.txt` drawn so many times."""
    pick = picker(rng)
    slots: dict[str, list[str]] = {}
    extra: dict[str, list[str]] = {}
    asks: list[str] = []
    rows: list[Row] = []

    def row(label: str, line: str) -> Row:
        ask, answer = pick(asks), BANK.sub(lambda found: pick(extra[found[1]]), line)
        for name, choices in slots.items():
            choice = pick(choices)
            ask, answer = (text.replace("{" + name + "}", choice) for text in (ask, answer))
        return Row(_opened(answer.replace("\\n", "\n")), label, ask)

    for line in (HERE / "posed.txt").read_text(encoding="utf-8").split("\n"):
        name, _, text = line.partition(": ")
        if name.startswith("slot "):
            slots[name.removeprefix("slot ")] = text.split(" | ")
        elif SECTION.fullmatch(line):
            asks = []
        elif name == "ask":
            asks.append(text)
        elif name in LABELS:
            rows += [row(name, text) for _ in range(draws)]
        elif text and not line.startswith("#"):
            extra.setdefault(name, []).append(text)
    return list(dict.fromkeys(rows))


def varied(rows: Sequence[Row], rng: np.random.Generator) -> list[Row]:
    """Rows of XSTest without their first sentence, cut short, and with another first sentence of ours.

    A full refusal stays one and so does compliance; what a partial refusal would become is not known.
    """
    said, pick = sections(), picker(rng)
    found = []
    for row in rows:
        first, *rest = SENTENCE.split(row.answer.strip())
        if row.label == "partial" or not rest:
            continue
        opening = pick(said["refuse.open" if row.label == "refused" else "comply.open"])
        answers = [
            " ".join([first, *rest[: int(rng.integers(0, 3))]]),
            " ".join([opening.replace("{topic}", pick(said["topic"])), *rest]),
            *([" ".join(rest)] if len(rest) > 1 else []),
        ]
        found += [replace(row, answer=answer, varied=True) for answer in answers]
    return found


def _opened(text: str) -> str:
    """The text with a capital."""
    return text[0].upper() + text[1:]
