"""Small steps that each pass add up, and the ledger says so; lines that were changed are named."""

from dataclasses import fields, replace
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.ledger_sides import CLOCK, Book, first, metric, side

from holdfast.compare import Gate
from holdfast.errors import ConfigError, DataError
from holdfast.ledger import (
    Compared,
    Entry,
    New,
    add,
    differing,
    keep,
    margin_changes,
    newest,
    read_entries,
    recomputed,
    to_line,
    uses,
    uses_say,
)


def steps(count: int, each: int = 15, n: int = 1000) -> Book:
    """An anchor and `count` releases, every one worse than the one before by `each` of `n` prompts."""
    book = Book()
    for at in range(count + 1):
        book.add(
            f"v1.{at}", side(f"m{at}", metric(first(n, each * at))), "release" if at else "anchor", {"value": 0.03}
        )
    return book


def test_ten_releases_that_each_pass_fail_against_the_anchor() -> None:
    entries = steps(10).entries
    assert [entry.before.verdict for entry in entries[1:] if entry.before] == ["pass"] * 10
    assert entries[1].verdict == "pass"
    last = entries[10].anchor
    assert last is not None
    assert (last.to, last.verdict) == ("v1.0", "fail")
    change = last.metrics["value"]
    assert change.worsening == pytest.approx(0.15)
    assert change.lower is not None
    assert change.lower > 0.1
    assert newest(entries) is entries[10]


def test_uses_count_models_that_were_decided_on() -> None:
    book = steps(3)
    assert [count["value"] for count in uses(book.entries)] == [0, 1, 2, 3], "the anchor decides nothing"
    book.add("v2", side("m9", metric(first(1000, 2), prompt="q")), "anchor")
    assert uses(book.entries)[-1]["value"] == 0, "fresh prompts start anew"
    book.add("v2.1", side("m10", metric(first(1000, 3), prompt="q")))
    (says,) = uses_say(book.entries)
    assert says == "The prompts of value have decided on 1 model."
    (says,) = uses_say(book.entries[:4])
    assert "at most 15 times in 100" in says
    (says,) = uses_say(steps(20, 0, 50).entries)
    assert "bounds nothing" in says


def test_lost_prompts_do_not_start_the_count_anew() -> None:
    book = Book()
    book.add("v0", side("a", metric(first(300, 0))), "anchor")
    book.add("v1", side("b", metric(first(299, 0))))
    assert uses(book.entries)[1]["value"] == 1
    assert book.add("v2", side("c", metric(first(300, 1)))).verdict == "pass"
    assert uses(book.entries)[2]["value"] == 2


def test_a_candidate_counts_and_nothing_is_compared_with_it() -> None:
    book = steps(1)
    tried = book.add("v1.2-rc", side("rc", metric(first(1000, 300)), weights="w"), "candidate")
    assert tried.verdict == "fail"
    assert newest(book.entries) is book.entries[1]
    after = book.add("v1.2", side("m", metric(first(1000, 16)), weights="x"))
    assert after.before is not None
    assert after.before.to == "v1.1"
    again = book.add("v1.3-rc", side("m", metric(first(1000, 16)), weights="x"), "candidate")
    assert again.anchor is not None
    assert uses(book.entries)[-1] == uses(book.entries)[-2], "the same weights with the same answers are one model"


def test_the_same_release_twice_is_refused() -> None:
    book = steps(1)
    with pytest.raises(ConfigError, match=r"'v1.1' is in the ledger already, since 2026-11-30T12:00:00Z"):
        book.add("v1.1", side("other", metric(first(1000, 0))))
    book.add("v2", side("m", metric(first(1000, 1)), weights="w"))
    with pytest.raises(ConfigError, match="'v3' is 'v2': the same weights"):
        book.add("v3", side("renamed", metric(first(1000, 1)), weights="w"))
    book.add("v3", side("m", metric(first(1000, 1))))  # without weights equal values may be chance
    book.add("v4", side("m", metric(first(1000, 1)), weights="w"))  # back to v2


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 81])
def test_a_name_is_one_line(name: str) -> None:
    with pytest.raises(ConfigError, match="no name"):
        steps(0).add(name, side("m", metric([0] * 9)))


def test_the_first_is_the_anchor() -> None:
    with pytest.raises(ConfigError, match="has no anchor"):
        Book().add("v1", side("m", metric([0] * 9)))
    with pytest.raises(DataError, match="no metric"):
        Book().add("v1", side("m"), "anchor")


def test_what_cannot_be_compared_with_the_anchor_is_refused_and_names_both() -> None:
    book = Book()
    book.add("v0", side("a", metric(first(300, 0), judge="rules", judge_version="1")), "anchor")
    other = side("b", metric(first(300, 0), judge="rules", judge_version="2"))
    with pytest.raises(ConfigError, match=r"'v1' cannot be compared with the anchor 'v0'(.|\n)*judge_version = '1'"):
        book.add("v1", other)
    assert len(book.entries) == 1
    anew = book.add("v1", other, "anchor")
    assert anew.verdict is None
    assert anew.before is not None
    assert anew.before.verdict is None
    assert "judge_version = '1' before, '2' after" in anew.before.says
    after = book.add("v2", side("c", metric(first(300, 100), judge="rules", judge_version="2")))
    assert [each.to for each in after.since] == ["v1", "v0"]
    assert (after.verdict, after.older_anchors[0].verdict) == ("fail", None)


