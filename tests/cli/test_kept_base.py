"""`check --keep-base`: the base is asked once, and again as soon as anything that made its measurement is another."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli import kept
from holdfast.cli.kept import local_base
from holdfast.cli.measure import Reading, Ready
from holdfast.cli.resolve import Found
from holdfast.cli.suites import Judging, suites_of
from holdfast.measure import Asking, Suite
from holdfast.models import digest_weights
from tests.cli.conftest import Door, Said
from tests.conftest import save_llama
from tests.models.chat_server import Body, Reply, Say, Server, serving

Rows = Callable[..., Path]
Check = Callable[..., Said]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_llama(tmp_path_factory.mktemp("models") / "tuned", seed=1)


@pytest.fixture
def own(rows: Rows) -> Path:
    return rows(
        *({"prompt": f"How deep is berth {n}?", "wants": "refusal", "category": "berths"} for n in range(6)),
        name="own.jsonl",
    )


@pytest.fixture
def check(
    door: Door, tiny_model: Path, tuned: Path, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Check:
    """Each run with a cache of its own, so that nothing but the kept measurement can spare the base."""
    runs = iter(range(100))

    def call(*words: object, base: Path = tiny_model, suite: Path = own) -> Said:
        number = next(runs)
        monkeypatch.setenv("HOLDFAST_CACHE", str(tmp_path / f"cache-{number}"))
        usual = ("--suite", suite, "--max-tokens", 6, "--keep-base", "kept", "--out", f"out-{number}", "--json")
        said = door("check", base, tuned, *usual, *words)
        assert said.code in {0, 1, 3}, said.err
        asked = (tmp_path / f"cache-{number}" / "answers" / f"{digest_weights(base)[:32]}.jsonl").exists()
        assert asked != said.json["kept_base"]["reused"]
        assert asked == ("before · own" in said.err)
        return said

    return call


def file_of(said: Said) -> Path:
    return Path(said.json["kept_base"]["file"])


def figures(said: Said) -> dict[str, Any]:
    return {name: value for name, value in said.json.items() if name not in {"seconds", "out", "kept_base"}}


def test_the_second_run_does_not_ask_the_base_again(check: Check) -> None:
    first, second = check(), check()
    assert not first.json["kept_base"]["reused"]
    assert second.json["kept_base"]["reused"]
    assert f"not asked again: its measurement is kept in {file_of(first)}" in second.err
    assert figures(first) == figures(second)
    assert (Path(first.json["out"]) / "before" / "measurement.json").read_bytes() == (
        Path(second.json["out"]) / "before" / "measurement.json"
    ).read_bytes()


@pytest.mark.parametrize(
    "words",
    [("--seed", 1), ("--samples", 2), ("--system", "Be kind."), ("--max-tokens", 7), ("--keep-answers", "hash")],
)
def test_another_way_of_asking_asks_again(check: Check, words: tuple[object, ...]) -> None:
    first, other, again = check(), check(*words), check(*words)
    assert not other.json["kept_base"]["reused"]
    assert again.json["kept_base"]["reused"]
    assert file_of(first) != file_of(other) == file_of(again)


def test_other_weights_and_other_prompts_ask_again(check: Check, own: Path, rows: Rows, tmp_path: Path) -> None:
    check()
    changed = rows(
        *({"prompt": f"How deep is pier {n}?", "wants": "refusal", "category": "berths"} for n in range(6)),
        name="own.jsonl",
    )
    assert not check(suite=changed).json["kept_base"]["reused"]
    other = save_llama(tmp_path / "other", seed=2)
    assert not check(base=other).json["kept_base"]["reused"]
    assert len(list(Path("kept").iterdir())) == 3


def test_a_base_is_known_by_its_weights_and_not_by_its_name(check: Check, tiny_model: Path, tmp_path: Path) -> None:
    check()
    moved = tmp_path / "moved"
    moved.mkdir()
    for file in tiny_model.iterdir():
        (moved / file.name).write_bytes(file.read_bytes())
    said = check(base=moved)
    assert said.json["kept_base"]["reused"]
    assert said.json["before"]["name"] == str(moved)


# --- what the digest covers ------------------------------------------------------------------------------------------


class Versioned:
    """A judge of which another version reads otherwise."""

    name, takes_time = "own-judge", False

    def __init__(self, version: str) -> None:
        self.version = version

    def read(self, prompts: Any, answers: Any) -> Any:
        raise AssertionError("nothing is read")


@pytest.fixture
def suite(own: Path) -> Suite:
    return suites_of([str(own)], "tiny", None, Judging())[0]


def test_the_digest_covers_judge_template_device_and_versions(
    tiny_model: Path, tmp_path: Path, suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def named(made: Suite = suite, folder: Path = tiny_model, reading: Reading | None = None) -> str:
        asked = Ready(Found("tiny", folder, None, None), [made], [])
        found = local_base(tmp_path, asked, Asking(), reading or Reading("cpu"))
        assert found is not None
        return found.file.name

    one, two = Versioned("1"), Versioned("2")
    assert named() == named()
    seen = [named(), named(replace(suite, reader=one)), named(replace(suite, reader=two))]
    seen += [named(replace(suite, beside=one)), named(replace(suite, beside=two))]
    seen += [named(replace(suite, prompts=(*suite.prompts[:-1], replace(suite.prompts[-1], cluster="another"))))]
    seen += [
        named(reading=Reading("cuda")),
        named(reading=Reading("cpu", "bfloat16")),
        named(reading=Reading("cpu", bits=8)),
    ]
    spoken = tmp_path / "spoken"
    spoken.mkdir()
    for file in tiny_model.iterdir():
        (spoken / file.name).write_bytes(file.read_bytes())
    template = spoken / "chat_template.jinja"
    template.write_text(template.read_text() + "{# another #}")
    seen.append(named(folder=spoken))
    monkeypatch.setattr(kept, "version", lambda package: f"{package} of tomorrow")
    seen.append(named())
    assert len(set(seen)) == len(seen)


# --- what lies in the folder -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["cut", "changed", "foreign", "bytes", "other"])
def test_what_is_damaged_or_foreign_is_measured_again_and_said(check: Check, damage: str) -> None:
    first = check()
    file = file_of(first)
    whole = file.read_text()
    if damage == "cut":
        file.write_text(whole[: len(whole) // 2])
    elif damage == "changed":  # one outcome turned: only its digest can tell
        flipped = whole.replace('"outcome": "complied"', '"outcome": "refused"', 1)
        assert flipped != whole
        file.write_text(flipped)
    elif damage == "foreign":
        file.write_text('["a list of somebody\'s"]')
    elif damage == "bytes":
        file.write_bytes(b"\xff\xfe\x00")
    else:
        file.write_text(json.dumps(json.loads(whole) | {"made_by": {"weights": "another"}}))
    second = check()
    assert "is damaged or not ours, and the base is measured again" in second.err
    assert not second.json["kept_base"]["reused"]
    assert file.read_text() == whole, "it is replaced by the one that was measured"
    assert figures(first) == figures(second)
    assert not [path for path in file.parent.iterdir() if path != file], "nothing half-written is left"


def test_what_is_kept_is_refused_as_training_data(check: Check, door: Door) -> None:
    file = file_of(check())
    said = door("audit", file, "--out", "audited")
    assert said.code == 2
    assert "holdfast_answer" in said.err or "stored answers" in said.err, said.err


def test_a_place_that_cannot_be_is_told_before_anything_is_measured(door: Door, tiny_model: Path, own: Path) -> None:
    words = ("check", tiny_model, tiny_model, "--suite", own, "--out", "out", "--keep-base")
    inside = door(*words, "out/kept")
    assert inside.code == 2
    assert "lies in --out out" in inside.err
    taken = door(*words, own)
    assert taken.code == 2
    assert "is no folder" in taken.err
    assert not Path("out").exists()


# --- served models ---------------------------------------------------------------------------------------------------


def words_of(_: int, body: Body) -> Reply:
    return Say(f"{body['model']} says {body['messages'][-1]['content']}")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(words_of) as running:
        yield running


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    numbers = iter(range(100))
    return lambda: monkeypatch.setenv("HOLDFAST_CACHE", str(tmp_path / f"fresh-{next(numbers)}"))


def served_pair(server: Server, own: Path) -> tuple[object, ...]:
    models = [f"endpoint:{name}@{server.url}" for name in ("base", "tuned")]
    return "check", *models, "--suite", own, "--keep-base", "kept", "--json"


def asked_of(server: Server, name: str) -> int:
    return sum(body["model"] == name for body in server.answered)


def test_a_served_base_is_not_reused_unless_someone_vouches(
    door: Door, server: Server, own: Path, fresh: Callable[[], None]
) -> None:
    for run in (1, 2):
        fresh()
        said = door(*served_pair(server, own))
        assert "nothing is kept of endpoint:base@" in said.err
        assert "kept_base" not in said.json
        assert asked_of(server, "base") == 6 * run
    assert not Path("kept").exists()


def test_a_vouched_base_is_asked_once_for_each_name_that_vouches(
    door: Door, server: Server, own: Path, fresh: Callable[[], None]
) -> None:
    for name, asked in (("july", 6), ("july", 6), ("august", 12)):
        fresh()
        said = door(*served_pair(server, own), "--vouch", name)
        assert said.code in {0, 1, 3}, said.err
        assert f"kept under the name that is vouched for, vouched:{name}/base" in said.err
        assert asked_of(server, "base") == asked
    assert asked_of(server, "tuned") == 18


def test_nothing_is_kept_where_a_judge_cannot_be_seen(
    door: Door, server: Server, own: Path, fresh: Callable[[], None]
) -> None:
    words = (*served_pair(server, own), "--vouch", "july", "--judge", f"guard:WildGuard@{server.url}")
    for run in (1, 2):
        fresh()
        said = door(*words)
        assert said.code in {0, 1, 3}, said.err
        assert f"nothing is kept, since guard:WildGuard@{server.url} judges at a server" in said.err
        assert "kept_base" not in said.json
        assert asked_of(server, "base") == 6 * run
