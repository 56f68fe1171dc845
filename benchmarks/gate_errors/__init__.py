"""How often the gate errs: simulated comparisons whose true worsening is exactly the margin.

    uv run python -m benchmarks.gate_errors --out DIR                  # 10,000 data sets a cell, resumable
    uv run python -m benchmarks.gate_errors --out DIR --page docs/results/gate-errors.md

A cell is one way the answers may come about and be judged (`cells`). Of each the answers are drawn (`worlds`), the
decision code of `holdfast.stats` runs on them (`deciding`), the other intervals that a report prints are held against
the truth (`covering`), some data sets also go through the whole of `holdfast.compare` (`through`), and what went wrong
is counted (`tally`).
"""
