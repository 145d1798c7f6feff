#!/bin/sh
# readme_check.sh BRICKYARD CC SOURCE: the glue of sim/dut/README.md compiles by the command given there, and the sweep
# says of it what is written there.
set -eu
brickyard=$1 cc=$2 source=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
readme=$source/sim/dut/README.md
awk '/^```c$/ { on = 1; next } /^```/ { on = 0 } on' "$readme" > "$folder/glue.c"
flags=$(sed -n 's/^gcc \(.*\) \\$/\1/p' "$readme")
cd "$source"
# shellcheck disable=SC2086 -- the flags are words
"$cc" $flags -Werror "$folder/glue.c" -o "$folder/glue.so"
code=0
"$brickyard" sweep scenarios/sweep-tiny.yaml --dut "$folder/glue.so" > "$folder/out" 2> "$folder/err" || code=$?
cat "$folder/out" "$folder/err"
[ "$code" = 3 ]
for words in 'UNSAFE, exit code 3: no_brick' 'came to rest without asking for its update'; do
    grep -qF "$words" "$folder/out"
    grep -qF "$words" "$readme"
done
