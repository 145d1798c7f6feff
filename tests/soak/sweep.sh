#!/usr/bin/env bash
# What a sweep takes too long for in `./dev test`: every geometry with one cut, all pairs of cuts on 64 KiB,
# and any number of cuts where images are larger. Every pair of cuts of the bootloader's own stories too.
# SWEEPS=all adds any number of cuts on 512 KiB, which takes many hours.
set -euo pipefail
cd "$(dirname -- "$0")/../.."
BRICKYARD_SWEEP_STRIDE=1 build/bin/test_boot_sweep
sweep() {
    echo "sweep $*"
    build/brickyard sweep "$@" 2>/dev/null
}
for geometry in 16k 64k 512k; do sweep "scenarios/sweep-$geometry.yaml"; done
sweep scenarios/sweep-tiny.yaml --cuts 2
sweep scenarios/sweep-64k.yaml --cuts 2
bash tests/sweep/fixpoint.sh build/brickyard
sweep scenarios/sweep-16k.yaml --cuts any
[[ ${SWEEPS-} != all ]] || sweep scenarios/sweep-512k.yaml --cuts any
