#!/usr/bin/env bash
# Shows guestslim at work: installs what is missing, builds it, makes a guest and opens it.
# Without a terminal it replays a profile on the guest instead. Can be run again at any time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

guest=target/guests/demo.qcow2
profile=profiles/numeric-python.ron

# step WHAT COMMAND...
step() {
    local what=$1 start=$SECONDS
    shift
    printf '== %s\n' "$what" >&2
    "$@"
    printf '== %s: %d s\n' "$what" $((SECONDS - start)) >&2
}

if ! type cargo >/dev/null 2>&1; then
    echo "demo: cargo is not here; install a Rust toolchain first" >&2
    exit 3
fi
step "prerequisites" bash assets/setup.sh
step "build" cargo build --release --locked
step "demo guest" bash assets/guest.sh demo
if [ -t 0 ] && [ -t 1 ]; then
    exec target/release/guestslim "$guest"
fi
step "replay of $profile" \
    target/release/guestslim replay "$profile" "$guest" -o target/demo-slim.qcow2 --force
