#!/usr/bin/env bash
# Names the cache by what the base is asked. What is in it is found by a digest of the weights, the prompts, the judge and
# all else that made it, so a name that two bases share costs room and never a wrong figure.
set -euo pipefail

asked="$(printf '%s\0' "$IN_BASE" "$IN_SUITES" "$IN_SAMPLES" "$IN_SEED" "$IN_ARGUMENTS" "$IN_WORKING_DIRECTORY" |
  { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-32)"
printf 'key=holdfast-base-%s-%s-%s\n' "${RUNNER_OS:-}" "${RUNNER_ARCH:-}" "$asked" >>"$GITHUB_OUTPUT"
