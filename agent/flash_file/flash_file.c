/* The port: rules, then the record, then the file. */
#include "flash_file/flash_file.h"
#include "bytes.h"
#include "settle.h"
#include <endian.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SECTOR_PIECE = 4096 };

static int violation(struct agent_flash_file *file, const char *what, uint32_t addr, uint32_t len)
{
    file->violations++;
    if (file->config->violation)
        file->config->violation(file->config->ctx, what, addr, len);
    return -1;
}

/* One aligned store, so that a reader sees the number before or after it, never half of it. */
static void store_number(struct agent_flash_file *file, uint32_t at, uint64_t number)
{
    void *word = file->op + at;
    __atomic_store_n((uint64_t *)word, htole64(number), __ATOMIC_RELEASE);
}

/* What the record says by now is on its medium, if that is one of its own. */
static bool sync_record(const struct agent_flash_file *file)
{
    return !file->op || !file->config->op_synced || !msync(file->op, AGENT_OP_BYTES, MS_SYNC);
}

/* What is to be done stands in the record before the number says that it has begun. False: the
 * record failed, and nothing may be done. The number counts what the record says has begun: the
 * two never disagree, or no later start would take it for a record. */
static bool op_begin(struct agent_flash_file *file, enum agent_op_kind kind, uint32_t addr,
                     const void *data, uint32_t len)
{
    if (!file->op) {
        file->number++;
        return true;
    }
    put_u32(file->op + AGENT_OP_AT_KIND, (uint32_t)kind);
    put_u32(file->op + AGENT_OP_AT_ADDR, addr);
    put_u32(file->op + AGENT_OP_AT_LEN, len);
    if (data)
        memcpy(file->op + AGENT_OP_HEAD_BYTES, data, len);
    if (!sync_record(file))
        return false;
    store_number(file, AGENT_OP_AT_BEGUN, ++file->number);
    if (!sync_record(file))
        return false;
    if (file->config->step || (file->config->stop_at && file->number == file->config->stop_at))
        raise(SIGSTOP);
    return true;
}

bool agent_flash_file_settle(struct agent_flash_file *file)
{
    if (file->op)
        store_number(file, AGENT_OP_AT_ENDED, file->number);
    return sync_record(file);
}

static bool read_all(int fd, uint32_t addr, void *out, uint32_t len)
{
    return pread(fd, out, len, addr) == (ssize_t)len;
}

static bool write_all(int fd, uint32_t addr, const void *data, uint32_t len)
{
    return pwrite(fd, data, len, addr) == (ssize_t)len;
}

static bool is_inside(const struct agent_flash_file *file, uint32_t addr, uint32_t len)
{
    return addr <= file->bytes && len <= file->bytes - addr;
}

static int port_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    struct agent_flash_file *file = ctx;
    if (!is_inside(file, addr, len))
        return violation(file, "read out of bounds", addr, len);
    if (!read_all(file->fd, addr, out, len))
        return violation(file, "the file can't be read", addr, len);
    return 0;
}

static bool sync_if_durable(const struct agent_flash_file *file)
{
    return !file->config->durable || !fdatasync(file->fd);
}

/* A file that fails is an error of the operation, which has ended all the same: nobody was cut. */
static int finish(struct agent_flash_file *file, bool written, uint32_t addr, uint32_t len)
{
    bool done = written && sync_if_durable(file);
    bool settled = agent_flash_file_settle(file);
    return done && settled ? 0 : violation(file, "the file can't be written", addr, len);
}

static bool only_clears(const uint8_t *old, const uint8_t *new, uint32_t len)
{
    uint8_t rising = 0;
    for (uint32_t i = 0; i < len; i++)
        rising |= (uint8_t)(new[i] & ~old[i]);
    return !rising;
}

static int program_piece(struct agent_flash_file *file, uint32_t addr, const uint8_t *data,
                         uint32_t len)
{
    uint8_t old[AGENT_OP_DATA_MAX];
    if (!read_all(file->fd, addr, old, len))
        return violation(file, "the file can't be read", addr, len);
    if (!only_clears(old, data, len))
        return violation(file, "program of bits that are not erased", addr, len);
    bool begun = op_begin(file, AGENT_OP_PROGRAM, addr, data, len);
    file->programs++;
    return finish(file, begun && write_all(file->fd, addr, data, len), addr, len);
}

static int port_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    struct agent_flash_file *file = ctx;
    uint32_t page = file->config->layout->page_bytes;
    if (!is_inside(file, addr, len) || !len)
        return violation(file, "program out of bounds", addr, len);
    if (addr % page || len % page)
        return violation(file, "program not aligned to the page", addr, len);
    for (uint32_t at = 0; at < len; at += AGENT_OP_DATA_MAX) {
        uint32_t piece = len - at < AGENT_OP_DATA_MAX ? len - at : AGENT_OP_DATA_MAX;
        if (program_piece(file, addr + at, (const uint8_t *)data + at, piece))
            return -1;
    }
    return 0;
}

static bool write_blank(int fd, uint32_t addr, uint32_t len)
{
    uint8_t blank[SECTOR_PIECE];
    memset(blank, 0xFF, sizeof blank);
    for (uint32_t at = 0; at < len; at += SECTOR_PIECE)
        if (!write_all(fd, addr + at, blank, len - at < SECTOR_PIECE ? len - at : SECTOR_PIECE))
            return false;
    return true;
}

static int port_erase(void *ctx, uint32_t addr)
{
    struct agent_flash_file *file = ctx;
    uint32_t sector = file->config->layout->sector_bytes;
    if (!is_inside(file, addr, sector))
        return violation(file, "erase out of bounds", addr, sector);
    if (addr % sector)
        return violation(file, "erase not aligned to the sector", addr, sector);
    bool begun = op_begin(file, AGENT_OP_ERASE, addr, NULL, sector);
    file->erases++;
    return finish(file, begun && write_blank(file->fd, addr, sector), addr, sector);
}

void agent_flash_file_port(struct agent_flash_file *file, struct boot_flash *out)
{
    *out = (struct boot_flash){file, port_read, port_program, port_erase};
}

const struct agent_op *agent_flash_file_cut(const struct agent_flash_file *file)
{
    return &file->cut;
}

uint64_t agent_flash_file_operations(const struct agent_flash_file *file)
{
    return file->number;
}
