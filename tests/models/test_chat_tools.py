"""What a row's tools do on their way through `tune`."""

from pathlib import Path
from shutil import copytree

from holdfast.data import Example, ask
from holdfast.models import read_tokenizer, render_example
from holdfast.tune import Base, find_recipe, plan, tune

TOOL = {"type": "function", "function": {"name": "tide", "description": "", "parameters": {}}}


def test_a_row_is_trained_with_its_tools_before_it(tiny_model: Path, tmp_path: Path) -> None:
    folder = copytree(tiny_model, tmp_path / "base")
    template = (folder / "chat_template.jinja").read_text()
    (folder / "chat_template.jinja").write_text("{%- if tools -%}{{- tools | tojson -}}{%- endif -%}" + template)
    bare = ask("a:1", "When does the tide turn?", "At noon.")
    given = Example("a:2", bare.turns, tools=(TOOL,))
    room = len(render_example(read_tokenizer(folder), bare.messages(), 512).input_ids)
    settings = {"max_length": room, "epochs": 1}
    tuned = tune(Base(folder), [bare, given], plan(find_recipe("plain"), settings), tmp_path / "out")
    # The tools fill the room, so nothing of the second row's answer is left.
    assert (tuned.rows, tuned.dropped, tuned.cut) == (1, ("a:2",), 0)
