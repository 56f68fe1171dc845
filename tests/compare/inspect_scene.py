"""Logs as Inspect writes them, made by hand; and those that it wrote itself (`make_logs.py`)."""

import json
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from holdfast.compare.chosen import Chosen

LOGS = Path(__file__).parent / "logs"
LOW = Chosen("low")
TOWNS = ("Anholt", "Skagen by the sea", "Calais", "The old pier of Dover")


def sample(id: Any, value: Any = "C", epoch: int = 1, scorer: str = "match", **more: Any) -> dict[str, Any]:
    town = TOWNS[int(id) % len(TOWNS)] if str(id).isdigit() else str(id)
    said = {"choices": [{"message": {"content": "Norway."}, "stop_reason": "stop"}], "completion": f"Norway {value}."}
    made = {"id": id, "epoch": epoch, "input": f"{town}: where? {id}", "target": "Norway", "output": said}
    return {**made, "scores": {scorer: {"value": value}}, **more}


def log(samples: list[dict[str, Any]], epochs: int = 1, **spec: Any) -> dict[str, Any]:
    ids = list(dict.fromkeys(each["id"] for each in samples))
    told = {
        "task": "lamps",
        "task_version": 1,
        "dataset": {"name": "lamps", "sample_ids": ids},
        "model": "base",
        "config": {"epochs": epochs},
        "packages": {"inspect_ai": "0.3.285"},
        "scorers": [{"name": "match", "options": {}}],
    }
    plan = {"steps": [{"solver": "generate", "params": {}}], "config": {"temperature": 0.0}}
    return {"version": 2, "status": "success", "eval": {**told, **spec}, "plan": plan, "samples": samples}


def as_json(path: Path, made: Any) -> Path:
    path.write_text(json.dumps(made))
    return path


def as_eval(path: Path, made: dict[str, Any], method: int = ZIP_DEFLATED) -> Path:
    with ZipFile(path, "w", method) as packed:
        for each in made["samples"]:
            packed.writestr(f"samples/{each['id']}_epoch_{each['epoch']}.json", json.dumps(each))
        packed.writestr("header.json", json.dumps({**made, "samples": None}))
    return path
