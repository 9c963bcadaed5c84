#!/bin/sh
# Makes dist/smoothcore-VERSION-TARGET and its .tar.gz: archive, header, pkg-config and CMake files, licences, bill of
# materials, guides, examples.
#   dist.sh TARGET [PROFILE]      PROFILE as in archive.sh; it becomes part of the name
# The same source, toolchain and SOURCE_DATE_EPOCH (default 0) give the same bytes.
set -eu
export LC_ALL=C
TARGET=$1 profile=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/targets.sh"
cd "$root"
version=$(awk -F'"' '/^version = / { print $2; exit }' Cargo.toml)
name=smoothcore-$version-$TARGET${profile:+-$profile}
out=dist/$name
rm -rf "$out" "$out.tar.gz"
mkdir -p "$out/lib/pkgconfig" "$out/lib/cmake/smoothcore" "$out/include" "$out/examples"
sh "$here/archive.sh" "$TARGET" "$out/lib/libsmoothcore.a" "$profile"
cp include/smoothcore.h "$out/include/"
cp LICENSE-MIT LICENSE-APACHE CHANGELOG.md "$out/"
sed "s/@VERSION@/$version/" "$here/smoothcore.pc.in" >"$out/lib/pkgconfig/smoothcore.pc"
sed "s/@VERSION@/$version/" "$here/smoothcore-config.cmake.in" >"$out/lib/cmake/smoothcore/smoothcore-config.cmake"
# What firmware starts from: the C examples and the POSIX port they are built with.
cp examples/c/*.c examples/c/README.md "$out/examples/"
cp -R ports/posix "$out/examples/posix"
cp -R ports/template "$out/examples/template"
rm -rf "$out/examples/posix/test"
# Beside the ports, so that the links between them hold.
cp -R ports/docs "$out/examples/docs"
mkdir -p "$out/examples/clearkey/c"
cp ports/clearkey/README.md "$out/examples/clearkey/"
cp ports/clearkey/c/play.c ports/clearkey/c/port.[ch] ports/clearkey/c/smoothcore_clearkey.h "$out/examples/clearkey/c/"
sh "$here/sbom.sh" "$TARGET" "$profile" >"$out/sbom.cdx.json"
tar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@${SOURCE_DATE_EPOCH:-0}" \
    -C dist -cf - "$name" | gzip -n9 >"$out.tar.gz"
echo "$out.tar.gz: $(wc -c <"$out.tar.gz") bytes"
sh "$here/linked-size.sh" "$TARGET" "$out/lib/libsmoothcore.a" "$out/include/smoothcore.h" "$profile"
