#!/usr/bin/env bash
# One digest for further compilers' levels than tests/builds/digest.sh has time for in `./dev test`.
set -euo pipefail
cd "$(dirname -- "$0")/../.."
cmake --preset dev >/dev/null && ninja -C build-asan brickyard >/dev/null
VARIANTS="clang:-O0 clang:-O1 gcc:-O1 gcc:-O3" bash tests/builds/digest.sh
