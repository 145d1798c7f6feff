#!/bin/sh
# The oracle must not judge the bootloader or the agent by their own code: neither a symbol of theirs nor one of
# their headers is in it. Arguments: the library, the source folder.
set -eu
library=$1
source=$2
symbols=$(nm -u "$library")
# An empty list would prove nothing: the oracle is known to need these.
printf '%s\n' "$symbols" | grep -q sim_flash_peek
printf '%s\n' "$symbols" | grep -q EVP_DigestVerify
if printf '%s\n' "$symbols" | grep -E ' U (boot_|agent_|camp_|sim_fw_)'; then
    echo "the oracle links the code that it judges" >&2
    exit 1
fi
if grep -nE '#include "(boot|agent|camp)/' "$source"/*.[ch]; then
    echo "the oracle includes headers of the code that it judges" >&2
    exit 1
fi