def test_a_new_anchor_does_not_hide_the_old_one() -> None:
    book = steps(2)
    anew = book.add("v2", side("m2", metric(first(1000, 100))), "anchor")
    assert (anew.verdict, anew.older_anchors[0].to, anew.older_anchors[0].verdict) == (None, "v1.0", "fail")
    after = book.add("v2.1", side("m3", metric(first(1000, 101))))
    assert after.verdict == "pass"
    assert [(each.to, each.verdict) for each in after.older_anchors] == [("v1.0", "fail")]
    assert uses(book.entries)[-1]["value"] == 4, "a new anchor on the same prompts keeps their count"


def test_a_metric_that_joins_is_not_held_against_an_anchor_without_it() -> None:
    book = Book()
    book.add("v0", side("a", metric(first(300, 0))), "anchor")
    more = book.add("v1", side("b", metric(first(300, 0)), metric(first(300, 0), "other")), margins={"other": 0.04})
    assert more.anchor is not None
    assert list(more.anchor.metrics) == ["value"]
    assert "other was not measured for v0." in more.anchor.notes
    after = book.add("v2", side("c", metric(first(300, 0)), metric(first(300, 99), "other")))
    assert after.verdict == "pass"
    assert after.before is not None
    assert after.before.metrics["other"].margin == 0.04
    assert after.before.verdict == "fail"
    with pytest.raises(ConfigError, match="metric 'value' is in 'a' only"):
        book.add("v3", side("d", metric(first(300, 0), "other")))


def test_margins_hold_until_others_are_given_and_a_change_is_said() -> None:
    book = steps(1)
    assert book.add("v2", side("m", metric(first(1000, 20)))).margins == {"value": 0.03}
    assert book.add("v3", side("n", metric(first(1000, 21))), margins={"value": 0.1}).margins == {"value": 0.1}
    assert list(margin_changes(book.entries)) == [
        "The margin of value was 3 points, and is 10 points from v3 on.",
    ]
    with pytest.raises(ConfigError, match=r"margin is given for 'valu'(.|\n)*Did you mean 'value'"):
        book.add("v4", side("o", metric(first(1000, 0))), margins={"valu": 0.1})
    anew = book.add("v4", side("o", metric(first(1000, 22))), gate=Gate({}, level=0.99, default=0.02))
    assert (anew.margins, anew.level) == ({"value": 0.02}, 0.99), "a whole gate is not mixed with the last one"
    assert book.add("v5", side("p", metric(first(1000, 23)))).level == 0.99
    assert list(margin_changes(book.entries))[2] == "The limits are of 95 % to v3, and of 99 % from v4 on."


def test_the_date_is_the_clocks_in_utc() -> None:
    book, found = Book(), keep(side("m", metric([0] * 9)))
    east = CLOCK.astimezone(timezone(timedelta(hours=9)))
    entry = add([], New("v0", "anchor", side("m", metric([0] * 9)), found.digest, east, Gate(), True, {}), book)
    assert entry.date == "2026-11-30T12:00:00Z"


# --- lines -----------------------------------------------------------------------------------------------------------


def test_lines_come_back_as_they_were() -> None:
    book = steps(3)
    entries, faults = read_entries([to_line(entry) for entry in book.entries])
    assert (entries, faults) == (book.entries, [])


@given(st.data())
def test_every_change_of_a_line_is_found(data: st.DataObject) -> None:
    lines = [to_line(entry) for entry in LINES]
    at = data.draw(st.integers(0, len(lines) - 1))
    field = data.draw(st.sampled_from([each.name for each in fields(Entry)]))
    assert lines[at][field] != "changed"
    lines[at] = {**lines[at], field: "changed"}
    _, faults = read_entries(lines)
    assert any(str(at + 1) in fault or LINES[at].release in fault for fault in faults)


LINES = steps(3, 15, 200).entries


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_line_that_is_missing_or_moved_is_found(gone: int) -> None:
    lines = [to_line(entry) for entry in LINES]
    taken = lines.pop(gone)
    _, faults = read_entries(lines)
    assert any(LINES[gone + 1].release in fault for fault in faults)
    _, faults = read_entries([*lines, taken])
    assert faults


@pytest.mark.parametrize("line", [5, None, [], {}, {"digest": 3}, {"release": "v9", "holdfast_ledger": 2}])
def test_what_is_no_entry_is_said(line: object) -> None:
    entries, faults = read_entries([*map(to_line, LINES), line])
    assert len(entries) == len(LINES)
    assert len(faults) == 1
    assert "Entry 5" in faults[0]


# --- computed again --------------------------------------------------------------------------------------------------


def test_computed_again_it_is_the_same() -> None:
    book = steps(4)
    again = recomputed(book.entries, book, {})
    assert again == book.entries
    assert list(differing(book.entries, again)) == []


def test_a_verdict_that_does_not_follow_from_the_values_is_said() -> None:
    book = steps(4)
    last = book.entries[4]
    assert last.anchor is not None
    forged = [*book.entries[:4], replace(last, anchor=replace(last.anchor, verdict="pass"))]
    (said,) = differing(forged, recomputed(forged, book, {}))
    assert said.startswith("v1.4 against v1.0 was written as pass")
    assert said.endswith("computed again it is fail.")


def test_other_margins_decide_otherwise() -> None:
    book = steps(4)
    assert book.entries[4].verdict == "fail"
    assert recomputed(book.entries, book, {"value": 0.2})[4].verdict == "pass"


def test_an_entry_names_each_comparison_once() -> None:
    one = Compared("v0", "pass", "", {})
    entry = replace(LINES[1], before=one, anchor=one, older_anchors=())
    assert entry.every == (one,)
