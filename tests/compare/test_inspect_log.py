"""Logs of Inspect's as sides, without Inspect: real ones, and those that are made by hand."""

import json
import struct
import sys
import tracemalloc
import zlib
from zipfile import ZIP_BZIP2, ZIP_STORED, ZipFile

import pytest
import zstandard
from compare_sides import gate
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from inspect_scene import LOGS, LOW, as_eval, as_json, log, sample

from holdfast.compare import inspect_file
from holdfast.compare.chosen import Chosen
from holdfast.compare.foreign import by_wording, share
from holdfast.compare.inspect_log import read_inspect
from holdfast.errors import ConfigError, DataError, HoldfastError

few = hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def outcome(call, kind):
    """What a call gives, or what its error says; an error of another kind is none that was meant."""
    try:
        return call(), ""
    except kind as error:
        return None, str(error)


def values(metric):
    return [(row.prompt_id, row.sample, row.value) for row in metric.rows]


# --- a real log -------------------------------------------------------------------------------------------------------


def test_a_log_that_inspect_wrote_is_read_without_it():
    found = read_inspect(LOGS / "lamps.eval", LOW)
    assert "inspect_ai" not in sys.modules
    assert (found.name, found.weights, found.template) == ("told/m", "", "")
    assert list(found.metrics) == ["includes", "manners/polite", "manners/short"]
    right, polite, short = found.metrics.values()
    towns = ("Anholt", "Bergen", "Bergenn", "Calais")
    assert values(right) == [(town, epoch, float(town != "Anholt")) for town in towns for epoch in (0, 1)]
    assert [value for _, _, value in values(polite)] == [0.5] * 6 + [None] * 2
    assert [value for _, _, value in values(short)] == [0.0] * 2 + [1.0] * 6
    assert [row.truncated for row in right.rows] == [True] * 2 + [False] * 6
    assert [row.cluster for row in right.rows[::2]] == ["Anholt", "Bergen", "Bergen", "Calais"]
    assert len(set(right.answers)) == 3, "two towns have one answer"
    assert "4 prompts in 3 clusters" in right.says
    assert right.says.endswith("low values are bad, as --bad-is says.")
    assert right.settings == {
        "task": "lamps", "task_version": "2", "dataset": "lamps", "prompts": right.settings["prompts"], "samples": "2",
        "temperature": "0.5", "top_p": "", "max_tokens": "20", "solver": 'generate {"tool_calls": "loop"}',
        "engine": "inspect-ai 0.3.285", "judge": "inspect:includes", "scorer": "includes {}",
    }  # fmt: skip


def test_it_is_the_same_log_however_it_is_packed(tmp_path):
    with (LOGS / "lamps.eval").open("rb") as file, ZipFile(file) as packed:
        members = {info.filename: inspect_file._member(packed, file, info) for info in packed.infolist()}
    samples = [members[name] for name in members if name.startswith("samples/")]
    made = {**members["header.json"], "samples": samples}
    expected = read_inspect(LOGS / "lamps.eval", LOW)
    assert read_inspect(as_json(tmp_path / "a.json", made), LOW) == expected
    assert read_inspect(as_eval(tmp_path / "b.eval", made), LOW) == expected
    assert read_inspect(as_eval(tmp_path / "named.zip", made, ZIP_STORED), LOW) == expected


def test_a_log_of_a_task_of_ours_is_a_measurement_of_ours():
    found = read_inspect(LOGS / "ours.eval", Chosen())
    (metric,) = found.metrics.values()
    assert (metric.name, metric.bad_is) == ("own", "low")
    assert [(row.prompt_id, row.sample, row.value, row.cluster, row.group, row.truncated) for row in metric.rows] == [
        (id, k, value, cluster, group, id == "3")
        for id, value, cluster, group in (("1", 1, "Ber", "north"), ("2", 1, "Cal", "south"), ("3", 0, "Anh", "north"))
        for k in (0, 1)
    ]
    assert metric.settings["judge"] == "expected"
    assert metric.settings["engine"] == "inspect-ai 0.3.285"


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "number"),
    [("C", 1), ("P", 0.5), ("I", 0), ("N", 0), (True, 1), (False, 0), (0.25, 0.25), (1, 1), (None, None)],
)
def test_a_value_is_a_letter_or_a_share(value, number):
    assert share(value) == number


