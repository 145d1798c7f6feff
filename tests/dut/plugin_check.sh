#!/bin/sh
# plugin_check.sh PLUGIN LIBRARY...: fails when the plugin shows any symbol but dut_device, asks for
# heap, clock or crypto, or when a library of it has data that can be written.
set -eu
plugin=$1
shift
shown=$(nm -D --defined-only "$plugin" | awk '{print $3}')
if [ "$shown" != dut_device ]; then
    echo "the plugin shows: $shown" >&2
    exit 1
fi
if nm -D -u "$plugin" | grep -wE 'malloc|calloc|realloc|free|time|clock_gettime|rand|SHA256.*|EVP_.*'; then
    echo "not for a device to ask for" >&2
    exit 1
fi
# A sanitizer keeps writable data of its own beside each file.
if nm "$1" | grep -q __asan_; then
    exit 0
fi
objdump -h "$@" | awk '
    /file format/ { file = $1 }
    $2 == ".data" || $2 == ".bss" || $2 == ".tdata" || $2 == ".tbss" {
        if ($3 !~ /^0+$/) { print file " has " $2 " of 0x" $3 " bytes"; bad = 1 }
    }
    END { exit bad }'
