/* Judgements that need no memory: may an image run here, and is a region still the same. */
#include "sim/oracle.h"
#include <assert.h>
#include <ctype.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* The length of the run of digits, leading zeros left out; *text is moved to its first digit. */
static size_t digit_run(const char **text)
{
    size_t len = 0;
    while (**text == '0')
        (*text)++;
    while (isdigit((unsigned char)(*text)[len]))
        len++;
    return len;
}

/* The first difference decides: of two numbers the longer, else byte by byte. */
static int revision_order(const char *a, const char *b)
{
    for (;;) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            size_t a_len = digit_run(&a), b_len = digit_run(&b);
            if (a_len != b_len)
                return a_len < b_len ? -1 : 1;
            int order = memcmp(a, b, a_len);
            if (order)
                return order;
            a += a_len;
            b += b_len;
        } else if (*a != *b || !*a) {
            return (unsigned char)*a - (unsigned char)*b;
        } else {
            a++;
            b++;
        }
    }
}

const char *sim_oracle_may_run(const struct sim_oracle_slot *slot, const char *device_type,
                               const char *hw_revision, uint32_t counter_floor)
{
    assert(slot && device_type && hw_revision);
    if (!slot->valid)
        return "the image does not verify";
    if (slot->revoked)
        return "the image is signed by a revoked key";
    if (strcmp(slot->device_type, device_type) != 0)
        return "the image is for another device type";
    if (revision_order(slot->min_hw_revision, hw_revision) > 0)
        return "the image needs a newer hardware revision";
    if (slot->security_counter < counter_floor)
        return "the image is below the security counter";
    return NULL;
}

uint64_t sim_oracle_region_hash(const struct sim_flash *flash, uint32_t addr, uint32_t len)
{
    uint8_t piece[16 << 10];
    XXH3_state_t state;
    XXH3_INITSTATE(&state);
    XXH3_64bits_reset(&state);
    for (uint32_t done = 0, take; done < len; done += take) {
        take = len - done < sizeof piece ? len - done : (uint32_t)sizeof piece;
        sim_flash_peek(flash, addr + done, piece, take, 0);
        XXH3_64bits_update(&state, piece, take);
    }
    return XXH3_64bits_digest(&state);
}
