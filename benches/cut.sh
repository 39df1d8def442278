#!/usr/bin/env bash
# Do programs run as they do in the source, once all that their package does not need is gone? Each row's package is kept alone, what
# stays is a root of hard links, and the command runs there and in the source, in a private namespace (root is needed for that):
#   bash benches/cut.sh [LEVEL [NEEDED_LEVEL [PACKAGE]]]
# Levels are trimmed and needed_only; PACKAGE is a pattern of grep for some of the rows. The root is built once, from Debian's packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

level=${1:-trimmed} needed=${2:-trimmed} only=${3:-.} slim=${GUESTSLIM:-target/release/guestslim}
root=target/cut/root cut=target/cut/cut

# package | command; its output is what counts.
rows() {
    cat <<'ROWS'
groff|printf '.TH X 1\n.SH NAME\nx \\- y\n' | groff -man -Tascii
imagemagick|convert -size 20x20 xc:red /tmp/a.png && identify -format '%m %w %h %[pixel:p{3,3}]' /tmp/a.png
valgrind|valgrind -q true && echo fine
python3-pkgconfig|python3 -c 'import pkgconfig; print(pkgconfig.exists("no-such-library"))'
r-cran-pkgconfig|Rscript -e 'library(pkgconfig); cat(is.function(get_config))'
r-base-core|Rscript -e 'cat(solve(matrix(c(2,0,0,4),2)), svd(diag(3))$d)'
meson|meson --version
golang-go|cd /tmp && printf 'package main\nfunc main() { println(6 * 7) }\n' >a.go && GOCACHE=/tmp/c go run a.go
openmpi-bin|OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe -n 2 echo rank
postgresql-15|/usr/lib/postgresql/15/bin/postgres --version && su postgres -c '/usr/lib/postgresql/15/bin/initdb -D /tmp/db' | grep -c ok
python3-numpy|python3 -c 'import numpy; print(numpy.linalg.svd(numpy.eye(3))[1], numpy.fft.fft([1, 2]))'
python3-venv|python3 -m venv --without-pip /tmp/e && /tmp/e/bin/python3 -c 'import sys; print(sys.prefix)'
apache2|apache2ctl -M 2>/dev/null | sort | head -40
php-cli|php -r 'echo json_encode([1, 2]), ctype_digit("12"), strlen(iconv("UTF-8", "UTF-16", "a"));'
ruby|ruby -rjson -rset -e 'puts JSON.generate(Set[1, 2].to_a)'
gnuplot-nox|printf 'set terminal postscript\nplot sin(x)\n' | gnuplot | grep -v Date | md5sum
gcc|cd /tmp && printf '#include <stdio.h>\nint main(void) { return !puts("c"); }\n' >a.c && gcc a.c -o a && ./a
gfortran|cd /tmp && printf 'print *, 6*7\nend\n' >a.f90 && gfortran a.f90 -o b && ./b
perl|perl -MPOSIX=floor -MEncode -e 'print floor(2.5), length(encode("UTF-16", "a")), "\x{e4}" =~ /\p{L}/'
ROWS
}

if [ ! -e "$root/.built" ]; then
    mkdir -p target/cut
    names=$(rows | cut -d'|' -f1 | paste -sd,)
    mmdebstrap --variant=minbase --include="systemd,$names" bookworm "$root" >target/cut/log 2>&1
    touch "$root/.built"
fi

# Runs a command in a root of its own namespace; /tmp is empty there.
run() {
    unshare -m -p -f sh -c 'mount -t proc none "$1/proc" && mount -t tmpfs none "$1/tmp" && mount --rbind /dev "$1/dev" &&
        exec timeout 120 chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C sh -c "$2"' sh "$1" "$2" 2>&1 || true
}

bad=0
while IFS='|' read -r package command; do
    printf '(version: 1, name: "cut", needed_level: %s, marks: [keep(package("%s"), %s)])\n' "$needed" "$package" "$level" >target/cut/profile.ron
    "$slim" plan "$root" -p target/cut/profile.ron --all --json >target/cut/plan.json
    rm -rf "$cut" && cp -al "$root/." "$cut"
    sed -n 's/^ *"path": "\(\/.*\)",$/\1/p' target/cut/plan.json | grep -v '\\' | sed "s|^|$cut|" | tr '\n' '\0' | xargs -0 rm -f 2>/dev/null || true
    before=$(run "$PWD/$root" "$command" </dev/null) after=$(run "$PWD/$cut" "$command" </dev/null)
    if [ "$before" = "$after" ]; then
        printf 'same     %s\n' "$package"
    else
        bad=$((bad + 1))
        printf 'differs  %s\n    source: %s\n    cut:    %s\n' "$package" "$(head -n 2 <<<"$before" | paste -sd' ')" "$(head -n 2 <<<"$after" | paste -sd' ')"
    fi
done < <(rows | grep -e "^[^|]*$only[^|]*|")
printf '%d differ\n' "$bad"
[ "$bad" = 0 ]