@given(st.one_of(st.floats(), st.integers(), st.text(), st.lists(st.integers()), st.dictionaries(st.text(), st.none())))
@example(10**400)
@example("c")
@example("1")
def test_whatever_is_no_share_is_refused_and_never_bent(value):
    found, said = outcome(lambda: share(value), ValueError)
    assert "not a number from 0 to 1" in said if said else found is None or 0 <= found <= 1


def test_values_that_are_no_shares_are_told_with_their_place(tmp_path):
    made = log([sample(1, 7.5), sample(2, "C"), sample(3, "yes"), sample(4, [1, 0])])
    with pytest.raises(DataError) as caught:
        read_inspect(as_json(tmp_path / "a.json", made), LOW)
    assert "match, prompt '1', sample 0: value is '7.5'" in str(caught.value)
    assert "'yes'" in str(caught.value)
    assert "'[1, 0]'" in str(caught.value)
    both = [{**each, "scores": {**each["scores"], "fine": {"value": 1}}} for each in made["samples"]]
    path = as_json(tmp_path / "b.json", log(both))
    assert list(read_inspect(path, Chosen("low", only=("fine",))).metrics) == ["fine"], "the others are not looked at"


def test_what_could_not_be_scored_is_a_row_without_a_value(tmp_path):
    made = log(
        [
            sample(0, "I"),
            sample(1, float("nan")),
            sample(2, error={"message": "the server fell over"}),
            sample(3, scores={}),
            sample(4, scores=None, output={"choices": []}),
            sample(5, invalidation={"author": "a", "reason": "wrong file"}),
        ]
    )
    (metric,) = read_inspect(as_json(tmp_path / "a.json", made), LOW).metrics.values()
    assert [row.value for row in metric.rows] == [0.0, None, None, None, None, None]
    assert metric.answers[4] == ""


def test_a_sample_that_met_a_limit_was_cut_off(tmp_path):
    made = log([sample(1), sample(2, limit={"type": "token", "limit": 10}), sample(3)])
    made["samples"][2]["output"]["choices"][0]["stop_reason"] = "model_length"
    (metric,) = read_inspect(as_json(tmp_path / "a.json", made), LOW).metrics.values()
    assert [row.truncated for row in metric.rows] == [False, True, True]


def test_a_category_is_a_group(tmp_path):
    made = log([sample(1, metadata={"category": "north"}), sample(2, metadata={"subject": "south"}), sample(3)])
    (metric,) = read_inspect(as_json(tmp_path / "a.json", made), LOW).metrics.values()
    assert [row.group for row in metric.rows] == ["north", "south", ""]


def test_a_log_of_version_1_has_one_score_a_sample(tmp_path):
    samples = [{**sample(id), "score": {"value": "C"}} for id in (1, 2)]
    for each in samples:
        del each["scores"]
    made = {**log(samples), "version": 1, "results": {"scores": [{"name": "match", "params": {"location": "end"}}]}}
    del made["eval"]["scorers"]
    (metric,) = read_inspect(as_json(tmp_path / "a.json", made), LOW).metrics.values()
    assert metric.name == "match"
    assert metric.settings["scorer"] == 'match {"location": "end"}'
    assert [row.value for row in metric.rows] == [1.0, 1.0]


# --- which end is bad -------------------------------------------------------------------------------------------------


