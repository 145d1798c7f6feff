#!/usr/bin/env bash
# Each bad image of 2.4.0 on BOARDS=20 emulated boards behind relays: all of them roll back, for its own reason, and none
# is bricked (crash-late is confirmed first, and goes for that later). One run each, some 30 to 60 s. A watchdog of 20 s and mqtt_within of 10 s are for boards that share two cores.
set -euo pipefail
cd "$(dirname -- "$0")/../.."
ninja -C build brickyard brickyard-emulator board_rom pump_images
boards=${BOARDS:-20}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

bench() {
    echo "bench: soak"
    echo "state: $work/em"
    echo "emulator: {boards: $boards, folder: $work/em}"
    echo "controllers:"
    for ((r = 1; r <= (boards + 7) / 8; r++)); do
        echo "  bank-$r: {driver: lcus, device: $work/em/relay-$r, rated_cycles: 0}"
    done
    echo "boards:"
    for ((n = 1; n <= boards; n++)); do
        name=$(printf 'board-%02d' "$n")
        echo "  - name: $name"
        echo "    console: {serial: $work/em/$name.console}"
        echo "    line: {serial: $work/em/$name.line}"
        echo "    power: {controller: bank-$(((n + 7) / 8)), channel: $(((n - 1) % 8 + 1)), off_at_least: 300ms}"
        echo "    flash: [cp, \"{image}\", $work/em/$name.nor]"
        echo "    flash_file: $work/em/$name.nor"
    done
}

scenario() { # variant, behaviour
    cat <<EOF
scenario: variant
summary: $1 on $boards boards behind relays
seed: ${SEED:-1}
start: 2026-11-01T10:00:00Z
fleet:
  - {group: pumps, count: $boards, firmware: 2.3.1, hw_revision: Rev-C, telemetry_every: 1s}
device: {mqtt_within: 10s, fault_free: 1s, watchdog: 20s, retry_first: 1s, retry_max: 2s}
flash: {bootloader: 64KiB, boot_config: 2x4KiB, slot: 384KiB, data: 184KiB, sector: 4KiB, page: 256, journal: 64KiB}
firmware:
  2.3.1: {file: $PWD/build/board/pump-2.3.1.bin}
  2.4.0: {file: $PWD/build/board/pump-2.4.0-$1.bin, behaviour: {$2}}
campaign:
  to: 2.4.0
  force: true
  time_scale: 240
  observe: 1m
  silent_after: 24h
  presumed_brick_after: 20h
  phases:
    - {name: all, share: 100%, hold: 1m, gates: []}
expect: {bricked: 0, rolled_back: $boards}
EOF
}

bench >"$work/bench.yaml"
failed=0
# image, what it declares of itself, the reason by which the service knows it
while read -r variant reason behaviour; do
    scenario "$variant" "$behaviour" >"$work/$variant.yaml"
    code=0
    timeout 600 build/brickyard run "$work/$variant.yaml" --world board --bench "$work/bench.yaml" --quiet \
        --json "$work/$variant.json" || code=$?
    if ((code)) || ! grep -q "\"cause\": *\"[^\"]*$reason" "$work/$variant.json"; then
        echo "$variant: exit code $code, reason $reason wanted"
        grep -o '"cause": *"[^"]*"' "$work/$variant.json" | sort | uniq -c || true
        failed=1
    else
        echo "$variant: $boards of $boards rolled back, $reason"
    fi
done <<'EOF'
crash-late faulty_boots
hang watchdog hangs: 100%
hard-fault hard_fault health: {hard_fault: 100%}
no-mqtt mqtt health: {mqtt: 100%}
no-drivers drivers health: {drivers: 100%}
no-config config health: {config: 100%}
no-telemetry telemetry health: {telemetry: 100%}
EOF
exit "$failed"
