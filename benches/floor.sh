#!/usr/bin/env bash
# How near an export comes to the bare files that its workload touches: exports IMAGE under PROFILE, which has a trace, packs the traced
# files with kernel and initramfs and nothing else onto a disk of their own, alike, and prints both sizes and their ratio:
#   bash benches/floor.sh PROFILE [IMAGE]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=benches/timed.sh
. benches/timed.sh

profile=${1:?a profile with a trace}
image=${2:-target/guests/demo.qcow2}

timed _ target/release/guestslim replay "$profile" "$image" -o "$folder/slim.qcow2" --no-verify

# The paths of the trace, as tar names them; those of kernel and initramfs, which a machine reads before anything can look on.
target/release/guestslim profile show "$profile" --json |
    sed -n '/"trace": \[/,/\]/s/^ *"\(\/.*\)",\{0,1\}$/.\1/p' | sed 's/\\\\\\\\/\\/g' >"$folder/list"
mkdir "$folder/files"
guestfish --ro -a "$image" -i tar-out / - |
    tar -x -C "$folder/files" --no-recursion --no-unquote --files-from "$folder/list" --wildcards './boot/vmlinuz-*' './boot/initrd.img-*'
mke2fs -q -t ext4 -d "$folder/files" "$folder/bare.raw" 6G
qemu-img convert -f raw -O qcow2 -c -o compression_type=zstd,cluster_size=256k "$folder/bare.raw" "$folder/bare.qcow2"

slim=$(stat -c %s "$folder/slim.qcow2") bare=$(stat -c %s "$folder/bare.qcow2")
printf 'exported:    %11s bytes\nbare files:  %11s bytes, %s paths\n' "$slim" "$bare" "$(wc -l <"$folder/list")"
awk -v a="$slim" -v b="$bare" 'BEGIN { printf "ratio: %.3f\n", a / b }'
