#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test, those with real firmware included.
#
#   tools/test.sh            all of it
#   tools/test.sh --quick    the tests alone: no firmware, no second compiler, no sanitizers, no fuzzing
#
# Says how long each step took; the last line is "N passed, N failed", with ", N skipped" behind it when something was
# skipped, counted over all test cases. Ends with 0 only if nothing failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

quick=false
case "${1-}" in
  "") ;;
  --quick) quick=true ;;
  --help | -h) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | grep -v '^set' && exit 0 ;;
  *)
    echo "tools/test.sh: \"$1\" is not an option; see tools/test.sh --help" >&2
    exit 2
    ;;
esac

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
timings=()

# step NAME COMMAND...: runs it, keeps its time, passes its exit status on.
step() {
  local name=$1 begin=$SECONDS status
  shift
  printf '\n== %s\n' "$name"
  "$@"
  status=$?
  timings+=("$(printf '%5d s  %s' $((SECONDS - begin)) "$name")")
  return "$status"
}

# check NAME COMMAND...: a step that counts as one test case.
check() {
  if step "$@"; then echo passed >>"$results/checks"; else
    echo failed >>"$results/checks"
    echo "FAILED: $1"
  fi
}

# shellcheck source=tools/bazel_options.sh
. tools/bazel_options.sh
# Many tests wait for a clock or a peer: a third one beside two cores' worth keeps the cores busy.
bazel_options+=(--local_cpu_resources=HOST_CPUS*1.5)

# bazel_test NAME OPTIONS...: runs tests; tools/test_report.py reads what became of each case from the events. A test with firmware that fails is run once
# more, and named as flaky: an emulated machine starves where others use the cores.
bazel_test() {
  local name=$1
  shift
  # Left empty, it tells the report that the run did not even begin.
  : >"$results/${name// /_}.events.json"
  step "$name" bazel test "${bazel_options[@]}" --build_event_json_file="$results/${name// /_}.events.json" "$@"
}

# Builds the programs, and what they are made of, as they are built for use.
programs() {
  local code
  code=$(bazel query --noshow_progress 'kind("cc_(library|binary)", //...) except attr(testonly, 1, //...)') || return
  # shellcheck disable=SC2086  (a target a word)
  bazel build "${bazel_options[@]}" $code
}

check "install packages" tools/setup.sh
check "format" tools/check_format.sh

if $quick; then
  bazel_test "tests" --test_tag_filters=-firmware,-tsan //...
else
  check "build" programs
  # The programs as they are built for use: with real firmware, with real peers, killed, cut off.
  bazel_test "end to end" --build_tests_only --test_tag_filters=-tsan --flaky_test_attempts=//tests/vm/.*@2 -- //tests/... -//tests/model/...
  # Everything else, and what of the same sends the programs what nobody should, with clang: its analysis of the locks makes errors, and each test runs
  # sanitized. The rest of the same under these, and what is concurrent under the thread sanitizer: tools/soak.sh.
  bazel_test "all under asan and ubsan" --config=asan \
    --test_tag_filters=-firmware,-tsan,-unsanitized,-sanitized-in-soak //...
  # With what was just built: some three minutes.
  check "fuzz" tools/fuzz.sh --seconds 30
fi

printf '\n== time\n'
printf '%s\n' "${timings[@]}"
echo
tools/test_report.py "$results"
