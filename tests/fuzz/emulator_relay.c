/* Any bytes to an emulated relay board: it is switched by whole frames and by nothing else. */
#include "lcus.h"
#include <assert.h>
#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct em_lcus lcus = {.len = 0};
    uint8_t channel = 0;
    bool on = false;
    for (size_t i = 0; i < size; i++) {
        bool fresh = !lcus.len;
        switch (em_lcus_byte(&lcus, data[i], &channel, &on)) {
        case EM_LCUS_SET:
            assert(i >= 3 && data[i - 3] == 0xA0 && data[i - 2] == channel && data[i - 1] == on);
            assert(((0xA0 + channel + on) & 0xFF) == data[i] && !lcus.len);
            break;
        case EM_LCUS_STATUS:
            assert(fresh && data[i] == 0xFF);
            break;
        case EM_LCUS_NOTHING:
            break;
        }
        assert(lcus.len < sizeof lcus.frame && (!lcus.len || lcus.frame[0] == 0xA0));
    }
    /* However it stands now: three bytes that begin nothing, and a frame is heard. */
    for (int i = 0; i < 3; i++)
        em_lcus_byte(&lcus, 0, &channel, &on);
    em_lcus_byte(&lcus, 0xA0, &channel, &on);
    em_lcus_byte(&lcus, 0x03, &channel, &on);
    em_lcus_byte(&lcus, 0x01, &channel, &on);
    enum em_lcus_said said = em_lcus_byte(&lcus, 0xA4, &channel, &on);
    assert(said == EM_LCUS_SET && channel == 3 && on);
    return 0;
}