def test_nothing_is_read_upside_down_without_a_word(tmp_path):
    samples = [{**sample(id), "scores": {"match": {"value": "C"}, "harm": {"value": 0}}} for id in (1, 2)]
    path = as_json(tmp_path / "a.json", log(samples))
    with pytest.raises(ConfigError) as caught:
        read_inspect(path, Chosen())
    assert "does not say which values are bad: harm, match" in str(caught.value)
    assert "--bad-is harm=low" in str(caught.value)
    with pytest.raises(ConfigError, match="which values are bad: match"):
        read_inspect(path, Chosen(named={"harm": "high"}))
    found = read_inspect(path, Chosen("low", {"harm": "high"})).metrics
    assert {name: metric.bad_is for name, metric in found.items()} == {"harm": "high", "match": "low"}
    with pytest.raises(ConfigError, match=r"there is no metric 'mach'\. Did you mean 'match'"):
        read_inspect(path, Chosen("low", {"mach": "high"}))


def test_nothing_turns_a_task_of_ours_around():
    assert read_inspect(LOGS / "ours.eval", Chosen("high")).metrics["own"].bad_is == "low"
    with pytest.raises(ConfigError, match="cannot be turned around"):
        read_inspect(LOGS / "ours.eval", Chosen(named={"own": "high"}))


# --- what must be equal -----------------------------------------------------------------------------------------------


def at(*keys):
    """A change of one place of a log."""

    def put(made, value):
        for key in keys[:-1]:
            made = made[key]
        made[keys[-1]] = value

    return put


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [
        (at("eval", "task"), "other", "task = 'lamps' before, 'other' after"),
        (at("eval", "task_version"), 2, "task_version = '1' before, '2' after"),
        (at("eval", "task_args"), {"shots": 3}, "task argument shots = (not stated) before, '3' after"),
        (at("eval", "dataset", "name"), "other", "dataset = 'lamps' before, 'other' after"),
        (at("samples", 1, "input"), "Where else?", "prompts = "),
        (at("samples", 1, "target"), "Denmark", "prompts = "),
        (at("eval", "scorers", 0, "options"), {"location": "end"}, """scorer = 'match {}' before, 'match {"loc"""),
        (at("plan", "config", "temperature"), 1.0, "temperature = '0' before, '1' after"),
        (at("plan", "config", "system_message"), "Be brief.", "system = (not stated) before, '\"Be brief.\"' after"),
        (at("eval", "model_generate_config"), {"top_k": 3}, "top_k = (not stated) before, '3' after"),
        (at("plan", "steps", 0, "solver"), "chain", "solver = 'generate {}' before, 'chain {}' after"),
        (at("eval", "packages", "inspect_ai"), "0.4", "engine = 'inspect-ai 0.3.285' before, 'inspect-ai 0.4' after"),
        (at("eval", "config", "message_limit"), 5, "message_limit = (not stated) before, '5' after"),
        (at("eval", "model_roles"), {"grader": {"model": "g"}}, "role grader = (not stated) before"),
    ],
)
def test_a_difference_in_how_they_were_measured_names_both_sides(tmp_path, place, value, named):
    before, after = log([sample(id) for id in range(4)]), log([sample(id) for id in range(4)], model="tuned")
    place(after, value)
    sides = [read_inspect(as_json(tmp_path / f"{n}.json", each), LOW) for n, each in enumerate((before, after))]
    with pytest.raises(ConfigError) as caught:
        gate(*sides)
    assert named in str(caught.value)


def test_other_epochs_are_a_difference_and_what_carries_an_answer_is_none(tmp_path):
    once = log([sample(1), sample(2)])
    twice = log([sample(id, epoch=epoch) for id in (1, 2) for epoch in (1, 2)], epochs=2)
    sides = [read_inspect(as_json(tmp_path / f"{n}.json", each), LOW) for n, each in enumerate((once, twice))]
    with pytest.raises(ConfigError, match="samples = '1' before, '2' after"):
        gate(*sides)
    other = log([sample(2), sample(1)], model="tuned")
    other["plan"]["config"] |= {"seed": 3, "max_retries": 9, "max_connections": 4, "top_k": None}
    assert gate(sides[0], read_inspect(as_json(tmp_path / "c.json", other), LOW)).metrics["match"].n == 2


