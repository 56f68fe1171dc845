#!/usr/bin/env bash
# Installs Holdfast into an environment of its own: the job's Python, and its PATH, stay as they are.
set -euo pipefail

stop() {
  printf '::error title=Holdfast::%s\n' "$1"
  exit 2
}

# What the models need, where nothing is said: weights are read by `tune`, servers asked by `endpoint`.
needed() {
  local extras="" model
  for model in "$IN_BASE" "$IN_TUNED"; do
    case $model in
      "") ;;
      endpoint:*) extras="$extras,endpoint" ;;
      *) extras="$extras,tune" ;;
    esac
  done
  printf '%s' "${extras#,}"
}

extras="${IN_EXTRAS:-$(needed)}"
case $extras in
  *[!a-z,-]*) stop "The input 'extras' is a list such as tune,endpoint." ;;
esac
[ -z "$IN_INSTALL" ] || [ -z "$IN_EXTRAS" ] || stop "With 'install', extras stand in it: holdfast[tune]==VERSION."

python="$(command -v python3 || command -v python)" || stop "There is no Python; give the input 'python-version'."
"$python" -m venv "$RUNNER_TEMP/holdfast-venv"
bin="$RUNNER_TEMP/holdfast-venv/bin"
"$bin/python" -m pip install --quiet --disable-pip-version-check -- \
  "${IN_INSTALL:-$GITHUB_ACTION_PATH${extras:+[$extras]}}"
printf 'bin=%s\n' "$bin" >>"$GITHUB_OUTPUT"
