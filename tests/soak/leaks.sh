#!/usr/bin/env bash
# Each misbehaviour of servers and network a thousand times, on real sockets, under ASan and LeakSanitizer: the
# program may end with no report of theirs, the faults have to have fired (a hole of 3 s is not noticed by who says nothing in
# it: half of them is enough; one that was armed and had no effect is exit code 6), and at the end no more descriptors are open
# than the connected fleet needs: one for each device, three where it goes through the proxy, and a few.
#   tests/soak/leaks.sh [HOW...]    some of them; DEVICES=1000
set -uo pipefail
cd "$(dirname -- "$0")/../.."
devices=${DEVICES:-1000}
program=${BRICKYARD_ASAN:-build-asan/brickyard}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failed=0

if [[ -z ${BRICKYARD_ASAN-} ]]; then
    cmake --preset dev >/dev/null && ninja -C build-asan brickyard >/dev/null || exit 1
fi

all=(bit_flip truncated wrong_file stale_file wrong_length garbage http_403 http_404 http_500 endless disconnect
    http_416 redirect_loop huge_headers drop_reset drop_close drop_slow_close drop_black_hole
    power_loss)

scenario() {
    local fault="{kind: corrupt_download, how: $1}"
    case $1 in
    drop_*) fault="{kind: network_drop, how: ${1#drop_}, at: 1s, for: 3s}" ;;
    power_loss) fault="{kind: power_loss, during: any, torn: any, off_for: 1s}" ;;
    esac
    cat <<YAML
scenario: leaks
start: 2026-03-19T10:00:00Z
fleet: [{group: pumps, count: $devices, firmware: 2.3.1, telemetry_every: 1h}]
device: {mqtt_within: 60s, fault_free: 1s, watchdog: 90s, retry_first: 1s, retry_max: 2s}
flash: {slot: 64KiB, data: 128KiB}
firmware: {2.3.1: {size: 16KiB}, 2.4.0: {size: 17KiB}}
campaign:
  to: 2.4.0
  force: true
  observe: 0s
  phases: [{name: all, share: 100%, hold: 1s, gates: [{metric: brick, stop_if: "> 0%"}]}]
faults: [$fault]
YAML
}

# Descriptors of the process, ten times a second.
watch_files() {
    local pid=$1
    while [[ -d /proc/$pid ]]; do
        ls "/proc/$pid/fd" 2>/dev/null | wc -l
        sleep 0.1
    done >"$work/files"
}

for how in "${@:-${all[@]}}"; do
    scenario "$how" >"$work/s.yaml"
    "$program" run "$work/s.yaml" --world loopback --json "$work/run.json" -q 2>"$work/err" &
    pid=$!
    watch_files "$pid"
    wait "$pid"
    code=$?
    fired=$(sed -n 's/.*"fired": *\([0-9]*\).*/\1/p' "$work/run.json" | head -n 1)
    # The last sample but those of the end itself.
    last=$(grep -vx 0 "$work/files" | tail -n 8 | head -n 1)
    most=$((devices * 3 + 64))
    [[ $how != power_loss ]] || most=$((devices + 64))
    reports=$(grep -cE "ERROR: (Address|Leak)Sanitizer|runtime error" "$work/err")
    echo "$how: exit code $code, fired $fired, $last descriptors at the end (at most $most), $reports reports"
    if ((code != 0 || reports != 0 || fired < devices / 2 || last > most)); then
        tail -n 5 "$work/err"
        failed=1
    fi
done
exit "$failed"