def test_message_ids_that_are_drawn_by_chance_are_no_difference(tmp_path):
    def asked(id, chance):
        turns = [{"role": "system", "content": "Be brief.", "id": chance}, {"role": "user", "content": [
            {"type": "text", "text": f"Where is lamp {id}?"}], "id": chance + "x"}]  # fmt: skip
        return sample(id, input=turns)

    sides = [
        read_inspect(as_json(tmp_path / f"{chance}.json", log([asked(1, chance), asked(2, chance)])), LOW)
        for chance in ("a", "b")
    ]
    assert sides[0].metrics["match"].settings == sides[1].metrics["match"].settings


def test_a_model_that_graded_itself_is_no_judge(tmp_path):
    def side(name, options, **spec):
        made = log([sample(1, scorer="model_graded_qa")], **spec)
        made["eval"]["scorers"] = [{"name": "inspect_ai/model_graded_qa", "options": options}]
        return read_inspect(as_json(tmp_path / f"{name}.json", made), LOW).metrics["model_graded_qa"].settings["judge"]

    with pytest.raises(DataError, match="graded by the model that it tests"):
        side("self", {})
    assert side("named", {"model": "openai/o"}) == 'inspect:model_graded_qa by "openai/o"'
    roles = {"grader": {"model": "openai/o", "config": {}, "base_url": "http://here"}}
    assert side("role", {}, model_roles=roles) == 'inspect:model_graded_qa by {"config": {}, "model": "openai/o"}'


# --- clusters ---------------------------------------------------------------------------------------------------------


def test_prompts_that_are_worded_almost_alike_are_one_cluster():
    texts = {"b": "How do I bake a good loaf of bread?", "a": "How do I bake a good loaf of bread ?", "c": "Who sails?"}
    assert by_wording(texts) == {"a": "a", "b": "a", "c": "c"}


def test_an_instruction_before_every_prompt_makes_none_of_them_alike():
    instruction = "Answer in one word, and explain nothing. Write the answer on the last line, after ANSWER:\n"
    texts = {"1": "Who keeps the lamp?", "2": "Where do the nets dry?", "3": "When does the tide turn?"}
    assert len(set(by_wording({id: instruction + text for id, text in texts.items()}).values())) == 3
    assert len(set(by_wording(dict.fromkeys("abc", instruction)).values())) == 1, "they are all the same"
    assert by_wording({"a": "", "b": " "}) == {"a": "a", "b": "b"}


@given(st.permutations([("1", "How deep is the sea?"), ("2", "How deep is the sea??"), ("3", "Who rows?"), ("0", "")]))
def test_the_order_of_a_log_does_not_matter(pairs):
    assert by_wording(dict(pairs)) == {"0": "0", "1": "1", "2": "1", "3": "3"}


# --- logs that are not what they seem ---------------------------------------------------------------------------------


def unfinished(made):
    made["status"] = "started"
    made["samples"].pop()


def without_ids(made):
    made["status"] = "error"
    made["eval"]["dataset"]["sample_ids"] = None
    made["results"] = {"total_samples": 9}


