# What lies in the folder guest beside the packages. Sourced by folder.sh, in make_folder.
# shellcheck shell=bash
# shellcheck disable=SC2154  # root, from: folder.sh

# An application with a Java runtime of its own, as jpackage lays it out: without the programs.
app=$root/opt/solver/lib/runtime
mkdir -p "$app"
cp -a "$root"/usr/lib/jvm/java-17-openjdk-amd64/{conf,release} "$app/"
cp -al "$root/usr/lib/jvm/java-17-openjdk-amd64/lib" "$app/lib"
