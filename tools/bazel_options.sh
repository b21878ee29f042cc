# shellcheck shell=bash
# Sourced by what runs many tests: options that make the most of the machine.

# shellcheck disable=SC2034  (used by who sources this)
bazel_options=(--noshow_progress --keep_going)
# In memory, where there is enough of it, a sync costs nothing. That data is synced where it must be is shown on a simulated disk.
if [ "$(df --output=avail -BG /dev/shm 2>/dev/null | tail -n 1 | tr -dc '0-9')" -ge 6 ] 2>/dev/null; then
  bazel_options+=(--sandbox_base=/dev/shm)
fi
