#include "kit.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

char kit_folder[64];

void kit_open(void)
{
    snprintf(kit_folder, sizeof kit_folder, "/tmp/brickyard-bench-XXXXXX");
    cr_assert(mkdtemp(kit_folder));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

void kit_close(void)
{
    if (*kit_folder)
        nftw(kit_folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *kit_path(const char *name)
{
    static char buffers[8][160];
    static unsigned next;
    char *out = buffers[next++ % 8];
    snprintf(out, sizeof buffers[0], "%s/%s", kit_folder, name);
    return out;
}

void kit_write(const char *name, const char *text)
{
    FILE *file = fopen(kit_path(name), "w");
    cr_assert(file);
    cr_assert(fputs(text, file) >= 0);
    cr_assert_eq(fclose(file), 0);
}

const char *kit_read(const char *name)
{
    static char text[16384];
    FILE *file = fopen(kit_path(name), "r");
    size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[len] = '\0';
    return text;
}

bool kit_is_there(const char *name)
{
    return !access(kit_path(name), F_OK);
}

void kit_line_open(struct kit_line *line, const char *name)
{
    struct termios raw;
    snprintf(line->name, sizeof line->name, "%s", name);
    line->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert(line->master >= 0 && !grantpt(line->master) && !unlockpt(line->master));
    line->slave = open(ptsname(line->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert(line->slave >= 0 && !tcgetattr(line->slave, &raw));
    cfmakeraw(&raw);
    cr_assert_eq(tcsetattr(line->slave, TCSANOW, &raw), 0);
    cr_assert_eq(symlink(ptsname(line->master), kit_path(name)), 0);
}

void kit_line_unplug(struct kit_line *line)
{
    close(line->slave);
    close(line->master);
    unlink(kit_path(line->name));
    line->master = line->slave = -1;
}

bool kit_line_take(struct kit_line *line, void *bytes, size_t len, int timeout_ms)
{
    int64_t until_ms = kit_now_ms() + timeout_ms;
    for (size_t got = 0; got < len;) {
        struct pollfd on = {.fd = line->master, .events = POLLIN};
        int64_t left_ms = until_ms - kit_now_ms();
        if (left_ms < 0 || poll(&on, 1, (int)left_ms) != 1)
            return false;
        ssize_t more = read(line->master, (char *)bytes + got, len - got);
        if (more <= 0)
            return false;
        got += (size_t)more;
    }
    return true;
}

bool kit_line_is_silent(struct kit_line *line, int for_ms)
{
    char byte;
    return !kit_line_take(line, &byte, 1, for_ms);
}

void kit_line_say(struct kit_line *line, const char *text)
{
    cr_assert_eq(write(line->master, text, strlen(text)), (ssize_t)strlen(text));
}

bool kit_frame_is(struct kit_line *line, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    uint8_t want[4] = {a, b, c, d}, got[4] = {0};
    bool whole = kit_line_take(line, got, 4, 60000);
    cr_expect(whole && !memcmp(want, got, 4), "%02X %02X %02X %02X instead of %02X %02X %02X %02X",
              got[0], got[1], got[2], got[3], a, b, c, d);
    return whole && !memcmp(want, got, 4);
}

int64_t kit_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
