# The same five commands for people and for CI.

# Everything a clone needs, torch included (about 5 GB)
install:
    uv sync

# Mend what can be mended without thinking
fix:
    uv run ruff check --fix
    uv run ruff format

# Lint and types
check:
    uv run ruff check
    uv run ruff format --check
    uv run mypy

# The everyday tests; `just test -m slow` for the full rebuilds
test *args:
    uv run pytest {{args}}

# The README's and docs' commands, run
docs:
    uv run pytest tests/test_docs.py
