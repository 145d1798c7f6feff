/* The reset record's bytes and its file; agent/flash_file/FORMAT.md. */
#include "flash_file/reset.h"
#include "boot/image.h"
#include "bytes.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { AT_END = 4, AT_FAULTS = 8, AT_BOOTS = 12, AT_TOTAL = 16, AT_CRC = 28 };
static const char magic[4] = {'B', 'Y', 'E', '1'};

_Static_assert((int)AT_CRC + 4 == (int)AGENT_RESET_BYTES, "the CRC is the last word");

static const struct {
    const char *name;
    enum boot_reset reset;
} ends[AGENT_ENDS] = {
    [AGENT_END_RUNNING] = {"running", BOOT_RESET_POWER_ON},
    [AGENT_END_SOFTWARE] = {"software", BOOT_RESET_SOFTWARE},
    [AGENT_END_STOPPED] = {"stopped", BOOT_RESET_PIN},
    [AGENT_END_WATCHDOG] = {"watchdog", BOOT_RESET_WATCHDOG},
    [AGENT_END_HARD_FAULT] = {"hard_fault", BOOT_RESET_HARD_FAULT},
};

const char *agent_end_name(int end)
{
    return end >= 0 && end < AGENT_ENDS ? ends[end].name : "end?";
}

enum boot_reset agent_end_reset(enum agent_end end)
{
    return ends[end].reset;
}

void agent_reset_count(struct agent_reset *reset)
{
    reset->faults++;
    reset->total++;
}

void agent_reset_encode(uint8_t out[AGENT_RESET_BYTES], const struct agent_reset *reset)
{
    memset(out, 0, AGENT_RESET_BYTES);
    memcpy(out, magic, sizeof magic);
    put_u32(out + AT_END, (uint32_t)reset->end);
    put_u32(out + AT_FAULTS, reset->faults);
    put_u32(out + AT_BOOTS, reset->boots);
    put_u32(out + AT_TOTAL, reset->total);
    put_u32(out + AT_CRC, boot_crc32(0, out, AT_CRC));
}

bool agent_reset_decode(struct agent_reset *out, const uint8_t in[AGENT_RESET_BYTES])
{
    uint32_t end = get_u32(in + AT_END);
    memset(out, 0, sizeof *out);
    if (memcmp(in, magic, sizeof magic) || end >= AGENT_ENDS ||
        get_u32(in + AT_CRC) != boot_crc32(0, in, AT_CRC))
        return false;
    *out = (struct agent_reset){.end = (enum agent_end)end,
                                .faults = get_u32(in + AT_FAULTS),
                                .boots = get_u32(in + AT_BOOTS),
                                .total = get_u32(in + AT_TOTAL)};
    return true;
}

int agent_reset_open(const char *path, bool synced, int *fd, struct agent_reset *out)
{
    uint8_t bytes[AGENT_RESET_BYTES] = {0};
    memset(out, 0, sizeof *out);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | (synced ? O_DSYNC : 0), 0644);
    if (*fd < 0)
        return -1;
    if (pread(*fd, bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes)
        agent_reset_decode(out, bytes);
    return 0;
}

int agent_reset_write(int fd, const struct agent_reset *reset)
{
    uint8_t bytes[AGENT_RESET_BYTES];
    agent_reset_encode(bytes, reset);
    return pwrite(fd, bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes ? 0 : -1;
}
