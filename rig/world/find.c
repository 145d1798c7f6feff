/* What has to be there before anything is started: QEMU, and the bootloader's ROM. */
#include "world_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beside the running program, so that both are of one build. */
static int find_rom(struct rig_world *rw, char *message, size_t len)
{
    char self[RW_PATH_MAX] = "";
    if (rw->rom_given) {
        snprintf(rw->rom, sizeof rw->rom, "%s", rw->rom_given);
    } else {
        ssize_t got = readlink("/proc/self/exe", self, sizeof self - 32);
        char *slash = got > 0 ? strrchr(self, '/') : NULL;
        if (slash)
            snprintf(rw->rom, sizeof rw->rom, "%.*s/board/rom.elf", (int)(slash - self), self);
    }
    if (!access(rw->rom, R_OK))
        return 0;
    snprintf(message, len,
             "%s: %s; the world `board` runs the bootloader that lies in board/ beside brickyard: "
             "build it (ninja -C build board_rom; it needs gcc-arm-none-eabi and "
             "bootloader/ports/bearssl/fetch.sh)",
             rw->rom, strerror(errno));
    return -1;
}

/* What goes into the mask ROM: the ELF without its symbols, where the build made it. */
static uint64_t rom_bytes(const struct rig_world *rw)
{
    char path[RW_PATH_MAX];
    struct stat info;
    size_t stem = strlen(rw->rom) > 4 ? strlen(rw->rom) - 4 : 0;
    snprintf(path, sizeof path, "%.*s.bin", (int)stem, rw->rom);
    return stem && !stat(path, &info) ? (uint64_t)info.st_size : 0;
}

/* "QEMU emulator version 7.2.22 (Debian ...)": 7.2.22 */
static void take_version(struct rig_world *rw, const char *line)
{
    static const char before[] = "version ";
    const char *at = strstr(line, before);
    at = at ? at + strlen(before) : line;
    snprintf(rw->version, sizeof rw->version, "%.*s", (int)strcspn(at, " (\n"), at);
}

static int find_qemu(struct rig_world *rw, char *message, size_t len)
{
    char command[RW_PATH_MAX], line[256] = "";
    snprintf(command, sizeof command, "exec '%.600s' --version 2>/dev/null", rw->qemu);
    FILE *out = popen(command, "re");
    bool said = out && fgets(line, sizeof line, out);
    int status = out ? pclose(out) : -1;
    if (said && status == 0) {
        take_version(rw, line);
        return 0;
    }
    snprintf(message, len,
             "%s: it can't be run; the world `board` needs QEMU: install the package "
             "qemu-system-arm",
             rw->qemu);
    return -1;
}

int rw_find(struct rig_world *rw, char *message, size_t len)
{
    if (find_rom(rw, message, len) || find_qemu(rw, message, len))
        return -1;
    rw->rom_bytes = rom_bytes(rw);
    return 0;
}
