#!/usr/bin/env bash
# apply.sh PATCH SOURCE OUT FILE...: copies the files from the source tree to OUT and patches them there.
# Fails when the patch does not fit exactly (lines may have moved), or when it changes more than 20 lines.
set -euo pipefail
patch=$1 source=$2 out=$3
shift 3
changed=$(grep -cE '^[+-]' "$patch" || true)
headers=$(grep -cE '^(---|\+\+\+) [ab]/' "$patch" || true)
if ((changed - headers > 20)); then
    echo "$patch: $((changed - headers)) changed lines; a canary has 20 at most" >&2
    exit 1
fi
rm -rf -- "$out"
for file; do
    mkdir -p -- "$out/${file%/*}"
    cp -- "$source/$file" "$out/$file"
done
patch --directory="$out" --strip=1 --fuzz=0 --no-backup-if-mismatch --silent --input="$patch"
