#!/usr/bin/env bash
# Every pair of cuts of the bootloader's stories on the tiny geometry, not the sample that ./dev test runs.
set -euo pipefail
cd "$(dirname -- "$0")/../.."
BRICKYARD_SWEEP_STRIDE=1 build/bin/test_boot_sweep
