#!/usr/bin/env bash
# Exports the demo guest in each way, one after the other, and prints seconds, bytes of the file and of the virtual disk; then
# what an update costs between two repacked outputs of the same image:  bash benches/ways.sh [IMAGE [PROFILE]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=benches/timed.sh
. benches/timed.sh

image=${1:-target/guests/demo.qcow2}
profile=${2:-profiles/numeric-python.ron}

# way NAME OUTPUT [OPTION...]
way() {
    local name=$1 output=$folder/$2.qcow2
    timed seconds target/release/guestslim replay "$profile" "$image" -o "$output" --no-verify --way "$name" "${@:3}"
    # shellcheck disable=SC2154  # timed sets it
    printf '%-9s %6s s  file %11s  disk %11s  %s\n' "$name" "$seconds" "$(stat -c %s "$output")" \
        "$(qemu-img info --output=json "$output" | python3 -c 'import json, sys; print(json.load(sys.stdin)["virtual-size"])')" \
        "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1])).get("update") or "")' "$output.report.json")"
}

way in-place in-place
way in-place again --previous "$folder/in-place.qcow2"
way shrink shrink
way repack repack
way repack repacked --previous "$folder/repack.qcow2"
