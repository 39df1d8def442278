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
    printf '== %d s\n' $((SECONDS - start)) >&2
}

step bash assets/setup.sh
step bash assets/guest.sh "${guests[@]}"
step cargo fmt --check
step cargo clippy --all-targets --locked -- -D warnings
step cargo test --locked
