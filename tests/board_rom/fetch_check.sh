#!/bin/sh
# fetch_check.sh FETCH FOLDER: without network. The fetch fails with a message where the archives have no such
# package, leaves nothing that passes for a source, and does not touch a source that was checked.
set -eu
rm -rf "$2"
mkdir -p "$2/etc/sources.list.d" "$2/etc/none"
printf 'Types: deb\nURIs: file:%s/none\nSuites: bookworm\nComponents: main\n' "$2" \
    >"$2/etc/sources.list.d/none.sources"
printf 'deb [trusted=yes] file:%s/none bookworm main\n' "$2" >"$2/etc/sources.list"
if BRICKYARD_APT_ETC=$2/etc "$1" "$2/out" 2>"$2/said"; then
    echo "the fetch of nothing was a success"
    exit 1
fi
grep -q "no source package of bearssl from the archives in $2/etc" "$2/said"
test ! -e "$2/out/verified" && test ! -e "$2/out/bearssl-0.6"
# Both formats were turned into source archives.
grep -q '^deb-src \[trusted=yes\] file:' "$2/out/apt/parts/sources.list.list"
grep -q '^Types: deb-src$' "$2/out/apt/parts/none.sources"
# What was checked before is taken as it is, and no archive is asked.
mkdir -p "$2/out/bearssl-0.6/src"
: >"$2/out/bearssl-0.6/src/inner.h"
cp "$(dirname "$1")/SHA256SUM" "$2/out/verified"
BRICKYARD_APT_ETC=$2/etc "$1" "$2/out"
# Another checksum in the repository: it is fetched again, which fails here.
echo "0000  other" >"$2/out/verified"
! BRICKYARD_APT_ETC=$2/etc "$1" "$2/out" 2>/dev/null
