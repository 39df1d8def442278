# ~/software, which the system's package manager knows nothing of. Sourced by demo.sh.
# Java archives, packages of Octave and Tcl are Debian's own files, put where someone without root rights puts them. Of
# conda, spack and Julia nothing is to be had without their own servers: those trees are laid out by hand, as the
# installers lay them out, with real programs and libraries of this guest and lists of the files that are there.
# shellcheck shell=bash
# shellcheck disable=SC2154  # root: furnish.sh

software() {
    local here=$root/home/sci/software
    unpacked "$here"
    trials "$here/trials"
    conda "$here/conda"
    spack "$here/spack/linux-debian12-x86_64/gcc-12.2.0"
    julia "$here"
    outdated_library /home/sci/software/fit
    inside chown -R sci:sci /home/sci/software
}

unpacked() {
    local here=$1 debs=$root/tmp/debs from=$root/tmp/from deb
    mkdir -p "$debs" "$from" "$here"/{java,octave,tcl}
    (cd "$debs" && APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -qq -o APT::Sandbox::User=root download \
        junit4 libhamcrest-java octave-optim octave-statistics octave-struct tcl-thread)
    for deb in "$debs"/*.deb; do dpkg-deb -x "$deb" "$from"; done
    cp -a "$from"/usr/share/java/{junit4,hamcrest}* "$here/java/"
    cp -a "$from"/usr/lib/tcltk/*/thread* "$here/tcl/"
    # Where a person installs packages their compiled half lies in the same folder.
    cp -a "$from"/usr/share/octave/packages/* "$from"/usr/lib/*/octave/packages/* "$here/octave/"
    rm -r "$debs" "$from"
}

# Scripts that use some of it.
trials() {
    mkdir "$1"
    cat >"$1/robust.R" <<'END'
#!/usr/bin/env Rscript
# A line through points of which some are far off.
library(MASS)
points <- data.frame(x = 1:20, y = 2 * (1:20) + c(rep(0, 18), 30, -30))
print(round(coef(rlm(y ~ x, data = points)), 2))
END
    cat >"$1/threads.tcl" <<'END'
#!/usr/bin/env tclsh
# Counts in two threads.
lappend auto_path ~/software/tcl
package require Thread
foreach n {1 2} { lappend all [thread::create -joinable "for {set i 0} {\$i < $n} {incr i} {}"] }
foreach one $all { thread::join $one }
END
    printf 'pkg prefix ~/software/octave\npkg load optim\n' >"$1/curve.m"
    chmod +x "$1"/*.{R,tcl}
}

# outdated_library FOLDER: a program that was built with a newer version of its library than the one that is there.
outdated_library() {
    local src=$1 version
    mkdir "$root$src"
    printf 'int fit(void) { return 0; }\n' >"$root$src/fit.c"
    printf 'int fit(void);\nint main(void) { return fit(); }\n' >"$root$src/main.c"
    for version in 2 1; do
        printf 'FIT_%s { global: fit; local: *; };\n' "$version" >"$root$src/fit.map"
        inside gcc -shared -fPIC -Wl,-soname,libfit.so.1 -Wl,--version-script,"$src/fit.map" \
            -o "$src/libfit.so.1" "$src/fit.c"
        # shellcheck disable=SC2016  # the loader's variable
        [ "$version" = 1 ] || inside gcc -Wl,-rpath,'$ORIGIN' -o "$src/fit" "$src/main.c" "$src/libfit.so.1"
    done
}

# take FOLDER FILE...: copies of the guest's own files, links followed.
take() {
    local into=$1 file
    shift
    mkdir -p "$into"
    for file; do cp -L "$root$file" "$into/"; done
}

# listed_json FOLDER PART...: all files of parts of a folder as a list in JSON.
listed_json() {
    local folder=$1
    shift
    (cd "$folder" && find "$@" -type f | LC_ALL=C sort | sed 's/.*/"&"/' | paste -sd, | sed 's/,/, /g')
}

