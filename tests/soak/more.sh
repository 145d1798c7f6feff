#!/usr/bin/env bash
# Test programs which repeat more with BRICKYARD_SOAK (soak.h) than `./dev test` has time for.
set -euo pipefail
cd "$(dirname -- "$0")/../.."
export BRICKYARD_SOAK=1 BRICKYARD_SOURCE=$PWD BRICKYARD_BIN=$PWD/build/brickyard
failed=0
for test in agent_text bootloader chaos_proxy drivers fleet lab_board lab_crypto link rig_board rig_console rig_site_run rig_world servers sweep_engine; do
    ninja -C build "test_$test" >/dev/null
    echo "$test"
    timeout 3600 "build/bin/test_$test" || failed=1
done
exit "$failed"
