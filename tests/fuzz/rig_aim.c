/* Any text as an aim: refused with a message, or something whose moments are in its window. */
#include "rig/aim.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t day_us = INT64_C(24) * 3600 * 1000000;

static void check(const struct rig_aim *aim)
{
    static const uint64_t cut[] = {0, 1, 2, 1000003, UINT64_MAX};
    if (aim->from_us < 0 || aim->to_us < aim->from_us || aim->to_us > day_us)
        abort();
    if (!aim->pattern && aim->kind != RIG_AIM_RANDOM)
        abort();
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        int64_t us = rig_aim_delay_us(aim, 1, cut[i]);
        if (us < aim->from_us || us > aim->to_us)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig_aim aim;
    char message[300] = "", *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (!rig_aim_read(&aim, text, message, sizeof message))
        check(&aim);
    else if (!strstr(message, "column ") || aim.pattern)
        abort();
    rig_aim_free(&aim);
    free(text);
    return 0;
}
