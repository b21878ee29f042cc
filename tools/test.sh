#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test, those with real firmware included.
#
#   tools/test.sh            all of it
#   tools/test.sh --quick    the tests alone: no firmware, no second compiler, no sanitizers
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

# bazel_test NAME OPTIONS...: runs tests; tools/test_report.py reads what became of each case from the events. A test that fails is run once more: the report
# names it as flaky, since on a machine that others use a process may starve.
bazel_test() {
  local name=$1
  shift
  # Left empty, it tells the report that the run did not even begin.
  : >"$results/${name// /_}.events.json"
  step "$name" bazel test --keep_going --noshow_progress --flaky_test_attempts=2 \
    --build_event_json_file="$results/${name// /_}.events.json" "$@"
}

# Compiles everything but tests with clang, whose thread-safety analysis makes errors.
thread_safety() {
  local code
  code=$(bazel query --noshow_progress 'kind("cc_(library|binary)", //...) except attr(testonly, 1, //...)') || return
  # shellcheck disable=SC2086  (a target a word)
  bazel build --config=clang --noshow_progress --keep_going --output_groups=compilation_outputs $code
}

check "install packages" tools/setup.sh
check "format" tools/check_format.sh

check "build" bazel build --noshow_progress --keep_going //...

if $quick; then
  bazel_test "tests" --test_tag_filters=-firmware,-tsan //...
else
  bazel_test "tests" --test_tag_filters=-tsan //...
  # Compiled, not linked: the analysis is the compiler's. Without the tests, whose locks are their own.
  check "thread safety (clang)" thread_safety
  # What takes bytes from outside apart, and what answers hosts. The whole suite under each sanitizer takes longer than all this:
  # tools/soak.sh.
  bazel_test "what answers hosts under asan and ubsan" --config=asan --build_tests_only --test_tag_filters=-firmware,-tsan,-unsanitized \
    //agent/... //boot/... //common/...
fi

printf '\n== time\n'
printf '%s\n' "${timings[@]}"
echo
tools/test_report.py "$results"
