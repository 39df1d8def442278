# What lies in the folder guest beside the packages. Sourced by folder.sh, in make_folder.
# shellcheck shell=bash
# shellcheck disable=SC2154  # root, from: folder.sh

# An application with a Java runtime of its own, as jpackage lays it out: without the programs.
app=$root/opt/solver/lib/runtime
mkdir -p "$app"
cp -a "$root"/usr/lib/jvm/java-17-openjdk-amd64/{conf,release} "$app/"
cp -al "$root/usr/lib/jvm/java-17-openjdk-amd64/lib" "$app/lib"

# CUDA's compiler at run time, as pip puts it into an environment.
python3 -m pip download --quiet --no-deps --only-binary=:all: --platform manylinux1_x86_64 --dest "$from" \
    nvidia-cuda-nvrtc-cu12==12.1.105 >&2
site=$root/opt/science/lib/python3.11/site-packages
mkdir -p "$site"
for wheel in "$from"/*.whl; do python3 -m zipfile -e "$wheel" "$site"; done
