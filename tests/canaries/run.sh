#!/usr/bin/env bash
# Sweeps every canary of expected.txt, and every base without a bug. Prints the table of what was caught.
#
#   run.sh [--build FOLDER] [--print] [--most-cuts N] [--without NAME]... [NAME...]
#
# --build: the build to use (build/, with its target `canaries` built). --most-cuts: only canaries that need
# this many cuts or fewer. --without: all but these. --print: what was found as a new expected.txt, for review. 0 when every canary
# broke the expected promise with the expected number of cuts and a token that replays, and every twin passed.
set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
cd "$here/../.."
build=build print=0 most=99 names=() without=()
while (($#)); do
    case $1 in
    --build) build=$2 && shift 2 ;;
    --most-cuts) most=$2 && shift 2 ;;
    --without) without+=("$2") && shift 2 ;;
    --print) print=1 && shift ;;
    *) names+=("$1") && shift ;;
    esac
done
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# rows: the lines of expected.txt that were asked for, fields parted by '|', without blanks around them.
rows() {
    local name
    sed -e '/^#/d; /^ *$/d; s/ *| */|/g; s/ *$//' "$here/expected.txt" | while IFS= read -r row; do
        name=${row%%|*}
        ((${#names[@]} == 0)) || [[ " ${names[*]} " == *" $name "* ]] || continue
        [[ " ${without[*]} " != *" $name "* ]] || continue
        ((${row##*|} > most)) || printf '%s\n' "$row"
    done
}

# of_json FILE SQL: a query over the text of a JSON file, its columns parted by '|'.
of_json() {
    sqlite3 :memory: "WITH file(text) AS (SELECT CAST(readfile('$1') AS TEXT)) $2"
}

# sweep OUT SCENARIO PLUGIN OPTION...: the result's JSON and its time in OUT; the exit code.
sweep() {
    local out=$1 scenario=$2 plugin=$3 begin=$EPOCHREALTIME code=0
    shift 3
    "$build/brickyard" sweep "$scenario" --dut "$build/bin/$plugin.so" --jobs 1 "$@" --json - \
        >"$out.json" 2>"$out.log" || code=$?
    awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }' >"$out.seconds"
    return "$code"
}

# Fails with one line of why on standard output.
try_twin() {
    local out=$1 base=$2 scenario=$3 code=0
    shift 3
    sweep "$out" "$scenario" "twin_$base" "$@" || code=$?
    ((code == 0)) || echo "twin of $base: exit code $code instead of 0 ($scenario $*): $(tail -n 1 "$out.log")"
}

# The row's found promise, cuts and token in OUT.found.
try_canary() {
    local out=$1 name=$2 scenario=$3 promise=$4 cuts=$5 code=0 again=0 order
    shift 5
    sweep "$out" "$scenario" "canary_$name" "$@" || code=$?
    if ((code != 3 && code != 4)); then
        echo "$name: not caught, exit code $code ($scenario $*): $(tail -n 1 "$out.log")"
        return
    fi
    # What was expected comes first, so that a new table keeps it; else the fewest cuts.
    order="json_extract(value, '\$.promise') = '$promise' DESC, json_extract(value, '\$.cuts')"
    of_json "$out.json" "SELECT json_extract(value, '\$.promise'), json_extract(value, '\$.cuts'),
        json_extract(value, '\$.token') FROM file, json_each(text, '\$.broken') ORDER BY $order LIMIT 1" >"$out.found"
    IFS='|' read -r found fewest token <"$out.found"
    [[ $found == "$promise" ]] || echo "$name: breaks $found instead of $promise"
    [[ $fewest == "$cuts" ]] || echo "$name: $found was broken with $fewest cuts instead of $cuts"
    "$build/brickyard" replay "$token" >"$out.replay" 2>&1 || again=$?
    # A sweep ends with 3 if anything was unsafe; this one history may only not converge.
    ((again == code)) || [[ $again == 4 && $found == convergence ]] ||
        echo "$name: replay ends with $again, the sweep with $code: $token"
}

# Runs "$@" beside others, as many as there are processors; what it says is a problem.
beside() {
    local out=$1
    shift
    while (($(jobs -rp | wc -l) >= $(nproc))); do wait -n || true; done
    "$@" >"$out.problem" 2>&1 || echo "$*: the script failed" >>"$out.problem" &
}

rows >"$work/rows"
[[ -s $work/rows ]] || { echo "no such canary" >&2 && exit 1; }
while IFS='|' read -r name base scenario options promise cuts; do
    read -ra option <<<"$options"
    beside "$work/$name" try_canary "$work/$name" "$name" "$scenario" "$promise" "$cuts" "${option[@]}"
done <"$work/rows"
while IFS='|' read -r base scenario options; do
    read -ra option <<<"$options"
    out=$work/twin-$((twins = ${twins:-0} + 1))
    beside "$out" try_twin "$out" "$base" "$scenario" "${option[@]}"
    echo "twin_$base|$scenario|$options|$out" >>"$work/twins"
done < <(cut -d'|' -f2-4 "$work/rows" | sort -u)
wait

if ((print)); then
    sed -n '/^#/p' "$here/expected.txt"
    while IFS='|' read -r name base scenario options promise cuts; do
        found='?' fewest='?'
        [[ ! -s $work/$name.found ]] || IFS='|' read -r found fewest _ <"$work/$name.found"
        printf '%-26s | %-4s | %s | %-10s | %-23s | %s\n' "$name" "$base" "$scenario" "$options" "$found" "$fewest"
    done <"$work/rows"
    exit
fi
printf '%-26s  %4s  %-23s  %5s  %s\n' canary cuts 'promise broken' s 'bug, token'
while IFS='|' read -r name base scenario options promise cuts; do
    found='not caught' fewest=- token=-
    [[ ! -s $work/$name.found ]] || IFS='|' read -r found fewest token <"$work/$name.found"
    printf '%-26s  %4s  %-23s  %5s  %s\n' "$name" "$fewest" "$found" "$(<"$work/$name.seconds")" \
        "$(sed -n 's/^# bug: //p' "$here/patches/$name.patch") ($(sed -n 's/^# source: //p' "$here/patches/$name.patch"))"
    printf '%68s%s\n' '' "$token"
done <"$work/rows"
while IFS='|' read -r twin scenario options out; do
    verdict=passes
    [[ ! -s $out.problem ]] || verdict=fails
    printf '%-26s  %4s  %-23s  %5s  %s %s\n' "$twin" - "$verdict" "$(<"$out.seconds")" "$scenario" "$options"
done <"$work/twins"
cat "$work"/*.problem >&2
[[ -z $(cat "$work"/*.problem) ]]
