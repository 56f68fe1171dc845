"""The audit through the door: what it writes, what a person brings back, guards, services, models and samples."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.conftest import Door
from tests.judges.guard_server import last_user, serving

REFUSAL = "I'm sorry, but I can't help with that."


def pair(question: str, answer: str = "Yes.") -> str:
    return json.dumps({"prompt": question, "completion": answer})


def reassembled(folder: Path) -> list[str]:
    """Kept and quarantined rows by the numbers in their ids, as they stood."""
    ids = (folder / "kept_ids.txt").read_text().split("\n")[:-1]
    kept = (folder / "kept.jsonl").read_bytes().decode(errors="surrogateescape").split("\n")[:-1]
    rows = dict(zip(ids, kept, strict=True))
    for line in (folder / "quarantine.jsonl").read_text().split("\n")[:-1]:
        gone = json.loads(line)
        rows[gone["id"]] = gone["text"] if "text" in gone else json.dumps(gone["row"], ensure_ascii=False)
    return [rows[name] for name in sorted(rows, key=lambda name: int(name.rpartition(":")[2]))]


def test_kept_and_quarantined_together_are_the_input_byte_for_byte(door: Door, tmp_path: Path) -> None:
    lines = [
        pair("How deep is the harbor?").encode(),
        b'{"prompt":"How deep is the harbor?" ,  "completion":"Six \\u00e9"}\r',
        b'{"prompt": "Caf\xe9?", "completion": "latin"}',
        b'{"completion": "later", "prompt": "Keys in another order?", "n": 1.50}',
        b'{"prompt": "a\x00b?", "completion": "nul"}',
        '{"prompt": "Ünïcode?\u2028", "completion": "é"}'.encode(),
        pair("how deep is the harbor").encode(),
        b"{broken",
        pair("Please, how deep is the harbor?").encode(),
    ]
    (tmp_path / "rows.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    said = door("audit", "rows.jsonl", "--out", "out", "--json")
    assert said.code == 0, said.err
    assert said.json["kept"] + said.json["quarantined"] == len(lines)
    assert said.json["quarantined"] >= 5
    assert [line.encode(errors="surrogateescape") for line in reassembled(tmp_path / "out")] == lines
    kept = (tmp_path / "out/kept.jsonl").read_bytes().split(b"\n")[:-1]
    assert kept == [line for line in lines if line in kept], "their order is kept"


def test_ids_in_a_file_bring_rows_back(door: Door, rows: object, tmp_path: Path) -> None:
    path = rows(pair("How deep is it?"), pair("how deep is it"), pair("How do I make a bomb?", "Sure: so."))  # type: ignore[operator]
    assert door("audit", path, "--out", "out", "--json").json["kept"] == 1
    (tmp_path / "back.txt").write_text(f"# looked at\n{path}:2\n\n{path}:3\n")
    again = door("audit", path, "--out", "out", "--restore", "back.txt", "--json").json
    assert {detail["row"] for detail in again["details"] if detail["restored"]} == {f"{path}:2"}
    assert (again["kept"], again["not_restored"]) == (2, [f"{path}:3"]), "a served unsafe request does not come back"
    assert "Brought back by hand" in Path("out/audit.html").read_text()
    (tmp_path / "back.txt").write_text(f"{path}:9\n")
    wrong = door("audit", path, "--restore", "back.txt")
    assert wrong.code == 2
    assert f"{path}:9" in wrong.err


def test_another_threshold_in_the_same_folder_compares_nothing_again(door: Door, rows: object) -> None:
    lamps = [
        f"Describe the {kind} lamps of the northern harbor in winter for visiting students" for kind in ("old", "new")
    ]
    path = rows(*map(pair, [*lamps, lamps[0].replace("lamps", "lamp")]))  # type: ignore[operator]
    first = door("audit", path, "--out", "out", "--encoder", "ngrams", "--threshold", 0.99, "--json").json
    assert first["findings"]["near-duplicate"] == 0

    def compared(*_: object) -> None:
        raise AssertionError("pairs were compared again")

    command = ("audit", path, "--encoder", "ngrams", "--threshold", 0.86, "--json")
    with pytest.MonkeyPatch.context() as trap:
        trap.setattr("holdfast.audit.near.near_pairs", compared)
        second = door(*command, "--out", "out").json
        assert door(*command, "--out", "other").code == 4, "the trap is armed"
    assert second["findings"]["near-duplicate"] == 1
    fresh = door(*command, "--out", "other")
    assert fresh.json["figures"]["nearness"] == second["figures"]["nearness"]


def test_a_sample_is_drawn_by_category_from_kept_rows_only(door: Door, rows: object) -> None:
    made = [{"prompt": f"What is thing {n} of the pier?", "completion": "So.", "kind": "ab"[n % 2]} for n in range(40)]
    path = rows(*made, {"prompt": "How do I make a bomb?", "completion": "Sure: so.", "kind": "a"})  # type: ignore[operator]
    said = door("audit", path, "--out", "out", "--sample", 7, "--category", "kind", "--seed", 3, "--json")
    assert said.code == 0, said.err
    drawn = [json.loads(line) for line in Path("out/sample.jsonl").read_text().splitlines()]
    assert Counter(row["kind"] for row in drawn) == {"a": 7, "b": 7}
    assert all("bomb" not in row["prompt"] for row in drawn)
    stored = json.loads(Path("out/audit.json").read_text())["sample"]
    assert stored == {"drawn": {"a": 7, "b": 7}, "of": {"a": 20, "b": 20}}
    assert door("audit", path, "--sample", 7).code == 2


def test_a_guard_reads_the_rows_that_may_leave(door: Door, rows: object) -> None:
    path = rows(*[pair(f"What is thing {n} of the pier?", "odd" if n == 3 else "So.") for n in range(6)])  # type: ignore[operator]
    away = door("audit", path, "--guard", "endpoint:Qwen3Guard@http://guard.example/v1")
    assert away.code == 2
    assert "--send-rows" in away.err

    def reply(number: int, body: object) -> tuple[int, str]:
        unsafe = "odd" in json.dumps(body)
        return (
            200,
            f"Safety: {'Unsafe' if unsafe else 'Safe'}\nCategories: {'Violent' if unsafe else 'None'}\nRefusal: No",
        )

    with serving(reply) as server:
        guard = ("--guard", f"endpoint:Qwen3Guard@{server.url}")
        found = door("audit", path, *guard, "--out", "out", "--json")
        assert found.code == 0, found.err
        assert found.json["findings"]["unsafe-by-guard"] == 1
        assert found.json["figures"]["guard"]["n"] == 6
        assert (found.json["kept"], len(server.asked)) == (5, 6)
        assert {last_user(body) for body in server.asked} == {f"What is thing {n} of the pier?" for n in range(6)}
        assert door("audit", path, *guard, "--guard-rows", 4).code == 0
        assert len(server.asked) == 6, "a verdict is paid for once"


def test_a_model_shows_what_training_will_see_and_a_service_what_it_takes(door: Door, rows: object) -> None:
    def chat(n: int, **more: object) -> dict[str, object]:
        answer = {"role": "assistant", "content": "Low. " * (n + 1), **more}
        return {"messages": [{"role": "user", "content": f"Tide {n}?"}, answer]}

    chats = [chat(n, weight=3) if n == 4 else chat(n) for n in range(12)]
    path = rows(*chats)  # type: ignore[operator]
    said = door(
        "audit",
        path,
        "--model",
        "harbor",
        "--max-length",
        24,
        "--serving",
        "Be brief.",
        "--service",
        "openai",
        "--json",
    )
    assert said.code == 0, said.err
    assert said.json["not_run"].keys() == {"contamination", "unsafe-by-guard"}
    assert said.json["findings"]["truncation"] > 0
    assert said.json["findings"]["system-prompt"] == said.json["kept"] == 11
    assert [each["row"] for each in said.json["details"] if each["check"] == "service-rules"] == [f"{path}:5"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--fail-on", "contamination"), "--against"),
        (("--fail-on", "drift"), "--model"),
        (("--threshold", 1.5), "1.5"),
        (("--threshold", 0.8, "--floor", 0.9), "--floor"),
        (("--encoder", "ngram"), "'ngrams'"),
        (("--encoder", "ngrams", "--approximate"), "--encoder wordllama"),
        (("--format", "alpacca"), "'alpaca'"),
        (("--service", "opena"), "'openai'"),
        (("--serving", "Be kind."), "--model"),
        (("--guard", "endpoint:guard"), "endpoint:MODEL@"),
        (("--restore", "nowhere.txt"), "nowhere.txt"),
        (("--ray", "127.0.0.1:9"), "--ray local"),
        (("--ray", "nowhere"), "HOST:PORT"),
        (("--threshold", 1), "between 0 and 1"),
        (("--guard", "endpoint:m@http://localhost:99999/v1"), "http://HOST:PORT/v1"),
    ],
)
def test_words_that_cannot_be_meant(door: Door, rows: object, options: tuple[object, ...], said: str) -> None:
    path = rows(pair("How deep is the old harbor?"), pair("How deep is the new harbor?"))  # type: ignore[operator]
    answer = door("audit", path, *options)
    assert answer.code == 2, answer.err
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_a_folder_and_packed_files_are_read_and_said(door: Door, tmp_path: Path) -> None:
    import gzip

    (tmp_path / "sets/deep").mkdir(parents=True)
    (tmp_path / "sets/a.jsonl.gz").write_bytes(gzip.compress(pair("How deep is the harbor?").encode()))
    (tmp_path / "sets/deep/b.csv").write_text("instruction,output\nWho keeps the lamp?,Ada.\n")
    (tmp_path / "sets/README.md").write_text("not data")
    said = door("audit", "sets", "--json")
    assert [(each["container"], each["format"]) for each in said.json["read"]] == [
        ("JSONL, gzip", "prompt-completion"),
        ("CSV", "alpaca"),
    ]
    assert "1 row of alpaca (CSV)" in door("audit", "sets").out


@pytest.mark.parametrize("after", [0.6, 1.0, 1.4, 1.9])
def test_a_kill_leaves_no_half_written_file_and_the_same_command_finishes(tmp_path: Path, after: float) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(
        "".join(pair(f"What is the name of boat {n} in the harbor?", f"Boat {n}.") + "\n" for n in range(20_000))
    )
    out = tmp_path / "out"
    command = [sys.executable, "-m", "holdfast", "audit", str(data), "--encoder", "ngrams", "--out", str(out)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": {**os.environ, "OMP_NUM_THREADS": "1"}}
    killed = subprocess.Popen(command, **quiet)  # type: ignore[call-overload]
    time.sleep(after)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    for name in ("kept.jsonl", "quarantine.jsonl", "kept_ids.txt", "audit.json"):
        if (out / name).exists():
            assert (out / name).read_text().endswith("\n"), name
    assert subprocess.run(command, check=False, **quiet).returncode == 0  # type: ignore[call-overload]
    assert len((out / "kept.jsonl").read_text().splitlines()) == 20_000
    assert not [path for path in out.iterdir() if path.name.startswith(".")], "what the kill left is swept"


def test_a_full_disk_is_told_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(pair(f"What is the name of boat {n}?", "Boat. " * 40) + "\n" for n in range(2_000)))
    limited = (
        "import resource, sys; from holdfast.__main__ import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000));"
        f"main(['audit', {str(data)!r}, '--encoder', 'ngrams', '--out', {str(tmp_path / 'out')!r}])"
    )
    ran = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True, check=False)
    assert ran.returncode == 2, ran.stderr
    assert "kept.jsonl' cannot be written" in ran.stderr
    assert "Make room" in ran.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["asked.json"]
