#!/usr/bin/env bash
# Runs `holdfast check` or `holdfast compare`. Each input is one word, or one word a line; none is read as shell, none
# can be taken for an option of another name, and the outputs are words and paths of our own.
set -uo pipefail

say() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

# The verdict and the exit code that the action ends with; the step itself ends well, so that what was found is kept.
end() {
  say verdict "$1"
  say code "$2"
  exit 0
}

stop() {
  printf '::error title=Holdfast::%s\n' "$1"
  printf 'Holdfast: nothing was decided. %s\n' "$1" >>"$GITHUB_STEP_SUMMARY"
  end error "${2:-2}"
}

# Adds a word for each line that is not empty, after a beginning such as `--suite=`.
add() {
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    line="${line#"${line%%[![:space:]]*}"}"
    line="${line%"${line##*[![:space:]]}"}"
    [ -z "$line" ] || words+=("$1$line")
  done <<<"$2"
}

case $IN_UNDECIDED in
  fail | pass) ;;
  *) stop "The input 'undecided' is fail or pass." ;;
esac
if [ -n "$IN_BASE" ] && [ -n "$IN_TUNED" ] && [ -z "$IN_BEFORE$IN_AFTER" ]; then
  verb=check sides=("$IN_BASE" "$IN_TUNED")
elif [ -n "$IN_BEFORE" ] && [ -n "$IN_AFTER" ] && [ -z "$IN_BASE$IN_TUNED" ]; then
  verb=compare sides=("$IN_BEFORE" "$IN_AFTER")
  [ -z "$IN_SUITES$IN_SAMPLES" ] || stop "'suites' and 'samples' go with 'base' and 'tuned': measurements are made."
else
  stop "Give 'base' and 'tuned', or 'before' and 'after'."
fi
cd -- "$IN_WORKING_DIRECTORY" || stop "There is no such 'working-directory'."

folder="$(mktemp -d "$RUNNER_TEMP/holdfast.XXXXXX")" || stop "RUNNER_TEMP cannot be written."
kept="$RUNNER_TEMP/holdfast-base"
words=("${IN_BIN:+$IN_BIN/}holdfast" "$verb")
add "" "$IN_ARGUMENTS" # before all others, which then have the last word
add --suite= "$IN_SUITES"
add --margin= "$IN_MARGINS"
add --calibration= "$IN_CALIBRATION"
add --samples= "$IN_SAMPLES"
add --seed= "$IN_SEED"
words+=("--junit=$folder/junit.xml" "--summary=$GITHUB_STEP_SUMMARY")
case $verb in
  check) words+=("--out=$folder/run") ;;
  compare) words+=("--report=$folder/report.html") ;;
esac
[ -z "$IN_KEY" ] || words+=("--keep-base=$kept")

# What is printed may hold foreign text, and none of it is a command to the runner.
token="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
printf '::stop-commands::%s\n' "$token"
"${words[@]}" -- "${sides[@]}"
code=$?
printf '::%s::\n' "$token"

[ "$verb" = compare ] || cp "$folder/run/report.html" "$folder/report.html" 2>/dev/null
# Which measurements there are is the last part of the cache's name: another base, and another name.
if [ -n "$IN_KEY" ] && [ -n "$(ls -A "$kept" 2>/dev/null)" ]; then
  say key "$IN_KEY-$(ls "$kept" | { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-16)"
fi
if [ ! -f "$folder/junit.xml" ]; then # a command that only prints its help exits with 0 and decides nothing
  case $code in 0 | 1 | 3) code=2 ;; esac
  stop "It ended before there was a verdict; the log says why." "$code"
fi
say report "$folder/report.html"
say junit "$folder/junit.xml"
case $code in
  0) end pass 0 ;;
  1) end fail 1 ;;
  3) if [ "$IN_UNDECIDED" = pass ]; then end undecided 0; else end undecided 3; fi ;;
  *) end error "$code" ;;
esac