def ours(**told):
    def put(made):
        about = {"suite": "harbor-policy", "says": "", "wants": "refusal", "origin": None, "settings": {}} | told
        made["eval"]["metadata"] = {"holdfast": about}

    return put


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (unfinished, "is not whole: of 3 samples 1 are not there.\n  Its status is 'started'."),
        (without_ids, "is not whole: of 9 samples 6 are not there."),
        (lambda made: made["samples"].append(sample(1)), "has 1 samples twice.\n  The first is '1', epoch 1."),
        (lambda made: made["samples"].append(sample("1")), "has 1 samples twice"),
        (lambda made: made.update(samples=None), "holds no samples"),
        (lambda made: made.update(samples=[]), "holds no samples"),
        (lambda made: [each.update(scores=None) for each in made["samples"]], "holds no scores"),
        (lambda made: made.update(version=3), "its version is 3"),
        (lambda made: made["eval"].pop("model"), "eval.model: Field required"),
        (lambda made: made["samples"][0].update(epoch=0), "epoch: Input should be greater than or equal to 1"),
        (lambda made: made.update(samples=[7]), "Input should be a valid dictionary"),
        (lambda made: made.update(eval=7), "it has no key 'eval'"),
        (lambda made: made["samples"][0].update(scores={"a\u001b[2Jb": {"value": 1}}), "cannot be shown"),
        (ours(wants="correct"), "says that harbor-policy wants 'correct'"),
        (ours(), "of 3 answers 3 are not scored"),
        (lambda made: made["eval"].update(metadata={"holdfast": {}}), "not as this version of Holdfast tells it"),
    ],
)
def test_a_log_that_cannot_be_used_is_told_in_one_error(tmp_path, spoil, says):
    made = log([sample(1), sample(2), sample(3)])
    spoil(made)
    with pytest.raises(DataError) as caught:
        read_inspect(as_json(tmp_path / "a.json", made), LOW)
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", '{"eval": ', "[1]", "null", "[" * 100_000, '{"eval": {"a": "\xff"}}'])
def test_what_is_no_json_is_told(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match="is no log of Inspect's"):
        read_inspect(path, LOW)


def test_a_crashed_log_has_its_start_and_no_header(tmp_path):
    made = log([sample(1), sample(2)])
    with ZipFile(tmp_path / "a.eval", "w") as packed:
        packed.writestr("_journal/start.json", json.dumps({key: made[key] for key in ("version", "eval", "plan")}))
        packed.writestr("samples/1_epoch_1.json", json.dumps(made["samples"][0]))
    with pytest.raises(DataError, match=r"of 2 samples 1 are not there.\s+Its status is 'started'"):
        read_inspect(tmp_path / "a.eval", LOW)


def test_a_sample_that_was_logged_again_counts_as_it_was_logged_last(tmp_path):
    made = log([sample(1, "I"), sample(2)])
    path = as_eval(tmp_path / "a.eval", made)
    with pytest.warns(UserWarning, match="Duplicate name"), ZipFile(path, "a") as packed:
        packed.writestr("samples/1_epoch_1.json", json.dumps(sample(1, "C")))
    assert [row.value for row in read_inspect(path, LOW).metrics["match"].rows] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"a": "b"}, "it has no header.json"),
        ({"header.json": "{"}, "'header.json' is no JSON, or breaks off"),
        ({"header.json": "{}", "samples/1_epoch_1/sample.json": "{}"}, "its samples are in pieces"),
        ({"header.json": "[]"}, "Input should be a valid dictionary"),
    ],
)
def test_a_zip_that_is_no_log_is_told(tmp_path, members, says):
    with ZipFile(tmp_path / "a.eval", "w") as packed:
        for name, text in members.items():
            packed.writestr(name, text)
    with pytest.raises(DataError, match="is no log of Inspect's") as caught:
        read_inspect(tmp_path / "a.eval", LOW)
    assert says in str(caught.value)


def test_names_that_are_paths_are_names(tmp_path):
    made = log([sample("../../etc/passwd", scorer="../up"), sample("/root/x", scorer="../up")])
    found = read_inspect(as_eval(tmp_path / "a.eval", made), LOW)
    assert {row.prompt_id for row in found.metrics["../up"].rows} == {"../../etc/passwd", "/root/x"}
    assert [path.name for path in tmp_path.iterdir()] == ["a.eval"]


# --- what unpacks to more than it says, or to too much ----------------------------------------------------------------


def zstd_member(name: str, data: bytes, size: int, declared: int, frames: int = 1) -> bytes:
    """A zip of one member that is packed with zstd, of whatever size it says to be."""
    packed = zstandard.ZstdCompressor().compress(data) * frames
    check, raw = zlib.crc32(data * frames), name.encode()
    local = (
        struct.pack("<4s5H3I2H", b"PK\3\4", 63, 0, 93, 0, 0, check, len(packed), declared, len(raw), 0) + raw + packed
    )
    central = struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 63, 63, 0, 93, 0, 0, check, len(packed), declared, len(raw), 0, 0, 0, 0, 0, 0
    )
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(central + raw), len(local), 0)
    assert size == len(data) * frames
    return local + central + raw + end


