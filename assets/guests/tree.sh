# Makes a guest's root folder with mmdebstrap, or takes it from the last time. Sourced by guest.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154  # here, work: guest.sh

# tree_key TREE: changes whenever the folder's content should.
tree_key() {
    cat "$here/guests/tree.sh" "$here/guests/furnish.sh" "$here/guests/$1".* | sha256sum | cut -c1-16
}

# listed FILE: its lines without comments.
listed() { sed -e 's/#.*//' -e '/^ *$/d' "$1"; }

# open_tree TREE OUTDIR ROOT: the small one is kept as a tar file, because several layouts share it.
open_tree() {
    local tree=$1 out=$2 root=$3 tar start=$SECONDS
    tar="$out/.trees/$tree-$(tree_key "$tree").tar"
    if [ -f "$tar" ]; then
        tar -C "$root" --xattrs --xattrs-include='*' --acls --numeric-owner -xpf "$tar"
        say "$tree: root folder unpacked, $((SECONDS - start)) s"
        return
    fi
    bootstrap "$tree" "$out/.wheels" "$root"
    say "$tree: root folder of $(find "$root" -xdev -printf x | wc -c) files," \
        "$(du -shx "$root" | cut -f1), $((SECONDS - start)) s"
    [ "$tree" = small ] || return 0
    mkdir -p "$out/.trees"
    rm -f "$out/.trees/$tree"-*
    tar -C "$root" --xattrs --xattrs-include='*' --acls --numeric-owner --sparse -cf "$tar.part" .
    mv "$tar.part" "$tar"
}

# bootstrap TREE WHEELS ROOT
bootstrap() {
    local tree=$1 wheels=$2 root=$3 lists options hook variant=minbase clean=
    lists=$(sources)
    [ -n "$lists" ] || { apt-get -qq update; lists=$(sources); }
    [ -n "$lists" ] || die "no Debian package source is set up on this host"
    mapfile -t options < <(apt_options)
    # The demonstration is a full system, and keeps its package lists and downloads: real images are full of them.
    [ "$tree" = small ] || variant=important clean=,cleanup/apt
    hook="bash '$here/guests/furnish.sh' '$tree'"
    say "$tree: installing $(listed "$here/guests/$tree.packages" | wc -l) packages and what they need"
    LC_ALL=C.UTF-8 mmdebstrap --quiet --mode=root --format=directory --variant="$variant" \
        --skip="check/empty,cleanup/reproducible$clean" \
        "${options[@]}" \
        --include="$(listed "$here/guests/$tree.packages" | paste -sd,)" \
        --essential-hook="$hook answer \"\$1\"" \
        --customize-hook="$hook finish \"\$1\" '$wheels'" \
        "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" - <<<"$lists" >&2
}

# sources: where this host has its own Debian packages from, so that no mirror is written down here.
sources() {
    # shellcheck disable=SC2016  # apt's variables, not the shell's
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 'Origin: Debian' | grep -v -e -backports -e -proposed | sort -u || true
}

# apt_options: this host's settings for reaching its mirrors (a proxy, an archived release).
apt_options() {
    apt-config dump |
        sed -n -E 's/^(Acquire::(Check-Valid-Until|Check-Date|https?::(Proxy|Timeout)) .*);$/--aptopt=\1/p'
}

# fetch_wheels_for OUTDIR NAME...: what goes into /opt/science, downloaded with this host's pip.
fetch_wheels_for() {
    local out=$1 name tree start=$SECONDS kept
    shift
    for name; do
        read -r tree _ <<<"$(row "$name")"
        [ -f "$here/guests/$tree.wheels" ] || continue
        kept="$out/.wheels/$(sha256sum <"$here/guests/$tree.wheels" | cut -c1-16)"
        [ ! -f "$kept" ] || continue
        rm -rf "$out/.wheels"
        mkdir -p "$out/.wheels"
        python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.11 --implementation cp \
            --platform manylinux2014_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux_2_28_x86_64 \
            --dest "$out/.wheels" --requirement "$here/guests/$tree.wheels" >&2
        : >"$kept"
        say "$tree: $(listed "$here/guests/$tree.wheels" | wc -l) wheels," \
            "$(du -sh "$out/.wheels" | cut -f1), $((SECONDS - start)) s"
    done
}
