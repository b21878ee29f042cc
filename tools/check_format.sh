#!/usr/bin/env bash
# Checks that every C++ file is as clang-format writes it. With --fix, writes it so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=(--dry-run -Werror)
[ "${1-}" != --fix ] || mode=(-i)
git ls-files -z --cached --others --exclude-standard -- '*.cc' '*.h' ':!third_party' |
  xargs -0 -r clang-format-14 "${mode[@]}"
