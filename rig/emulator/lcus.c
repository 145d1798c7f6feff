#include "lcus.h"
#include <string.h>

enum { BEGIN = 0xA0, ASK = 0xFF, FRAME = 4 };

static bool is_whole(const uint8_t frame[FRAME])
{
    return frame[2] <= 1 && frame[3] == (uint8_t)(frame[0] + frame[1] + frame[2]);
}

/* A frame may have begun within what was none. */
static void pass_over(struct em_lcus *lcus)
{
    do {
        lcus->len--;
        memmove(lcus->frame, lcus->frame + 1, lcus->len);
    } while (lcus->len && lcus->frame[0] != BEGIN);
}

enum em_lcus_said em_lcus_byte(struct em_lcus *lcus, uint8_t byte, uint8_t *channel, bool *on)
{
    if (!lcus->len && byte != BEGIN)
        return byte == ASK ? EM_LCUS_STATUS : EM_LCUS_NOTHING;
    lcus->frame[lcus->len++] = byte;
    if (lcus->len < FRAME)
        return EM_LCUS_NOTHING;
    if (!is_whole(lcus->frame)) {
        pass_over(lcus);
        return EM_LCUS_NOTHING;
    }
    lcus->len = 0;
    *channel = lcus->frame[1];
    *on = lcus->frame[2];
    return EM_LCUS_SET;
}
