#!/usr/bin/env bash
# Runs the long forms of the tests that have a short one, for findings that need hours or luck.
#
#   tools/soak.sh [--minutes N]     (default 60)
#
# Two things at once. Beside everything else, for N minutes:
#   load      200 requests a second by TFTP and HTTP, one third of them broken ones, to a real agent whose server comes and goes; memory and
#             descriptors must stay flat                                   tests/load/load_test.py, AUTOPXE_TEST_LOAD_SECONDS
# In turn:
#   memory    the whole suite, all rounds of it, under the address and undefined-behaviour sanitizers
#                                                                        --config=asan, AUTOPXE_TEST_ALL_ROUNDS
#   fuzz      each fuzz target for a tenth of the N minutes                tools/fuzz.sh
#   threads   what runs on several threads, under the thread sanitizer     --config=tsan, tests tagged concurrent
#   crash     a thousand rounds of kill -9 of the store under 64 concurrent assigns    //server/store:crash_test, AUTOPXE_ROUNDS
#   kill      two hundred rounds of kill -9 of the server itself           //tests/crash:kill_test, AUTOPXE_ROUNDS
#   power     a thousand rounds in which writes that were not synced are lost          //server/store:power_loss_test, AUTOPXE_ROUNDS
#   resets    100,000 clients that reset in the middle of a file           //agent/http:server_limits_test, AUTOPXE_TEST_HTTP_RESETS
#   network   larger files over wires of every mixture of loss, delay, repetition and swapping, with a seed that no run had before
#                                                                        //tests/network:network_test, AUTOPXE_TEST_NETWORK_LONG
#   mixed     ten times the mixed, malformed and abandoned requests, with a seed that no run had before
#                                                                        //tests/load:mixed_test, AUTOPXE_TEST_MIXED_SEED
#   model     random commands, restarts and outages against the model, with seeds that no run had before, until the
#             N minutes are over              //tests/model:model_test, AUTOPXE_TEST_MODEL_FIRST_SEED, AUTOPXE_TEST_MODEL_SEEDS
# When the load has ended, with nothing beside it:
#   storm     ten rounds of 4,000 transfers that vanish                    //tests/network:storm_test, AUTOPXE_TEST_STORM_ROUNDS
#
# All of these but model take what they take, also when N minutes are over before they end. Everything runs on the loopback and in folders of its own,
# which are gone afterwards. A finding is printed when its part has ended, that of load at the end; the last lines are a summary. Ends with 0 when there was none.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

minutes=60
case "${1-}" in
  "") ;;
  --minutes)
    [[ ${2-} =~ ^[1-9][0-9]*$ ]] || {
      echo "tools/soak.sh: --minutes \"${2-}\": expected a number of minutes" >&2
      exit 2
    }
    minutes=$2
    ;;
  --help | -h)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | grep -v '^set'
    exit 0
    ;;
  *)
    echo "tools/soak.sh: \"$1\" is not an option; see tools/soak.sh --help" >&2
    exit 2
    ;;
esac

# shellcheck source=tools/bazel_options.sh
. tools/bazel_options.sh

