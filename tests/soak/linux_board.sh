#!/usr/bin/env bash
# The Linux board, 20 times (CYCLES=N): a bad version cut and rolled back for its own reason, then 2.3.1
# updated to 2.4.0 while it is cut twice, each judged by its flash and by what the broker heard.
set -euo pipefail
cd "$(dirname -- "$0")/../.."
rig/linux/make.sh
ninja -C build test_linux_board
BRICKYARD_SOURCE=$PWD BRICKYARD_BIN=$PWD/build/brickyard LINUX_BOARD_CYCLES=${CYCLES:-20} \
    LINUX_BOARD_CUTS=2 LINUX_BOARD_SEED=${SEED:-1} timeout 3600 build/bin/test_linux_board \
    --filter 'linux_board/is_cut*'
