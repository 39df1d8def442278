#!/usr/bin/env bash
# Times opening the demo guest, to the full tree with packages and needs, against the bare appliance that launches and
# mounts the same image, one after the other, and prints seconds and the ratio:  bash benches/open.sh [IMAGE [PARTITION]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=benches/timed.sh
. benches/timed.sh

image=${1:-target/guests/demo.qcow2}
root=${2:-/dev/sda1}

timed direct target/release/guestslim inspect "$image"
timed through target/release/guestslim inspect --backend libguestfs "$image"
timed bare guestfish --ro --add "$image" run : mount-ro "$root" /
printf 'guestslim inspect:                       %6s s\n' "$direct"
printf 'guestslim inspect --backend libguestfs:  %6s s\n' "$through"
printf 'bare appliance, launched and mounted:    %6s s\n' "$bare"
awk -v a="$direct" -v b="$through" -v c="$bare" \
    'BEGIN { printf "ratio: %.1f directly, %.1f through libguestfs\n", a / c, b / c }'
