# The program, an emulated appliance, a folder for outputs and a stopwatch. Sourced by the benchmarks of whole commands.
# shellcheck shell=bash

cargo build --release --locked --quiet
export LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=${LIBGUESTFS_BACKEND_SETTINGS-force_tcg}
folder=$(mktemp -d target/bench.XXXXXX)
trap 'rm -rf "$folder"' EXIT

# timed NAME COMMAND...: sets the variable NAME to the seconds that the command takes.
timed() {
    local name=$1 start=$EPOCHREALTIME
    shift
    "$@" >"$folder/log" 2>&1 || { code=$?; [ "$code" = 1 ] || { cat "$folder/log" >&2; exit "$code"; }; }
    printf -v "$name" '%s' "$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')"
}
