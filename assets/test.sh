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

check() {
    step cargo fmt --check
    step cargo clippy --all-targets --locked -- -D warnings
    step cargo test --locked --no-run
}

step bash assets/setup.sh
# The program is built beside the guests, which leave a core idle.
check &
checking=$!
trap 'kill "$checking" 2>/dev/null || true; wait' EXIT
step bash assets/guest.sh "${guests[@]}"
wait "$checking"
trap - EXIT
step cargo test --locked
