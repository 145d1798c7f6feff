/* brickyard-board-nor: a whole flash image that the board's bootloader boots, out of one firmware
 * image. Signed by a key that is derived for it, and trusted by its factory block alone. */
#include "flash.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail(const char *path)
{
    fprintf(stderr, "brickyard-board-nor: %s: %s\n", path, strerror(errno));
    unlink(path);
    return 1;
}

int main(int argc, char **argv)
{
    static struct bench_flash flash;
    char message[512];
    if (argc != 3) {
        fputs("usage: brickyard-board-nor IMAGE OUT\n", stderr);
        return 1;
    }
    if (bench_flash_make(&flash, argv[1], 0, message, sizeof message)) {
        fprintf(stderr, "brickyard-board-nor: %s\n", message);
        return 1;
    }
    FILE *out = fopen(argv[2], "wbe");
    if (!out)
        return fail(argv[2]);
    bool written = fwrite(flash.nor, sizeof flash.nor, 1, out) == 1;
    return (fclose(out) || !written) ? fail(argv[2]) : 0;
}
