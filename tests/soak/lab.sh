#!/usr/bin/env bash
# Histories by seed on the QEMU board, each in the simulator too: minutes instead of the few of `./dev test`.
# LAB_SEED draws others, LAB_DRAWS says how many.
set -euo pipefail
cd "$(dirname -- "$0")/../.."
export BRICKYARD_SOURCE=$PWD LAB_SEED=${LAB_SEED-7} LAB_DRAWS=${LAB_DRAWS-200}
for test in test_lab_paper test_lab_board; do
    echo "$test: $LAB_DRAWS histories of seed $LAB_SEED"
    "build/bin/$test" --filter '*/histories_by_seed*' --timeout 3600
done
