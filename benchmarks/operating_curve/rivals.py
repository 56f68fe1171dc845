"""Four other packages on the samples that our gate saw. Needs their environment and nothing of ours; JSON in and out.

    uv venv RIVALS
    uv pip install --python RIVALS/bin/python statgate==0.1.1 truescore==0.7.4 evalproof==0.2.1 modeldiffr==0.9.3
    RIVALS/bin/python benchmarks/operating_curve/rivals.py --home ~/.cache/holdfast/operating-curve

For each sample it writes two things: what the package's own gate says with the margin where it takes one, and its 95 %
interval of the worsening, for those that print one and hold it against no margin. Every setting is the package's
default unless named below. A case is a prompt; of facts in two wordings a case is the fact, since that is the most that
each package can be told of clusters. What was computed is kept, so a run that was stopped goes on.
"""

import argparse
import importlib
import json
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

SORTS = {
    "prompts": (((1, 1),), ((0, 1),), ((1, 0),), ((0, 0),)),
    "facts": (((0, 1), (0, 1)), ((0, 1), (0, 0)), ((0, 1), (1, 0)), ((0, 0), (0, 0)), ((1, 0), (0, 0)),
              ((1, 0), (1, 0))),
}  # fmt: skip
"""As `draws.KINDS`: for each count of a sample the (before, after) of a case's prompts; 1 breaks the policy."""
SEED = 42
Case = tuple[tuple[int, int], ...]
Told = tuple[str, float, float]
"""Pass, undecided or fail by its own gate; its interval of the worsening."""


def statgate(cases: list[Case], margin: float) -> Told:
    """`statgate compare --margin M --metric pass_rate`: SHIP, INCONCLUSIVE, BLOCK. It averages a case's runs itself.

    Fewer permutations than its default: they make a p-value that its verdict does not use.
    """
    from statgate import GateSettings, evaluate_gate
    from statgate.records import EvalRecord

    def side(which: int) -> list[Any]:
        return [
            EvalRecord(case_id=f"c{n:05d}", passed=not prompt[which], run_index=run)
            for n, case in enumerate(cases)
            for run, prompt in enumerate(case)
        ]

    settings = GateSettings(margin=margin, metric="pass_rate", seed=SEED, permutations=100)
    found = evaluate_gate(side(0), side(1), settings)
    said = {"SHIP": "pass", "INCONCLUSIVE": "undecided", "BLOCK": "fail"}[str(found.verdict)]
    return said, -found.interval.high, -found.interval.low


def truescore(cases: list[Case], margin: float) -> Told:
    """`truescore compare --judge-a BEFORE --judge-b AFTER` without human labels, as the judge here makes no error; for
    facts with `--cluster-column`. It takes no margin: exit 0 is "no finding"; a finding for the worse is a fail.
    """
    import numpy as np
    from truescore.compare import mcnemar, paired_bootstrap

    kept = np.array([[1 - bad for bad in prompt] for case in cases for prompt in case])
    if len(cases[0]) == 1:
        found = mcnemar(kept[:, 0], kept[:, 1])
    else:
        found = paired_bootstrap(kept[:, 0], kept[:, 1], clusters=np.repeat(np.arange(len(cases)), len(cases[0])))
    return ("fail" if found.significant and found.difference > 0 else "pass"), found.low, found.high


def evalproof(cases: list[Case], margin: float) -> Told:
    """`evalproof compare --gate` with `max_drop` at the margin. Its warning of a drop beyond the margin that is not
    significant, for which it exits 0, counts as undecided here; a fact is a continuous score.
    """
    from evalproof import GateConfig, compare_runs, decide

    runs = [_evalproof_run([[1 - prompt[which] for prompt in case] for case in cases]) for which in (0, 1)]
    compared = compare_runs(*runs)
    found, metric = decide(compared, GateConfig(metric="policy", max_drop=margin)), compared.metrics["policy"]
    passed = "undecided" if metric.delta <= -margin else "pass"
    return ("fail" if found.exit_code else passed), -metric.ci_high, -metric.ci_low


