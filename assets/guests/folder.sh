# A guest that is only a folder: packages unpacked, with what dpkg would have written down about them. Nothing in it ever
# runs, so that it needs neither root nor a configured system. Sourced by guest.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154  # here: guest.sh

# make_folder TREE OUTDIR ROOT
make_folder() {
    local tree=$1 root=$3 from=$2/.from deb packages
    mapfile -t packages < <(listed "$here/guests/$tree.packages")
    rm -rf "$root" "$from"
    mkdir -p "$root"/{home,opt,usr/local,var/lib/dpkg/info} "$from"
    [ -n "$(sources)" ] || apt-get -qq update
    (cd "$from" && apt-get -qq -o APT::Sandbox::User=root download "${packages[@]}") || die "packages cannot be had"
    for deb in "$from"/*.deb; do unpack "$deb" "$root"; done
    # shellcheck source=assets/guests/runtimes.sh
    . "$here/guests/$tree.sh"
    rm -rf "$from"
}

# unpack DEB ROOT
unpack() {
    local dpkg=$2/var/lib/dpkg name
    dpkg-deb -x "$1" "$2"
    name=$(dpkg-deb -f "$1" Package)
    [ "$(dpkg-deb -f "$1" Multi-Arch)" != same ] || name+=:$(dpkg-deb -f "$1" Architecture)
    { dpkg-deb -f "$1"; printf 'Status: install ok installed\n\n'; } >>"$dpkg/status"
    dpkg-deb --fsys-tarfile "$1" | tar -t | sed -e 's|^\.||' -e 's|/$||' -e 's|^$|/.|' >"$dpkg/info/$name.list"
}
