#!/bin/sh
# nm_check.sh CC CORE_DIR INCLUDE_DIR: compiles the core without a C library and fails when its objects ask
# for anything but memcpy, memmove, memset, memcmp and the core's own functions. Compiled here and not taken
# from the build, because a sanitizer adds symbols of its own.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for source in "$2"/*.c; do
    "$1" -std=c11 -O2 -ffreestanding -I"$3" -c "$source" -o "$dir/$(basename "$source" .c).o"
done
nm -g --defined-only "$dir"/*.o | awk 'NF == 3 {print $3}' | sort -u > "$dir/defined"
nm -u "$dir"/*.o | awk '$1 == "U" {print $2}' | sort -u > "$dir/undefined"
comm -23 "$dir/undefined" "$dir/defined" > "$dir/outside"
echo "the core asks for: $(tr '\n' ' ' < "$dir/outside")"
test -s "$dir/defined"
if grep -vxE 'memcpy|memmove|memset|memcmp' "$dir/outside"; then
    echo "not allowed in the bootloader core" >&2
    exit 1
fi
