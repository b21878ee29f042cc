#!/usr/bin/env bash
# Runs the fuzz targets of tests/fuzz, each from its corpus on, with the address and undefined-behaviour sanitizers.
#
#   tools/fuzz.sh [--seconds N] [TARGET...]    (default 30, all of them)
#
# As many at a time as there are processors, N seconds for each. Prints a line for each target. A finding is printed with its input in
# Base64; put that into tests/fuzz/corpus/TARGET with the correction, so that every run of the tests tries it. Ends with 0 when there was none.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

seconds=30
case "${1-}" in
  --seconds)
    [[ ${2-} =~ ^[1-9][0-9]*$ ]] || {
      echo "tools/fuzz.sh: --seconds \"${2-}\": expected a number of seconds" >&2
      exit 2
    }
    seconds=$2
    shift 2
    ;;
  --help | -h)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | grep -v '^set'
    exit 0
    ;;
esac
for word in "$@"; do
  [[ $word != -* ]] || {
    echo "tools/fuzz.sh: \"$word\" is not an option here; see tools/fuzz.sh --help" >&2
    exit 2
  }
done
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for corpus in tests/fuzz/corpus/*/; do targets+=("$(basename "$corpus")"); done
fi

# shellcheck source=tools/bazel_options.sh
. tools/bazel_options.sh
labels=("${targets[@]/#///tests/fuzz:}")
bazel build --config=asan "${bazel_options[@]}" "${labels[@]/%/_fuzzer}" || exit 1
fuzzers=$(bazel info --config=asan --noshow_progress bazel-bin 2>/dev/null)/tests/fuzz

work=$(mktemp -d)
fuzzing=
stop() {
  # A group of its own: the fuzzers go with it.
  [ -z "$fuzzing" ] || kill -- "-$fuzzing" 2>/dev/null
  wait
  # Those are no children of this script.
  [ -z "$fuzzing" ] || for _ in {1..50}; do kill -0 -- "-$fuzzing" 2>/dev/null && sleep 0.1 || break; done
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

# one TARGET: runs it in a folder of its own, which is where it puts what it finds.
one() {
  local target=$1 corpus="$PWD/tests/fuzz/corpus/$1" folder="$work/$1"
  mkdir -p "$folder/new"
  if (cd "$folder" && TMPDIR=$folder exec "$fuzzers/${target}_fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 new "$corpus") >"$folder/log" 2>&1; then
    printf 'no finding  %s: %s inputs\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/log")"
  else
    printf 'FINDING     %s\n' "$target"
    tail -n 60 "$folder/log"
    # The input, which is gone with the folder; libFuzzer prints short ones alone.
    for found in "$folder"/{crash,leak,oom,timeout}-*; do
      [ ! -f "$found" ] || printf 'input in Base64 (%s): %s\n' "${found##*/}" "$(base64 --wrap=0 "$found")"
    done
    return 1
  fi
}
export -f one
export work fuzzers seconds
# Of what runs in the background a signal is heard at once.
setsid xargs -P "$(nproc)" -I{} bash -c 'one {}' < <(printf '%s\n' "${targets[@]}") &
fuzzing=$!
wait "$fuzzing"
status=$?
fuzzing=
exit "$status"
