#!/usr/bin/env bash
# Times an export of the demo guest against one of the same guest with more than twice the ballast (a copy of its /usr that is
# dropped), one after the other, and prints seconds, bytes and by how much the time grew:  bash benches/ballast.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=benches/timed.sh
. benches/timed.sh

image=target/guests/demo.qcow2
profile=$folder/profile.ron
sed 's|marks: \[|&\n        drop(path("/home/sci/ballast")),|' profiles/numeric-python.ron >"$profile"

printf 'copying /usr inside the guest ...\n' >&2
qemu-img create -q -f qcow2 -F qcow2 -b "$PWD/$image" "$folder/overlay.qcow2"
guestfish --format=qcow2 -a "$folder/overlay.qcow2" -m /dev/sda1 cp-a /usr /home/sci/ballast
qemu-img convert -O qcow2 "$folder/overlay.qcow2" "$folder/heavy.qcow2"
rm "$folder/overlay.qcow2"

timed light target/release/guestslim replay "$profile" "$image" -o "$folder/light-slim.qcow2" --no-verify
timed heavy target/release/guestslim replay "$profile" "$folder/heavy.qcow2" -o "$folder/heavy-slim.qcow2" --no-verify
printf 'as it is:           %6s s  %s -> %s bytes\n' "$light" "$(stat -Lc %s "$image")" "$(stat -c %s "$folder/light-slim.qcow2")"
printf 'with more ballast:  %6s s  %s -> %s bytes\n' "$heavy" "$(stat -c %s "$folder/heavy.qcow2")" "$(stat -c %s "$folder/heavy-slim.qcow2")"
awk -v a="$light" -v b="$heavy" 'BEGIN { printf "growth: %.0f %%\n", (b / a - 1) * 100 }'
