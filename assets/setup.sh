#!/usr/bin/env bash
# Installs what guestslim and its test guests need and this Debian machine lacks. Does nothing when all is there.
set -euo pipefail

packages=(
    qemu-system-x86 qemu-utils ovmf                         # running guests
    libguestfs0 libguestfs-dev libguestfs-xfs supermin      # reading and writing images
    guestfish guestfs-tools                                 # layouts of test guests; virt-sparsify for the benchmark
    mmdebstrap e2fsprogs fdisk dosfstools mtools uuid-runtime # building test guests
)

say() { printf '%s\n' "setup: $*" >&2; }

# missing: the packages to install, a line each.
missing() {
    # dpkg-query fails when it does not know a name, which is the question.
    printf '%s\n' "${packages[@]}" | sort -u | comm -23 - <(
        dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null |
            sed -n 's/^installed //p' | sort -u
    )
    has_kernel || echo linux-image-cloud-amd64
    type cc >/dev/null 2>&1 || printf '%s\n' gcc libc6-dev
    python3 -c 'import pip' 2>/dev/null || echo python3-pip
}

# libguestfs boots the host's kernel with the host's modules; a container has neither.
has_kernel() {
    local kernel
    for kernel in /boot/vmlinuz-*; do
        [ ! -d "/lib/modules/${kernel#/boot/vmlinuz-}" ] || return 0
    done
    return 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif type sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        say "this needs root, and there is no sudo; run as root: $*"
        exit 3
    fi
}

update_lists() {
    [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -1 -print -quit 2>/dev/null)" ] || return 0
    say "fetching package lists"
    as_root apt-get -qq update || say "some package lists could not be fetched; going on with the others"
}

install() {
    local release extra=()
    update_lists
    # A qemu-utils from elsewhere, newer than this release's QEMU, stands in its way: then it steps back.
    if ! apt-get -s --no-install-recommends install "$@" >/dev/null 2>&1; then
        release=$(. /etc/os-release && echo "$VERSION_CODENAME")
        extra=(--allow-downgrades "qemu-utils/$release")
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends install "$@" "${extra[@]}" >&2
}

# An ordinary user's libguestfs must read the kernel, which some systems forbid.
open_kernels() {
    local kernel closed=()
    for kernel in /boot/vmlinuz-*; do
        [ -r "$kernel" ] || closed+=("$kernel")
    done
    [ ${#closed[@]} -eq 0 ] || as_root chmod a+r "${closed[@]}"
}

main() {
    local wanted
    if ! type apt-get dpkg-query >/dev/null 2>&1; then
        say "this is not Debian; guestslim needs QEMU, libguestfs with its headers, and a C compiler"
        exit 3
    fi
    mapfile -t wanted < <(missing)
    if [ ${#wanted[@]} -gt 0 ]; then
        say "installing ${wanted[*]}"
        install "${wanted[@]}"
        say "installed, $SECONDS s"
    fi
    open_kernels
}

main
