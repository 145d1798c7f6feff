/* Flash with the rules of NOR, which may lose its power once. */
#include "host.h"
#include <criterion/criterion.h>
#include <string.h>

enum { TORN_MAGIC = 4, TORN_HEAD = 8 };

static uint32_t flash_bytes(const struct host *host)
{
    return host->unit.layout.flash_bytes;
}

static int flash_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    struct host *host = ctx;
    cr_assert(addr <= flash_bytes(host) && len <= flash_bytes(host) - addr, "read out of bounds");
    memcpy(out, host->flash + addr, len);
    host->reads++;
    return 0;
}

static void may_write(const struct host *host, uint32_t addr)
{
    const struct dut_layout *at = &host->unit.layout;
    cr_assert(addr >= at->config_addr && addr < at->data_addr + at->journal_bytes,
              "0x%x is not the device's to write", addr);
    bool running = host->boot.boots && addr >= host->boot.image_addr &&
                   addr < host->boot.image_addr + at->slot_bytes - at->sector_bytes;
    cr_assert_not(running, "the running image is written");
}

void host_trace(struct host *host, const void *what, size_t len)
{
    const uint8_t *bytes = what;
    for (size_t i = 0; i < len; i++)
        host->trace = (host->trace ^ bytes[i]) * 0x100000001b3u;
}

static bool is_bad(const struct host *host, uint32_t addr)
{
    return host->bad_sector != UINT32_MAX && addr - host->bad_sector < HOST_SECTOR;
}

/* The address; of either config sector, and of either journal bank, as of the first. */
static uint32_t place_of(const struct dut_layout *at, uint32_t addr)
{
    if (addr - at->config_addr < 2 * at->sector_bytes)
        return at->config_addr + (addr - at->config_addr) % at->sector_bytes;
    if (addr - at->data_addr < at->journal_bytes)
        return at->data_addr + (addr - at->data_addr) % (at->journal_bytes / 2);
    return addr;
}

/* Bytes of an operation on `len` bytes that are done: from *from to *to. True when the power goes.
 */
static bool torn(struct host *host, uint32_t addr, uint32_t len, uint32_t *from, uint32_t *to)
{
    bool page = len == host->unit.layout.page_bytes;
    if (is_bad(host, addr)) { /* nothing happens there, so nothing is cut there */
        *from = *to = 0;
        return false;
    }
    uint32_t part = !page ? len / 2 : host->torn == HOST_TORN_MAGIC ? TORN_MAGIC : TORN_HEAD;
    *from = 0;
    *to = len;
    uint32_t place = place_of(&host->unit.layout, addr);
    host_trace(host, &place, sizeof place);
    host_trace(host, &page, sizeof page);
    if (host->writes++ != host->cut_at)
        return false;
    if (host->torn == HOST_TORN_NOTHING)
        *to = 0;
    else if (host->torn == HOST_TORN_TAIL)
        *from = part;
    else if (host->torn != HOST_TORN_DONE)
        *to = part;
    return true;
}

static void lose_power(struct host *host)
{
    host->cut_at = UINT32_MAX;
    longjmp(host->reset, HOST_CUT);
}

static void program_page(struct host *host, uint32_t addr, const uint8_t *bytes)
{
    uint32_t from, to;
    bool cut = torn(host, addr, host->unit.layout.page_bytes, &from, &to);
    for (uint32_t i = from; i < to; i++) {
        cr_assert(host->bad_sector != UINT32_MAX || !(bytes[i] & ~host->flash[addr + i]),
                  "0 to 1 at 0x%x", addr + i);
        host->flash[addr + i] &= bytes[i];
    }
    if (cut)
        lose_power(host);
}

static int flash_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    struct host *host = ctx;
    const uint8_t *bytes = data;
    uint32_t page = host->unit.layout.page_bytes;
    cr_assert(addr % page == 0 && len % page == 0 && len, "program 0x%x + %u", addr, len);
    may_write(host, addr);
    for (uint32_t at = 0; at < len; at += page)
        program_page(host, addr + at, bytes + at);
    return is_bad(host, addr) && host->worn ? -1 : 0;
}

static int flash_erase(void *ctx, uint32_t addr)
{
    struct host *host = ctx;
    uint32_t sector = host->unit.layout.sector_bytes, from, to;
    cr_assert_eq(addr % sector, 0, "erase 0x%x", addr);
    may_write(host, addr);
    bool cut = torn(host, addr, sector, &from, &to);
    memset(host->flash + addr + from, 0xff, to - from);
    if (cut)
        lose_power(host);
    return is_bad(host, addr) && host->worn ? -1 : 0;
}

void host_flash_port(struct dut_port *port)
{
    port->read = flash_read;
    port->program = flash_program;
    port->erase = flash_erase;
}
