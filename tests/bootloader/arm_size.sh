#!/bin/sh
# arm_size.sh CORE_DIR INCLUDE_DIR: compiles the core for a Cortex-M4 and fails at 16 KiB of code (with its
# constants, without a crypto port). A missing compiler fails too: ./dev installs it.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for source in "$1"/*.c; do
    arm-none-eabi-gcc -std=c11 -mcpu=cortex-m4 -mthumb -Os -ffreestanding -ffunction-sections \
        -Wall -Wextra -Wshadow -Wconversion -Werror -I"$2" -c "$source" \
        -o "$dir/$(basename "$source" .c).o"
done
arm-none-eabi-size -t "$dir"/*.o
text=$(arm-none-eabi-size -t "$dir"/*.o | awk 'END {print $1}')
data=$(arm-none-eabi-size -t "$dir"/*.o | awk 'END {print $2 + $3}')
echo "Cortex-M4: $text bytes of code and constants, $data bytes of data"
test "$text" -gt 0 && test "$text" -lt 16384 && test "$data" -eq 0
