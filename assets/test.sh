#!/usr/bin/env bash
# Checks everything: format, lints and all tests, on real guests that it builds first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

guests=(small demo gpt-bios gpt-uefi boot xfs lvm btrfs runtimes)

# step COMMAND...
step() {
    local start=$SECONDS
    printf '== %s\n' "$*" >&2
    "$@"
    printf '== %d s, %d s in all\n' $((SECONDS - start)) $SECONDS >&2
}

# stamped COMMAND...: what it prints, each line with the seconds since the start; the tests' own lines have no times.
stamped() {
    local line
    "$@" 2>&1 | while IFS= read -r line; do printf '%5d %s\n' $SECONDS "$line"; done
}

step bash assets/setup.sh
step bash assets/guest.sh "${guests[@]}"
step cargo fmt --check
step cargo clippy --all-targets --locked -- -D warnings
step stamped cargo test --locked
