#!/usr/bin/env bash
# The reference campaign over seeds 1 to 40 (SEEDS=N for fewer): no promise broken, every gate stop listed
# with its k/n, and no possible cell of the cut table (state x region x form) empty.
set -euo pipefail
cd "$(dirname -- "$0")/../.."
seeds=${SEEDS:-40}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
forms="before nothing prefix suffix random unstable after"
failed=0 stops=0

for ((seed = 1; seed <= seeds; seed++)); do
    code=0
    build/brickyard run scenarios/campaign-5000.yaml --seed "$seed" --quiet --db "$work/run.db" || code=$?
    case $code in
    0) ;;
    2 | 7)
        stops=$((stops + 1))
        sqlite3 -separator ' ' "$work/run.db" \
            "SELECT 'seed $seed stopped in ' || phase.name || ': ' || gate.metric, gate.numerator || '/' || gate.denominator, 'red if ' || gate.red_if
             FROM gate JOIN phase ON phase.position = gate.phase WHERE gate.state = 'red'"
        ;;
    *)
        echo "seed $seed: exit code $code"
        failed=1
        ;;
    esac
    broken=$(sqlite3 "$work/run.db" "SELECT name || ' ' || first_token FROM promise WHERE broken > 0")
    [[ -z $broken ]] || { echo "seed $seed: promise broken: $broken"; failed=1; }
    sqlite3 -separator ' ' "$work/run.db" "SELECT replace(state, ' ', '_'), region, form, cuts FROM cut" >>"$work/cuts"
done
echo "$seeds seeds, $stops stopped by a gate"

awk '{cuts[$1 " " $2 " " $3] += $4; all += $4} END {for (c in cuts) print c, cuts[c]; print all " cuts" > "/dev/stderr"}' \
    "$work/cuts" | sort >"$work/table"
while read -r state region; do
    [[ $state == \#* || -z $state ]] && continue
    for form in $forms; do
        grep -q "^$state $region $form " "$work/table" || { echo "empty cell: $state $region $form"; failed=1; }
    done
done <tests/soak/cells.txt
while read -r state region form cuts; do
    [[ $region == none ]] || grep -qx "$state $region" tests/soak/cells.txt ||
        { echo "a cell that tests/soak/cells.txt does not list: $state $region $form ($cuts)"; failed=1; }
done <"$work/table"
exit "$failed"
