#include "boot/bearssl.h"
#include "ports.h"

static struct boot_bearssl bearssl;

void ports_board_start(struct boot_crypto *out)
{
    boot_bearssl_port(&bearssl, out);
}

void ports_board_end(void)
{
}
