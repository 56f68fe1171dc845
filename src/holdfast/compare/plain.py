"""A comparison as plain JSON values: what `compare --json` prints and a report reads. No rows, no texts."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from holdfast.compare.results import Comparison, MetricChange, Side


def to_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison without its rows; numbers that are missing are null, shares are not rounded."""
    return {
        "verdict": comparison.verdict,
        "qualified": comparison.qualified,
        "sentence": comparison.sentence,
        "before": _side(comparison.before),
        "after": _side(comparison.after),
        "tuned": [_side(side) for side in comparison.tuned],
        "same_model": comparison.same_model,
        "seeds": comparison.seeds,
        "notes": list(comparison.notes),
        "calibration": comparison.calibration.to_json() if comparison.calibration else None,
        "metrics": {name: _change(change) for name, change in comparison.metrics.items()},
    }


def _side(side: Side) -> dict[str, str]:
    return {"name": side.name, "weights": side.weights, "template": side.template, "rows": digest_of(side)}


def digest_of(side: Side) -> str:
    """sha256 of what was tested on one side: every metric's settings and rows, whatever their order."""
    rows = {
        name: sorted((row.prompt_id, row.sample, row.value, row.cluster) for row in metric.rows)
        for name, metric in side.metrics.items()
    }
    each = {name: [dict(side.metrics[name].settings), found] for name, found in rows.items()}
    return hashlib.sha256(json.dumps(each, sort_keys=True).encode()).hexdigest()


def _change(change: MetricChange) -> dict[str, Any]:
    fields = asdict(change)
    del fields["name"]
    intervals = ("before_interval", "after_interval")
    fields |= {key: _list(fields[key]) for key in intervals}
    fields["any_of_k"] = {str(k): list(pair) for k, pair in change.any_of_k.items()}
    fields["groups"] = [{**group, **{key: _list(group[key]) for key in intervals}} for group in fields["groups"]]
    return fields


def _list(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else list(interval)
