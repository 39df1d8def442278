#!/usr/bin/env bash
# Times an export of the demo guest against virt-sparsify --compress of the same image, one after the other, and prints
# seconds, bytes and the ratio of the times:  bash benches/export.sh [IMAGE [PROFILE]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=benches/timed.sh
. benches/timed.sh

image=${1:-target/guests/demo.qcow2}
profile=${2:-profiles/numeric-python.ron}

timed ours target/release/guestslim replay "$profile" "$image" -o "$folder/ours.qcow2" --no-verify
timed theirs virt-sparsify --quiet --tmp "$folder" --compress "$image" "$folder/theirs.qcow2"
printf 'guestslim replay:          %6s s  %s bytes\n' "$ours" "$(stat -c %s "$folder/ours.qcow2")"
printf 'virt-sparsify --compress:  %6s s  %s bytes\n' "$theirs" "$(stat -c %s "$folder/theirs.qcow2")"
awk -v a="$theirs" -v b="$ours" 'BEGIN { printf "ratio: %.1f\n", a / b }'
