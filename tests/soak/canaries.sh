#!/usr/bin/env bash
# The table of the canaries: bug, token, cuts needed, promise broken.
set -euo pipefail
cd "$(dirname -- "$0")/../.."
cmake --build build --target canaries >/dev/null
tests/canaries/run.sh