def _evalproof_run(kept: list[list[int]]) -> Any:
    from evalproof.models import CaseResult, Run, RunInfo, Score, SystemOutput

    output = SystemOutput(output="")
    binary = len(kept[0]) == 1
    results = [
        CaseResult(
            case_id=f"c{n:05d}",
            output=output,
            scores={"policy": Score(value=sum(each) / len(each), passed=bool(each[0]) if binary else None)},
        )
        for n, each in enumerate(kept)
    ]
    info = RunInfo(
        suite="policy", system="harbor", dataset_path="-", dataset_hash="-", started_at="-", finished_at="-",
        wall_time_s=0, evalproof_version=version("evalproof"), seed=0,
    )  # fmt: skip
    return Run(info=info, results=results)


def modeldiffr(cases: list[Case], margin: float) -> Told:
    """What `modeldiffr audit --fail-on-change` makes of a compliance metric, its `min_effect` at the margin: exit 1
    when the change is significant and not smaller than that; a change for the better is a pass here.
    """
    from modeldiffr.metrics import MetricSpec, compute_metrics, verdict

    spec = MetricSpec("policy_compliance_rate", "", "policy", higher_is_better=False, min_effect=margin)
    sides = [[{"score": sum(p[which] for p in case) / len(case)} for case in cases] for which in (0, 1)]
    items = {"policy": {"base": sides[0], "derivative": sides[1]}}
    found = compute_metrics(items, [spec.to_dict()], seed=0, n_resamples=2000)
    changed = verdict(found)["any_change"] and found[0]["delta"] > 0
    return ("fail" if changed else "pass"), found[0]["ci_low"], found[0]["ci_high"]


Gate = Callable[[list[Case], float], Told]
GATES: tuple[Gate, ...] = (statgate, truescore, evalproof, modeldiffr)


def cases_of(counts: Sequence[int], kind: str) -> list[Case]:
    """A sample with these counts."""
    return [case for case, count in zip(SORTS[kind], counts, strict=True) for _ in range(count)]


def seen(counts: list[int], kind: str) -> tuple[int, ...]:
    """A sample as these packages see it, by the differences of its cases: what did not change is all one to them."""
    if kind == "prompts":
        both, worse, better, neither = counts
        return 0, worse, better, both + neither
    twice, worse, against, neither, better, twice_better = counts
    return twice, worse, 0, against + neither, better, twice_better


def name(counts: Sequence[int]) -> str:
    """A sample's name in the files."""
    return " ".join(map(str, counts))


def missing(samples: dict[str, Any], done: dict[str, Any]) -> Iterator[tuple[int, ...]]:
    """The samples that a gate has not seen, each once."""
    every = dict.fromkeys(seen(counts, samples["kind"]) for counts in samples["keys"])
    return (counts for counts in every if name(counts) not in done)


def judge(gate: Gate, release: str, folder: Path) -> int:
    """Put a design's samples to one gate, keeping what is done now and then; how many it had not seen.

    Its file says which release, margin and sort of case; what another of them said is not taken over.
    """
    samples, path = json.loads((folder / "keys.json").read_text()), folder / f"{gate.__name__}.json"
    margin, kind = samples["margin"], samples["kind"]
    asked = {"gate": gate.__name__, "version": release, "margin": margin, "kind": kind}
    kept = json.loads(path.read_text()) if path.exists() else {}
    done = kept["told"] if kept.get("asked") == asked else {}
    wanted, saved = list(missing(samples, done)), monotonic()
    try:
        for counts in wanted:
            done[name(counts)] = gate(cases_of(counts, kind), margin)
            if monotonic() - saved > 20:
                _write(path, {"asked": asked, "told": done})
                saved = monotonic()
    finally:
        _write(path, {"asked": asked, "told": done})
    return len(wanted)


def _write(path: Path, value: dict[str, Any]) -> None:
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(value))
    beside.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Path.home() / ".cache/holdfast/operating-curve")
    given = parser.parse_args()
    for folder in sorted(path.parent for path in given.home.glob("samples/*/keys.json")):
        for gate in GATES:
            try:
                importlib.import_module(gate.__name__)
            except ImportError as error:
                print(f"{gate.__name__} cannot be run: {error}", flush=True)
                continue
            started, release = monotonic(), version(gate.__name__)
            count = judge(gate, release, folder)
            print(
                f"{folder.name}: {gate.__name__} {release}, {count} samples, {monotonic() - started:.0f} s", flush=True
            )


if __name__ == "__main__":
    main()
