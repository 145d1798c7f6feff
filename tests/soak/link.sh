#!/usr/bin/env bash
# The OTA line over many more seeds than `./dev test` has time for.
set -euo pipefail
cd "$(dirname -- "$0")/../.."
BRICKYARD_LINK_SEEDS=${LINK_SEEDS:-200} build/bin/test_link
