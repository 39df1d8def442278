#!/usr/bin/env bash
# Builds test guests: real Debian disk images, and a root folder, from the distribution's own packages.
#   bash assets/guest.sh NAME... [OUTDIR]        (default OUTDIR: target/guests)
# A guest is built again only when its recipe changed.
set -euo pipefail

# name        packages of   virtual size   layout
recipes='
demo          demo          6G             mbr
small         small         2G             mbr
gpt-bios      small         2G             gpt-bios
gpt-uefi      small         2G             gpt-uefi
boot          small         2G             boot
lvm           small         2G             lvm
xfs           small         2G             xfs
btrfs         small         2G             btrfs
runtimes      runtimes      -              folder
'

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=assets/guests/tree.sh
. "$here/guests/tree.sh"
# shellcheck source=assets/guests/disk.sh
. "$here/guests/disk.sh"
# shellcheck source=assets/guests/grub.sh
. "$here/guests/grub.sh"
# shellcheck source=assets/guests/folder.sh
. "$here/guests/folder.sh"

say() { printf '%s\n' "guest: $*" >&2; }
die() { say "$*"; exit 2; }

# row NAME: the recipe's tree, size and layout.
row() {
    awk -v name="$1" '$1 == name { print $2, $3, $4 }' <<<"$recipes"
}

usage() {
    sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}"
    printf 'names:%s\n' "$(awk 'NF { printf " %s", $1 }' <<<"$recipes")"
}

# Building needs root (owners, device nodes). The wheels are fetched before, as the user whose pip is set up.
become_root() {
    [ "$(id -u)" = 0 ] && return
    say "building as root: sudo may ask for a password"
    exec sudo GUEST_OWNER="$(id -u):$(id -g)" bash "$here/guest.sh" "$@"
}

# finish FILE TARGET: the image appears whole, and belongs to who asked for it.
finish() {
    [ -z "${GUEST_OWNER:-}" ] || chown "$GUEST_OWNER" "$1"
    mv -f "$1" "$2"
}

# open_work, close_work: where the root folder grows. In memory where there is plenty: half the time.
open_work() {
    close_work
    mkdir -p "$work"
    [ "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)" -lt 8000000 ] ||
        mount -t tmpfs -o size=6G,mode=755 guest "$work" 2>/dev/null || true
    mkdir "$work/root"
}

close_work() {
    ! mountpoint -q "$work" || umount "$work"
    rm -rf --one-file-system "$work"
}

# build NAME OUTDIR
build() {
    local name=$1 out=$2 tree size layout key start=$SECONDS
    read -r tree size layout <<<"$(row "$name")"
    key=$(recipe_key "$name" "$tree" "$size" "$layout")
    open_work
    open_tree "$tree" "$out" "$work/root"
    make_disk "$name" "$layout" "$size" "$out/.part"
    finish "$out/.part" "$out/$name.qcow2"
    printf '%s\n' "$key" >"$out/$name.key"
    close_work
    say "$name: $out/$name.qcow2, $(du -h "$out/$name.qcow2" | cut -f1), $((SECONDS - start)) s"
}

# build_folder NAME OUTDIR: built as who asks for it, and there only when it is whole.
build_folder() {
    local name=$1 out=$2 tree size layout start=$SECONDS
    read -r tree size layout <<<"$(row "$name")"
    make_folder "$tree" "$out" "$out/.part"
    rm -rf "${out:?}/$name"
    mv "$out/.part" "$out/$name"
    recipe_key "$name" "$tree" "$size" "$layout" >"$out/$name.key"
    say "$name: $out/$name, $(du -sh "$out/$name" | cut -f1), $((SECONDS - start)) s"
}

is_current() {
    local name=$1 out=$2 tree size layout guest
    read -r tree size layout <<<"$(row "$name")"
    guest="$out/$name.qcow2"
    [ "$layout" != folder ] || guest="$out/$name"
    [ -e "$guest" ] && [ -f "$out/$name.key" ] &&
        [ "$(cat "$out/$name.key")" = "$(recipe_key "$name" "$tree" "$size" "$layout")" ]
}

is_folder() { [ "$(row "$1" | cut -d' ' -f3)" = folder ]; }

# recipe_key NAME TREE SIZE LAYOUT: changes whenever the guest should.
recipe_key() {
    if [ "$4" = folder ]; then
        cat "$here"/guests/{folder.sh,"$2".*}
    else
        { tree_key "$2"; printf '%s\n' "$@"; cat "$here"/guests/{disk,grub}.sh; }
    fi | sha256sum | cut -d' ' -f1
}

main() {
    out=target/guests
    local names=() stale=() disks=() arg name
    for arg; do
        case $arg in
            -h | --help) usage; exit 0 ;;
            */* | . | ..) out=$arg ;;
            *) [ -n "$(row "$arg")" ] || { usage >&2; die "no recipe named $arg"; }; names+=("$arg") ;;
        esac
    done
    [ ${#names[@]} -gt 0 ] || { usage >&2; exit 2; }
    mkdir -p "$out"
    out=$(cd "$out" && pwd)

    # Two builds in one folder take turns; the second then finds the first one's work.
    exec 9>>"$out/.lock"
    flock 9
    for name in "${names[@]}"; do
        if is_current "$name" "$out"; then say "$name: up to date"; else stale+=("$name"); fi
    done
    [ ${#stale[@]} -gt 0 ] || return 0

    work="$out/.work"
    trap 'close_work; rm -rf "$out/.part" "$out/.from"' EXIT
    for name in "${stale[@]}"; do
        if is_folder "$name"; then build_folder "$name" "$out"; else disks+=("$name"); fi
    done
    [ ${#disks[@]} -gt 0 ] || return 0

    fetch_wheels_for "$out" "${disks[@]}"
    become_root "${disks[@]}" "$out/"
    for name in "${disks[@]}"; do build "$name" "$out"; done
}

main "$@"
