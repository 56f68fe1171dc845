from hypothesis import given, settings
from hypothesis import strategies as st
from tests.audit.view_scene import CHATML, look, tokenizer, view

from holdfast.audit.truncation import Truncation
from holdfast.data import Example, Turn, ask
from holdfast.models.chat import render_example, render_prompt
from holdfast.workers import Here, Threads

CHAT = tokenizer(CHATML)
ROW = ask("a:1", "When does the tide turn?", "It turns at noon, and at midnight again.")


def length(row, tools=()):
    return len(render_example(CHAT, row.messages(), 10_000).input_ids)


def test_a_row_that_fits_to_the_token_is_not_cut():
    found, figure = look(Truncation(), [ROW], view(CHAT, length(ROW)))
    assert found == []
    assert (figure.value["cut"], figure.value["emptied"]) == (0, 0)
    assert figure.value["quantiles"]["1"] == figure.value["tokens"] == length(ROW)


def test_a_cut_row_says_how_much_it_loses_and_what():
    room = length(ROW) - 9
    (finding,), figure = look(Truncation(), [ROW], view(CHAT, room))
    assert f"9 of {length(ROW)} tokens lie past {room}, in turn 2 (assistant)" in finding.reason
    assert (finding.verdict, finding.removes) == ("cut", False)
    close = "<|im_end|>\n"
    assert finding.evidence.endswith(close)
    assert ROW.answer.endswith(finding.evidence.removesuffix(close))
    assert figure.value["cut"] == 1


def test_a_row_without_its_answer_is_emptied_and_tune_says_the_same():
    room = len(render_prompt(CHAT, ROW.messages()[:1]))
    (finding,), figure = look(Truncation(), [ROW], view(CHAT, room))
    assert finding.verdict == "emptied"
    assert "turn 2 (assistant)" in finding.reason
    assert finding.evidence.startswith("It turns")
    assert (figure.value["cut"], figure.value["emptied"]) == (1, 1)
    assert render_example(CHAT, ROW.messages(), room).supervised == 0
    (finding,), _ = look(Truncation(), [ROW], view(CHAT, room + 1))
    assert finding.verdict == "cut"


def test_the_turn_that_is_lost_is_the_first_one_that_is_not_whole():
    long = Example("a:2", (*ROW.turns, Turn("user", "And the kelp " * 20), Turn("assistant", "It holds.")))
    (finding,), _ = look(Truncation(), [long], view(CHAT, length(ROW) + 20))
    assert "in turn 3 (user)" in finding.reason
    assert finding.verdict == "cut"


def test_where_rows_are_read_does_not_matter_and_none_is_read_twice():
    rows = [ask(f"a:{n}", "When?", "It turns. " * (n % 9)) for n in range(600)]
    here, there, told = view(CHAT, 40), view(CHAT, 40), []
    first = here.read(rows, Here(), lambda *at: told.append(at))
    assert first == there.read(rows, Threads(2), lambda *_: None)
    assert told == [(256, 600), (512, 600), (600, 600)]
    again = here.read(rows[100:], Here(), lambda *at: told.append(at))
    assert all(one is two for one, two in zip(again, first[100:], strict=True))
    assert len(told) == 3
    # Equal ids are no equal rows: another audit may look through the same view.
    other = [ask("a:0", "When?", "It turns at noon, and at midnight again, and so on and on, for ever.")]
    assert here.read(other, Here(), lambda *_: None)[0].tokens > first[0].tokens


def test_no_rows_no_figure():
    assert look(Truncation(), [], view(CHAT)) == ([], None)


@given(
    st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60), min_size=1, max_size=6), st.integers(2, 90)
)
@settings(max_examples=60, deadline=None)
def test_the_counts_are_those_of_what_tune_encodes(said, room):
    rows = [ask(f"a:{n}", "When?", text) for n, text in enumerate(said)]
    found, figure = look(Truncation(), rows, view(CHAT, room))
    encoded = [render_example(CHAT, row.messages(), room) for row in rows]
    assert [finding.row for finding in found] == [r.id for r, one in zip(rows, encoded, strict=True) if one.cut]
    empty = {r.id for r, one in zip(rows, encoded, strict=True) if one.cut and not one.supervised}
    assert {finding.row for finding in found if finding.verdict == "emptied"} == empty
    assert figure.value["cut"] == sum(one.cut for one in encoded)
