#!/bin/sh
# size.sh ROM_ELF ROM_BYTES RAM_BYTES: prints the bootloader's sizes, fails when it does not fit. Data and
# bss leave 20 KiB of its RAM to the stack.
set -eu
arm-none-eabi-size "$1"
rom=$(arm-none-eabi-size "$1" | awk 'END {print $1 + $2}')
ram=$(arm-none-eabi-size "$1" | awk 'END {print $2 + $3}')
echo "bootloader: $rom of $2 bytes of ROM, $ram bytes of data in RAM"
test "$rom" -gt 0 && test "$rom" -lt "$2" && test "$ram" -lt $(($3 - 20480))
# What the start-up's vector table needs to be true: it is at 0.
arm-none-eabi-nm "$1" | grep -q '^00000000 . vectors$'