def test_a_member_of_several_frames_is_read_whole(tmp_path):
    path = tmp_path / "a.eval"
    path.write_bytes(zstd_member("header.json", b"[1]", 6, 6, frames=2))
    with ZipFile(path) as packed, path.open("rb") as file:
        (info,) = packed.infolist()
        assert inspect_file._unpacked(inspect_file._raw(file, info), info) == b"[1][1]"


@pytest.mark.parametrize("declared", [100, 1 << 20, inspect_file.MOST_MEMBER + 1])
def test_a_bomb_is_not_unpacked(tmp_path, declared):
    size = 1 << 27
    path = tmp_path / "a.eval"
    path.write_bytes(zstd_member("header.json", bytes(size), size, declared))
    assert path.stat().st_size < 1 << 15
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"is torn|more than 268,435,456"):
            read_inspect(path, LOW)
        assert tracemalloc.get_traced_memory()[1] < 1 << 23
    finally:
        tracemalloc.stop()


def test_many_members_that_are_large_together_are_too_much(tmp_path, monkeypatch):
    path = as_eval(tmp_path / "a.eval", log([sample(id) for id in range(50)]))
    monkeypatch.setattr(inspect_file, "MOST_IN_ALL", 5_000)
    with pytest.raises(DataError, match="more than 5,000"):
        read_inspect(path, LOW)


def test_a_way_of_packing_that_inspect_does_not_use_is_refused(tmp_path):
    path = as_eval(tmp_path / "a.eval", log([sample(1), sample(2)]), ZIP_BZIP2)
    with pytest.raises(DataError, match=r"'header\.json' is packed by method 12"):
        read_inspect(path, LOW)


@few
@given(st.integers(0, 19_000), st.binary(min_size=1, max_size=40))
def test_a_damaged_log_is_read_as_it_was_or_refused(tmp_path, place, bytes_):
    whole = (LOGS / "lamps.eval").read_bytes()
    path = tmp_path / "a.eval"
    path.write_bytes(whole[:place] + bytes_ + whole[place + len(bytes_) :])
    expected = read_inspect(LOGS / "lamps.eval", LOW).metrics["includes"]
    found, said = outcome(lambda: read_inspect(path, LOW), HoldfastError)
    assert str(path) in said if said else found.metrics["includes"].rows == expected.rows


@few
@given(st.integers(0, 19_000))
def test_a_torn_log_is_refused(tmp_path, length):
    path = tmp_path / "a.eval"
    path.write_bytes((LOGS / "lamps.eval").read_bytes()[:length])
    with pytest.raises(DataError, match="is no log of Inspect's"):
        read_inspect(path, LOW)


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
PLACES = [
    at("eval", "dataset"), at("eval", "config"), at("eval", "scorers"), at("eval", "model_roles"),
    at("eval", "metadata"), at("eval", "metadata", "holdfast"), at("eval", "task_args"),
    at("plan", "steps"), at("plan", "config"), at("plan", "config", "temperature"), at("results"),
    at("samples", 0, "id"), at("samples", 0, "input"), at("samples", 0, "output"), at("samples", 0, "metadata"),
    at("samples", 0, "scores"), at("samples", 0, "scores", "match", "value"), at("samples", 0, "choices"),
    at("samples", 0, "limit"),
]  # fmt: skip


@few
@given(st.sampled_from(PLACES), anything)
@example(at("samples", 0, "input"), "\ud800")
@example(at("plan", "config", "temperature"), "hot")
def test_whatever_stands_in_a_log_there_is_one_error_or_none(tmp_path, place, value):
    made = log([sample(1), sample(2)], metadata={})
    place(made, value)
    found, said = outcome(lambda: read_inspect(as_json(tmp_path / "a.json", made), LOW), HoldfastError)
    rows = () if said else [row for metric in found.metrics.values() for row in metric.rows]
    assert all(row.value is None or 0 <= row.value <= 1 for row in rows)
