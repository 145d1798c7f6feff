#!/usr/bin/env bash
# Promise 7 across compilers and optimisation levels: gcc and clang, -O0 and -O2, 1, 2 and 4 threads give
# one digest, and another seed gives another. The variants build what a digest takes (digest.c), not the whole command;
# VARIANTS are others than gcc's -O0 and clang's -O2, as in tests/soak/digest.sh.
set -euo pipefail
cd "$(dirname -- "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

run() { # run PROGRAM ARGUMENT...: prints the digest
    local program=$1
    shift
    "$program" run scenarios/campaign-5000.yaml --devices 300 --quiet --json "$work/run.json" "$@" || [[ $? == 2 ]]
    grep -o '"digest": *"[0-9a-f]*"' "$work/run.json" | grep -o '[0-9a-f]\{32\}'
}

failed=0
same() { # same WHAT DIGEST
    if [[ $2 == "$reference" ]]; then
        echo "$1: $2"
    else
        echo "$1: $2, not $reference"
        failed=1
    fi
}

reference=$(run build/brickyard --jobs 1)
echo "gcc -O2, 1 thread: $reference"
same "gcc -O2, 2 threads" "$(run build/brickyard --jobs 2)"
same "gcc -O2, 4 threads" "$(run build/brickyard --jobs 4)"
same "gcc -O1 with sanitizers" "$(run build-asan/brickyard --jobs 2)"
for variant in ${VARIANTS:-gcc:-O0 clang:-O2}; do
    folder=build-digest-${variant/:/}
    cmake -G Ninja -B "$folder" -DCMAKE_C_COMPILER="${variant%%:*}" -DCMAKE_C_FLAGS="${variant##*:}" >"$work/log" &&
        ninja -C "$folder" brickyard_digest >"$work/log" || { cat "$work/log"; exit 1; }
    same "${variant/:/ }" "$("$folder/bin/brickyard_digest" scenarios/campaign-5000.yaml 300 2)"
done
other=$(run build/brickyard --jobs 2 --seed 2)
[[ $other != "$reference" ]] || { echo "seed 2 gives the digest of seed 1"; failed=1; }
exit "$failed"
