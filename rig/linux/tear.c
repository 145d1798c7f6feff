/*
 * What the operation leaves that power went in.
 *
 * The record on the second disk says which one it is, with its bytes: "in progress" was on that
 * disk before any byte of the operation was submitted, and "ended" before the agent went on. In
 * between the flash file holds all, a part or nothing of it. What it was before comes from the log
 * of writes: the last group of writes (up to the flush before it) is this operation's if all of it
 * lies where the operation does and says what it was to say. So the cells before are known, and
 * each torn form can be made as the simulator makes it.
 */
#include "flash_file/op.h"
#include "linux_internal.h"
#include "sim/flash.h"
#include "write_log.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct mapped {
    uint8_t *bytes;
    size_t len;
};

static int fail(char *message, size_t len, const char *name, const char *what)
{
    snprintf(message, len, "%s: %s", name, what);
    return -1;
}

static int map_file(struct mapped *out, const char *name, bool change, char *message, size_t len)
{
    struct stat file;
    int fd = open(name, (change ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    *out = (struct mapped){0};
    if (fd < 0 || fstat(fd, &file)) {
        int reason = errno;
        if (fd >= 0)
            close(fd);
        return fail(message, len, name, strerror(reason));
    }
    if (file.st_size) {
        void *bytes = mmap(NULL, (size_t)file.st_size, change ? PROT_READ | PROT_WRITE : PROT_READ,
                           MAP_SHARED, fd, 0);
        if (bytes != MAP_FAILED)
            *out = (struct mapped){bytes, (size_t)file.st_size};
    }
    int reason = errno;
    close(fd);
    return !file.st_size || out->bytes ? 0 : fail(message, len, name, strerror(reason));
}

static void unmap(struct mapped *map)
{
    if (map->bytes)
        munmap(map->bytes, map->len);
}

/* ---- The record ---- */

static bool read_record(const struct rig_linux *board, struct agent_op *op,
                        uint8_t data[AGENT_OP_DATA_MAX])
{
    uint8_t bytes[AGENT_OP_BYTES];
    int fd = open(board->config.records, O_RDONLY | O_CLOEXEC);
    bool read =
        fd >= 0 && pread(fd, bytes, sizeof bytes, AGENT_RECORDS_AT_OP) == (ssize_t)sizeof bytes;
    if (fd >= 0)
        close(fd);
    if (!read || !agent_op_decode(op, bytes) || !op->number)
        return false;
    memcpy(data, bytes + AGENT_OP_HEAD_BYTES, AGENT_OP_DATA_MAX);
    return true;
}

static struct rig_op told(const struct agent_op *op)
{
    return (struct rig_op){.number = op->number,
                           .erase = op->kind == AGENT_OP_ERASE,
                           .addr = op->addr,
                           .len = op->len};
}

bool rig_linux_last_op(const struct rig_linux *board, struct rig_op *op, bool *ended)
{
    uint8_t data[AGENT_OP_DATA_MAX];
    struct agent_op noted;
    if (!read_record(board, &noted, data))
        return false;
    *op = told(&noted);
    *ended = !noted.in_progress;
    return true;
}

/* A guest's record is not trusted: the operation has to be one that the port would not refuse. */
static bool fits(const struct boot_layout *layout, const struct agent_op *op)
{
    uint32_t bytes = layout->data_addr + layout->data_bytes;
    uint32_t unit = op->kind == AGENT_OP_ERASE ? layout->sector_bytes : layout->page_bytes;
    return op->addr <= bytes && op->len <= bytes - op->addr && op->addr % unit == 0 &&
           op->len % unit == 0 && (op->kind == AGENT_OP_PROGRAM || op->len == unit);
}

/* ---- The log ---- */

struct span {
    uint64_t from, to;
};

static struct span common(const struct rig_log_entry *entry, const struct agent_op *op)
{
    uint64_t end = entry->addr + entry->len, op_end = (uint64_t)op->addr + op->len;
    struct span both = {entry->addr > op->addr ? entry->addr : op->addr,
                        end < op_end ? end : op_end};
    if (both.to < both.from)
        both.to = both.from;
    return both;
}

static bool says(const struct rig_log_entry *entry, const struct agent_op *op,
                 const uint8_t data[AGENT_OP_DATA_MAX])
{
    struct span both = common(entry, op);
    if (!entry->data || both.from == both.to)
        return false;
    for (uint64_t at = both.from; at < both.to; at++) {
        uint8_t want = op->kind == AGENT_OP_ERASE ? 0xFF : data[at - op->addr];
        if (entry->data[at - entry->addr] != want)
            return false;
    }
    return true;
}

/* Where the last group of writes begins, and whether it is the operation's. Flushes at the very end
 * belong to it. */
static bool last_group(const struct mapped *log, const struct agent_op *op, const uint8_t *data,
                       size_t *begins)
{
    struct rig_log_entry entry;
    bool ours = false, flushed = true;
    for (size_t at = 0, before = 0; rig_log_next(log->bytes, log->len, &at, &entry); before = at) {
        if (entry.len && flushed) {
            *begins = before;
            ours = true;
        }
        if (entry.len)
            ours = ours && says(&entry, op, data);
        flushed = entry.len ? entry.flags & (RIG_LOG_FLUSH | RIG_LOG_FUA) : true;
    }
    return ours;
}

/* What the cells of the operation held before the group: as at power on, and then as written. */
static void rewind_to(const struct mapped *log, const struct agent_op *op, size_t begins,
                      const uint8_t *at_power_on, uint8_t *was)
{
    struct rig_log_entry entry;
    memcpy(was, at_power_on + op->addr, op->len);
    for (size_t at = 0; at < begins && rig_log_next(log->bytes, log->len, &at, &entry);) {
        struct span both = common(&entry, op);
        if (at <= begins && entry.data && both.from < both.to)
            memcpy(was + (both.from - op->addr), entry.data + (both.from - entry.addr),
                   both.to - both.from);
    }
}

/* ---- The form ---- */

static enum scn_torn drawn(enum scn_torn form, uint64_t seed, uint64_t number)
{
    struct sim_rng rng;
    sim_rng_init(&rng, seed, 0, SIM_RNG_FAULT_DETAIL, (uint32_t)number);
    return form == SCN_TORN_ANY ? SCN_TORN_ANY + 1 + sim_rng_below(&rng, SCN_TORNS - 1) : form;
}

static struct sim_flash_call call_of(const struct rig_linux *board, const struct agent_op *op,
                                     const uint8_t *data)
{
    if (op->kind == AGENT_OP_ERASE)
        return (struct sim_flash_call){SIM_FLASH_ERASE, op->addr, op->len, 1, NULL};
    return (struct sim_flash_call){SIM_FLASH_PROGRAM, op->addr, op->len,
                                   op->len / board->config.layout->page_bytes, data};
}

/* The simulator's own cells do it; the file gets one reading of them. */
static int make_torn(const struct rig_linux *board, const struct agent_op *op, const uint8_t *data,
                     struct mapped *file, enum scn_torn form, uint64_t seed)
{
    static const struct sim_flash_timing timing = {0};
    const struct boot_layout *layout = board->config.layout;
    struct sim_flash_base base;
    struct sim_flash flash;
    struct sim_rng rng;
    int64_t now_us = 0;
    int error =
        sim_flash_base_init(&base, (uint32_t)file->len, layout->sector_bytes, layout->page_bytes);
    if (error)
        return error;
    error = sim_flash_base_put(&base, 0, file->bytes, (uint32_t)file->len);
    if (!error)
        error = sim_flash_init(&flash, &base, NULL, &timing, &now_us, seed, 0);
    if (!error) {
        struct sim_flash_call call = call_of(board, op, data);
        sim_flash_reseed(&flash, seed, 0, (uint32_t)op->number);
        sim_rng_init(&rng, seed, 0, SIM_RNG_TORN, (uint32_t)op->number);
        struct sim_flash_cut cut = {.unit = sim_rng_below(&rng, call.units), .form = form};
        sim_flash_apply(&flash, &call, &cut);
        error = flash.port.read(flash.port.ctx, op->addr, file->bytes + op->addr, op->len);
        sim_flash_free(&flash);
    }
    sim_flash_base_free(&base);
    return error;
}

static int tear(struct rig_linux *board, const struct agent_op *op, const uint8_t *data,
                struct mapped map[LB_FILES], uint64_t seed, struct rig_linux_torn *out)
{
    size_t begins = 0;
    struct mapped *file = &map[LB_FLASH];
    uint8_t *was = malloc(op->len), *found = malloc(op->len);
    int error = was && found ? 0 : -1;
    if (!error) {
        memcpy(found, file->bytes + op->addr, op->len);
        out->rewound = last_group(&map[LB_LOG], op, data, &begins);
        if (out->rewound) {
            rewind_to(&map[LB_LOG], op, begins, map[LB_POWER_ON].bytes, was);
            memcpy(file->bytes + op->addr, was, op->len);
        }
        error = make_torn(board, op, data, file, out->form, seed);
        out->changed = memcmp(found, file->bytes + op->addr, op->len) != 0;
    }
    free(was);
    free(found);
    return error;
}

static int check(const struct rig_linux *board, const struct mapped map[LB_FILES], char *message,
                 size_t len)
{
    uint64_t bytes = (uint64_t)board->config.layout->data_addr + board->config.layout->data_bytes;
    for (int file = LB_FLASH; file <= LB_POWER_ON; file++)
        if (map[file].len != bytes)
            return fail(message, len, board->path[file], "is not of the layout's size");
    if (!rig_log_check(map[LB_LOG].bytes, map[LB_LOG].len))
        return fail(message, len, board->path[LB_LOG], "is not a log of writes");
    return 0;
}

int rig_linux_tear(struct rig_linux *board, enum scn_torn form, uint64_t seed,
                   struct rig_linux_torn *out, char *message, size_t len)
{
    uint8_t data[AGENT_OP_DATA_MAX];
    struct mapped map[LB_FILES] = {{0}};
    struct agent_op op;
    int error = 0;
    assert(!board->child.pid);
    memset(out, 0, sizeof *out);
    if (!read_record(board, &op, data) || !op.in_progress)
        return 0;
    if (!fits(board->config.layout, &op))
        return fail(message, len, board->config.records, "names an operation that can't be");
    out->hit = true;
    out->op = told(&op);
    out->form = drawn(form, seed, op.number);
    for (int file = 0; file < LB_FILES && !error; file++)
        error = map_file(&map[file], board->path[file], file == LB_FLASH, message, len);
    if (!error)
        error = check(board, map, message, len);
    if (!error && tear(board, &op, data, map, seed, out))
        error = fail(message, len, board->config.flash, "no memory to tear it");
    for (int file = 0; file < LB_FILES; file++)
        unmap(&map[file]);
    return error;
}
