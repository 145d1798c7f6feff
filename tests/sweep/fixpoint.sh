#!/usr/bin/env bash
# fixpoint.sh BRICKYARD [OPTION...]: any number of cuts on the tiny geometry, until no new state is left. The
# sentence that says so is looked for too, as exit code 0 alone would also be that of a search cut short.
set -euo pipefail
cd "$(dirname -- "$0")/../.."
brickyard=$1
shift
"$brickyard" sweep scenarios/sweep-tiny.yaml --cuts any "$@" 2>/dev/null | tee /dev/stderr |
    grep -E '^  no reachable state bricks, [1-9][0-9]+ states, [1-9][0-9]+ cuts$' >/dev/null
