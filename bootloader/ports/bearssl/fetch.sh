#!/usr/bin/env bash
# fetch.sh FOLDER: BearSSL's source, from the machine's own Debian archive, unpacked into
# FOLDER/bearssl-0.6 and checked against SHA256SUM beside this script. Nothing is downloaded when it
# is there already. Changes nothing on the system: apt gets a configuration of its own, in which the
# configured archives are source archives, with their own signatures and options. Needs no root.
set -euo pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
sum=$(<"$here/SHA256SUM")
archive=${sum##* }
folder=${1:?usage: fetch.sh FOLDER}
etc=${BRICKYARD_APT_ETC:-/etc/apt} # tests give another

fail() {
    printf 'fetch.sh: %s\n' "$@" >&2
    exit 1
}

[[ -f $folder/bearssl-0.6/src/inner.h && $(cat "$folder/verified" 2>/dev/null) == "$sum" ]] && exit 0

mkdir -p -- "$folder"
folder=$(readlink -f -- "$folder")
apt=$folder/apt
rm -rf -- "$apt" "$folder/bearssl-0.6" "$folder/verified"
mkdir -p -- "$apt"/{parts,lists/partial,cache/archives/partial,download}

# One-line format: deb becomes deb-src. Stanzas: the same for their types.
shopt -s nullglob
for file in "$etc"/sources.list "$etc"/sources.list.d/*.list; do
    [[ -f $file && -r $file ]] || continue # a list of root's alone is left out
    sed -nE 's/^[[:space:]]*deb([[:space:]])/deb-src\1/p' "$file" >"$apt/parts/${file##*/}.list"
done
for file in "$etc"/sources.list.d/*.sources; do
    [[ -r $file ]] || continue
    sed -E 's/^[Tt]ypes:.*/Types: deb-src/' "$file" >"$apt/parts/${file##*/}"
done

private=(
    -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/parts"
    -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=""
    -o Acquire::Retries=3
)
# An archive without sources, of another vendor say, fails here and does no harm.
apt-get -qq "${private[@]}" update 2>"$apt/update.log" || true
if ! (cd -- "$apt/download" && apt-get -qq "${private[@]}" source --download-only bearssl) \
    >"$apt/source.log" 2>&1; then
    cat -- "$apt/update.log" "$apt/source.log" >&2
    fail "no source package of bearssl from the archives in $etc (messages of apt above)." \
        "A Debian archive with a main component and network access are needed."
fi
[[ -f $apt/download/$archive ]] ||
    fail "the archives have another version of bearssl than $archive: $(cd "$apt/download" && echo *)"
(cd -- "$apt/download" && sha256sum --quiet --strict -c <(printf '%s\n' "$sum")) ||
    fail "$archive is not the source that was reviewed: its SHA-256 differs from SHA256SUM"
tar -xJf "$apt/download/$archive" -C "$folder" --no-same-owner
[[ -f $folder/bearssl-0.6/src/inner.h ]] || fail "$archive has no bearssl-0.6/src/inner.h"
printf '%s\n' "$sum" >"$folder/verified"
rm -rf -- "$apt"
