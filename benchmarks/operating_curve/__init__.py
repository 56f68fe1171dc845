"""The operating curve: how often a gate passes, fails or leaves open a fine-tune whose true change is known.

    uv run python -m benchmarks.operating_curve.populate            # tunes models, asks each everything (resumable)
    uv run python -m benchmarks.operating_curve.gates               # draws samples, runs our gate on them
    uv venv RIVALS && uv pip install --python RIVALS/bin/python statgate truescore evalproof modeldiffr
    RIVALS/bin/python benchmarks/operating_curve/rivals.py          # the other gates, on the same samples
    uv run python -m benchmarks.operating_curve.page                # the table and the figure, into docs/results/

All of them read and write one folder, `--home`, by default `operating-curve` in Holdfast's cache.
"""
