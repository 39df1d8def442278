# What lies in the folder guest beside the packages. Sourced by folder.sh, in make_folder.
# shellcheck shell=bash
# shellcheck disable=SC2154  # root, from: folder.sh

# An application with a Java runtime of its own, as jpackage lays it out: without the programs.
app=$root/opt/solver/lib/runtime
mkdir -p "$app"
cp -a "$root"/usr/lib/jvm/java-17-openjdk-amd64/{conf,release} "$app/"
cp -al "$root/usr/lib/jvm/java-17-openjdk-amd64/lib" "$app/lib"

# What pip puts into an environment: CUDA's compiler at run time, and AMD's kernels for two GPU architectures (without the
# sources that come with them).
python3 -m pip download --quiet --no-deps --only-binary=:all: --platform manylinux1_x86_64 --dest "$from" \
    nvidia-cuda-nvrtc-cu12==12.1.105 amd-aiter==0.1.7.post2.dev18 >&2
site=$root/opt/science/lib/python3.11/site-packages
mkdir -p "$site"
printf 'home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n' >"$root/opt/science/pyvenv.cfg"
for wheel in "$from"/*.whl; do python3 -m zipfile -e "$wheel" "$site"; done
rm -r "$site"/aiter_meta/{3rdparty,csrc}