programs=(//server:autopxe-server //agent:autopxe-agent //ctl:autopxectl)
bazel build "${bazel_options[@]}" "${programs[@]}" || exit 1

work=$(mktemp -d)
load=
stop() {
  # A group of its own: the programs that it has started go with it.
  [ -z "$load" ] || kill -- "-$load" 2>/dev/null
  wait
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

begin=$SECONDS
end=$((SECONDS + minutes * 60))
findings=0
summary=()

# part NAME DETAIL STATUS LOG: notes what came of a part, and shows its log if that is a finding.
part() {
  if [ "$3" -eq 0 ]; then
    summary+=("no finding  $1: $2")
  else
    findings=$((findings + 1))
    summary+=("FINDING     $1: $2")
    printf '\n== FINDING in %s: %s\n' "$1" "$2"
    tail -n 200 "$4"
  fi
}

# run NAME DETAIL TARGET VARIABLE=VALUE...: runs a test in its long form.
run() {
  local name=$1 detail=$2 target=$3 log="$work/$1.log" options=()
  shift 3
  printf '== %s: %s\n' "$name" "$detail"
  for variable in "$@"; do options+=("--test_env=$variable"); done
  bazel test "${bazel_options[@]}" --cache_test_results=no --test_timeout=86400 --test_output=errors "${options[@]}" "$target" >"$log" 2>&1
  part "$name" "$detail" $? "$log"
}

load_seed=$RANDOM
printf '== load: %s minutes, seed %s\n' "$minutes" "$load_seed"
TMPDIR=$work AUTOPXE_TEST_LOAD_SECONDS=$((minutes * 60)) AUTOPXE_TEST_LOAD_SEED=$load_seed \
  setsid /usr/bin/python3 -B tests/load/load_test.py \
  bazel-bin/server/autopxe-server bazel-bin/agent/autopxe-agent bazel-bin/ctl/autopxectl >"$work/load.log" 2>&1 &
load=$!

printf '== memory\n'
bazel test --config=asan "${bazel_options[@]}" --cache_test_results=no --test_timeout=1800 --build_tests_only --test_env=AUTOPXE_TEST_ALL_ROUNDS=1 \
  --test_tag_filters=-firmware,-tsan,-unsanitized --test_output=errors //... >"$work/memory.log" 2>&1
part memory "the whole suite under asan and ubsan" $? "$work/memory.log"
printf '== fuzz\n'
tools/fuzz.sh --seconds $((minutes * 6)) >"$work/fuzz.log" 2>&1
part fuzz "each target for $((minutes * 6)) s" $? "$work/fuzz.log"
printf '== threads\n'
bazel test --config=tsan "${bazel_options[@]}" --cache_test_results=no --test_timeout=1800 --build_tests_only --test_output=errors \
  --test_tag_filters=concurrent,tsan,-firmware //... >"$work/threads.log" 2>&1
part threads "concurrent tests under the thread sanitizer" $? "$work/threads.log"
run crash "1,000 rounds of kill -9 in the store" //server/store:crash_test AUTOPXE_ROUNDS=1000
run kill "200 rounds of kill -9 of the server" //tests/crash:kill_test AUTOPXE_ROUNDS=200
run power "1,000 rounds of lost writes" //server/store:power_loss_test AUTOPXE_ROUNDS=1000
run resets "100,000 resets in the middle of a file" //agent/http:server_limits_test AUTOPXE_TEST_HTTP_RESETS=100000
network_seed=$RANDOM
run network "wires of every mixture, seed $network_seed" //tests/network:network_test AUTOPXE_TEST_NETWORK_LONG=1 \
  AUTOPXE_TEST_NETWORK_SEED="$network_seed"
mixed_seed=$RANDOM
run mixed "requests of every kind, seed $mixed_seed" //tests/load:mixed_test AUTOPXE_TEST_ALL_ROUNDS=1 AUTOPXE_TEST_MIXED_SEED="$mixed_seed"
# Seeds that no run had before: by the time of day, far above those of the tests.
seed=$(($(date +%s) * 1000))
runs=0
while true; do
  printf '== model: seeds from %s\n' "$seed"
  bazel test "${bazel_options[@]}" --cache_test_results=no --test_output=errors --test_env=AUTOPXE_TEST_MODEL_FIRST_SEED="$seed" \
    --test_env=AUTOPXE_TEST_MODEL_SEEDS=1000 //tests/model:model_test >"$work/model.log" 2>&1
  status=$?
  seed=$((seed + 1000))
  runs=$((runs + 1000))
  [ "$status" -eq 0 ] && [ "$SECONDS" -lt "$end" ] || break
done
part model "$runs runs" "$status" "$work/model.log"

wait "$load"
status=$?
load=
part load "seed $load_seed: $(grep -ao '[0-9]* requests in .*' "$work/load.log" | tail -n 1)" "$status" "$work/load.log"
# It measures memory and times: with nothing beside it.
run storm "10 rounds of 4,000 transfers that vanish" //tests/network:storm_test AUTOPXE_TEST_STORM_ROUNDS=10

printf '\n== summary after %s minutes\n' $(((SECONDS - begin) / 60))
printf '%s\n' "${summary[@]}"
[ "$findings" -eq 0 ]
