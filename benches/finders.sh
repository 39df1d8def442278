#!/usr/bin/env bash
# Where the time of opening a guest goes: seconds of each step that the progress line names, the finders' and the reading
# before them; the start of the appliance is a step of its own:  bash benches/finders.sh [IMAGE [auto|libguestfs]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

image=${1:-target/guests/demo.qcow2}
backend=${2:-libguestfs}

# The progress line is for terminals only.
command=$(printf '%q ' target/release/guestslim inspect --backend "$backend" "$image")
script --quiet --flush --return --command "$command" /dev/null </dev/null |
    while IFS= read -r -d $'\r' line; do
        printf '%s\t%s\n' "$EPOCHREALTIME" "$line"
    done |
    LC_ALL=C awk -F '\t' '
        {
            gsub(/\033\[[0-9;?]*[A-Za-z]/, "", $2)
            sub(/^[^A-Za-z]+/, "", $2)
            sub(/[^A-Za-z ].*/, "", $2)
            sub(/ +$/, "", $2)
            if (last != "") seconds[last] += $1 - at
            at = $1
            last = $2
            if (!(last in place)) { place[last] = ++steps; name[steps] = last }
        }
        END {
            for (step = 1; step <= steps; step++) {
                if (name[step] !~ /^[a-z]+ing /) continue
                printf "%-36s %6.1f s\n", name[step], seconds[name[step]]
                if (name[step] ~ /^finding needs|^reading (programs|P|shell|maintainer|kernel)/) all += seconds[name[step]]
            }
            printf "%-36s %6.1f s\n", "all finders", all
        }'
