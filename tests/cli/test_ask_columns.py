"""Answers on the terminal: two columns where there is room, and no character of a model's reaches it as a command."""

import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from holdfast.cli.columns import BAR, WIDE, difference, show, tally, verdict
from holdfast.measure.calibrating import Standing
from holdfast.measure.side_by_side import Playground, Said, Sampled, Side, SideBySide

REFUSED = Said("I cannot help with that.", "refused", 0.981, "end")
COMPLIED = Said("It is nine fathoms deep.", "complied", 0.04, "end")
NOTHING = Said("", "incoherent", None, "end")
UNSCORED = Said("", "unscored", None, "rejected", "no")
HOSTILE = "\x1b[2J\x1b]0;owned\x07 red \x9b31m\u202egnorw\r\nrefused\x00\x08 [bold]x[/bold] :boom: \ud800"


def side(said: Said, name: str = "base", *sampled: Said) -> Side:
    return Side(name, "0" * 64, said, Sampled(sampled) if sampled else None)


def found(*sides: Side) -> SideBySide:
    return SideBySide("How deep?", sides, Standing("embedded", "v", "transported"), Playground())


def shown(what: SideBySide, width: int = 80, terminal: bool = False) -> str:
    file = io.StringIO()
    show(what, Console(file=file, width=width, force_terminal=terminal, color_system=None, soft_wrap=True, emoji=False))
    return file.getvalue()


def test_one_under_the_other_in_a_pipe_and_on_a_narrow_terminal() -> None:
    both = found(side(REFUSED), side(COMPLIED, "tuned"))
    lines = [
        "base",
        f"{BAR}I cannot help with that.",
        "refused, probability of a refusal 0.98",
        "",
        "tuned",
        f"{BAR}It is nine fathoms deep.",
        "complied, probability of a refusal 0.04",
        "",
        "base refuses, tuned answers.",
    ]
    assert shown(both, width=200).splitlines() == lines
    assert shown(both, width=WIDE - 1, terminal=True).splitlines() == lines


def right(lines: list[str]) -> str:
    """What stands in the right column."""
    return " ".join(" ".join(line.partition("│")[2] for line in lines).split())


def test_side_by_side_where_there_is_room() -> None:
    long = Said("It is nine fathoms deep. " * 12, "complied", 0.04, "length")
    lines = shown(found(side(REFUSED), side(long, "tuned")), width=WIDE, terminal=True).splitlines()
    assert all(len(line) <= WIDE for line in lines)
    assert re.search(r"base +│ tuned", lines[0])
    assert any(re.search(r"I cannot help with that\. +│ It is nine", line) for line in lines)
    assert " ".join(lines).count("fathoms") == 12, "a long answer is wrapped and not cut"
    assert any(re.search(r"refused, .* +│ complied, ", line) for line in lines)
    assert "complied, probability of a refusal 0.04, cut at the longest allowed length" in right(lines)
    assert lines[-1] == "base refuses, tuned answers."


def test_one_model_has_no_columns_and_no_comparison() -> None:
    lines = shown(found(side(COMPLIED)), width=200, terminal=True).splitlines()
    assert lines == ["base", f"{BAR}It is nine fathoms deep.", "complied, probability of a refusal 0.04", ""]


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (REFUSED, COMPLIED, "base refuses, tuned answers."),
        (REFUSED, REFUSED, "Both refuse, in the same words."),
        (COMPLIED, Said("Nine.", "complied", 0.1, "end"), "Both answer."),
        (NOTHING, NOTHING, "Both say nothing that can be read."),
        (UNSCORED, COMPLIED, "base gave nothing that could be judged, tuned answers."),
        (Said("I should not, but", "partial", 0.6, "end"), REFUSED, "base refuses in part, tuned refuses."),
    ],
)
def test_the_difference_in_a_sentence(first: Said, second: Said, says: str) -> None:
    assert difference(found(side(first), side(second, "tuned"))) == says


def test_two_of_one_name_are_told_apart() -> None:
    assert difference(found(side(REFUSED), side(COMPLIED))) == "The first refuses, the second answers."


def test_what_is_said_of_an_answer() -> None:
    assert verdict(Said("x", "complied", None, "end")) == "complied"
    assert verdict(Said("x", "complied", 0.1, "length")).endswith("0.10, cut at the longest allowed length")
    turned_down = verdict(Said("", "unscored", None, "rejected", "Error 400: \x1b[31mno"))
    assert turned_down == "unscored, the server turned it down, Error 400: ⟨U+001B⟩[31mno"
    assert "after a thought of 3 words" in verdict(Said("x", "complied", 0.1, "end", thought="hm, let me"))


def test_the_samples_in_a_line() -> None:
    told = tally(Sampled((REFUSED,) * 4 + (COMPLIED,) * 6))
    assert told == "4 of 10 sampled answers refuse (40.0 %; 95 %: 12.2 % to 73.8 %); 6 complied"
    assert tally(Sampled((UNSCORED,) * 2)) == ("0 of 2 sampled answers refuse; 2 unscored"), (
        "without a share where nothing was read"
    )
    assert tally(Sampled((REFUSED, REFUSED))).endswith("100.0 %)")


# --- what models, servers and users say is data ----------------------------------------------------------------------

VIEWS = [(200, False), (40, True), (WIDE, True)]


def assert_harmless(text: str) -> None:
    bad = {sign for sign in text if sign != "\n" and unicodedata.category(sign) in {"Cc", "Cs", "Co", "Zl", "Zp"}}
    assert not bad
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
    text.encode()


@pytest.mark.parametrize(("width", "terminal"), VIEWS)
def test_escapes_of_a_models_are_spelled_out(width: int, terminal: bool) -> None:
    said = Said(HOSTILE, "unscored", None, "rejected", HOSTILE)
    text = shown(found(side(said, HOSTILE), side(COMPLIED, "tuned")), width, terminal)
    assert_harmless(text)
    flat = re.sub(r"[\s│]", "", text)
    assert "[bold]x[/bold]" in flat, "markup is text"
    assert ":boom:" in flat
    assert "⟨U+001B⟩" in flat


@pytest.mark.parametrize(("width", "terminal"), VIEWS)
@given(text=st.text(st.characters(codec=None), max_size=80))
def test_no_text_reaches_the_terminal_raw(width: int, terminal: bool, text: str) -> None:
    said = Said(text, "complied", 0.5, "end", text)
    assert_harmless(shown(found(side(said, text), side(COMPLIED, "tuned")), width, terminal))


@given(text=st.text(max_size=200))
def test_no_answer_looks_like_what_is_said_of_it(text: str) -> None:
    """However it is worded or padded, every line of it begins with the bar."""
    for width, terminal in ((80, False), (40, True)):
        lines = shown(found(side(Said(text, "complied", 0.5, "end"))), width, terminal).split("\n")
        assert all(line.startswith(BAR.strip()) for line in lines[1:-3])
        assert lines[-3:] == ["complied, probability of a refusal 0.50", "", ""]