conda() {
    local prefix=$1 lib=/usr/lib/x86_64-linux-gnu
    take "$prefix/bin" /usr/bin/bzip2
    take "$prefix/lib" "$lib/libbz2.so.1.0" "$lib/libgcc_s.so.1"
    mkdir "$prefix/conda-meta"
    : >"$prefix/conda-meta/history"
    cat >"$prefix/conda-meta/bzip2-1.0.8-h5eee18b_6.json" <<END
{"name": "bzip2", "version": "1.0.8", "build": "h5eee18b_6", "channel": "defaults",
 "depends": ["__glibc >=2.17,<3.0.a0", "libgcc-ng >=11.2.0"],
 "files": [$(listed_json "$prefix" bin lib/libbz2.so.1.0)]}
END
    cat >"$prefix/conda-meta/libgcc-ng-11.2.0-h1234567_1.json" <<END
{"name": "libgcc-ng", "version": "11.2.0", "build": "h1234567_1", "channel": "defaults",
 "depends": [], "files": [$(listed_json "$prefix" lib/libgcc_s.so.1)]}
END
}

spack() {
    local top=$1 lib=/usr/lib/x86_64-linux-gnu
    local png=4hpqhzwmz2dqgkzbpkjtmzyjnjpmqbzy zlib=yzl3rjyhp6sfqhbgoplf5eu7vmyjz6hw
    take "$top/libpng-1.6.39-$png/lib" "$lib/libpng16.so.16"
    take "$top/zlib-1.2.13-$zlib/lib" "$lib/libz.so.1"
    mkdir "$top/libpng-1.6.39-$png/.spack" "$top/zlib-1.2.13-$zlib/.spack"
    cat >"$top/libpng-1.6.39-$png/.spack/spec.json" <<END
{"spec": {"_meta": {"version": 4}, "nodes": [
  {"name": "libpng", "version": "1.6.39", "hash": "$png",
   "dependencies": [{"name": "zlib", "hash": "$zlib", "parameters": {"deptypes": ["build", "link"]}}]},
  {"name": "zlib", "version": "1.2.13", "hash": "$zlib"}]}}
END
    cat >"$top/zlib-1.2.13-$zlib/.spack/spec.json" <<END
{"spec": {"_meta": {"version": 4}, "nodes": [{"name": "zlib", "version": "1.2.13", "hash": "$zlib"}]}}
END
}

julia() {
    local model=$1/model depot=$1/julia tree=1695adc8a7ed38ea5af6a9c5f40dfbb5bfb2f49c package
    package=$depot/packages/Zlib_jll/b2vqE
    take "$depot/artifacts/$tree/lib" /usr/lib/x86_64-linux-gnu/libz.so.1
    mkdir -p "$package/src" "$depot/compiled/v1.9" "$model"
    printf 'module Zlib_jll\nusing Artifacts, Libdl\nend\n' >"$package/src/Zlib_jll.jl"
    printf 'name = "Zlib_jll"\nuuid = "83775a58-1f1d-513f-b197-d71354ab007a"\nversion = "1.2.13+1"\n' >"$package/Project.toml"
    printf '[[Zlib]]\narch = "x86_64"\ngit-tree-sha1 = "%s"\nlibc = "glibc"\nos = "linux"\n' "$tree" >"$package/Artifacts.toml"
    printf '[deps]\nZlib_jll = "83775a58-1f1d-513f-b197-d71354ab007a"\n' >"$model/Project.toml"
    cat >"$model/Manifest.toml" <<END
julia_version = "1.9.4"
manifest_format = "2.0"

[[deps.Zlib_jll]]
git-tree-sha1 = "8abf47e20e1b2e3d8a8e4ba1b7b9e2a5cc1c5d2b"
uuid = "83775a58-1f1d-513f-b197-d71354ab007a"
version = "1.2.13+1"
END
}
