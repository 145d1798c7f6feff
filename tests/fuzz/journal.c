/*
 * Any bytes as the journal's two banks: opening must not crash, must give values in range, and the
 * journal must work afterwards. Input: the start of both banks, in turn of pages; CRCs are put
 * right first, as no fuzzer guesses them.
 */
#include "agent/agent.h"
#include "boot/image.h"
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 4096, PAGE = 256, BYTES = 4 * SECTOR };

static uint8_t cells[BYTES];

static int flash_read(void *ctx, uint32_t addr, void *out, uint32_t len)
{
    (void)ctx;
    if (addr > BYTES || len > BYTES - addr)
        abort();
    memcpy(out, cells + addr, len);
    return 0;
}

static int flash_program(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    (void)ctx;
    if (addr % PAGE || len % PAGE || addr > BYTES || len > BYTES - addr)
        abort();
    for (uint32_t i = 0; i < len; i++)
        cells[addr + i] &= ((const uint8_t *)data)[i];
    return 0;
}

static int flash_erase(void *ctx, uint32_t addr)
{
    (void)ctx;
    if (addr % SECTOR || addr >= BYTES)
        abort();
    memset(cells + addr, 0xff, SECTOR);
    return 0;
}

static void put_u32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

/* Headers get their CRC, and each page that begins like a record gets its own, if it fits. */
static void make_valid(void)
{
    for (uint32_t at = 0; at < BYTES; at += PAGE) {
        uint8_t *page = cells + at;
        uint32_t bank = at / (BYTES / 2) * (BYTES / 2), len = 12u + page[2] + 256u * page[3];
        if (at == bank)
            put_u32(page + 12, boot_crc32(0, page, 12));
        else if (page[0] == 'J' && page[1] == 'R' && len + 4 <= 4096 &&
                 at + len + 4 <= bank + BYTES / 2)
            put_u32(page + len, boot_crc32(0, page, len));
    }
}

static void check(const struct agent_journal *journal)
{
    if (journal->outbox_count > AGENT_OUTBOX_MAX || journal->why >= AGENT_WHYS ||
        journal->update.manifest.signature_bytes > BOOT_SIGNATURE_MAX ||
        !memchr(journal->update.manifest.binary_url, 0, AGENT_URL_MAX) ||
        !memchr(journal->installed.version, 0, BOOT_VERSION_MAX))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct boot_flash flash = {NULL, flash_read, flash_program, flash_erase};
    static const struct boot_layout layout = {
        .sector_bytes = SECTOR, .page_bytes = PAGE, .data_bytes = BYTES, .journal_bytes = BYTES};
    static struct agent_journal journal;
    memset(cells, 0xff, sizeof cells);
    for (size_t i = 0; i < size && i < BYTES; i++)
        cells[i / PAGE % 2 * (BYTES / 2) + i / PAGE / 2 * PAGE + i % PAGE] = data[i];
    make_valid();
    agent_journal_open(&journal, &flash, &layout);
    check(&journal);
    uint32_t durable = journal.durable_bytes ^ 0x1000;
    if (agent_journal_progress(&journal, durable) != AGENT_OK)
        abort();
    if (agent_journal_open(&journal, &flash, &layout) != AGENT_OK ||
        journal.durable_bytes != durable)
        abort();
    check(&journal);
    return 0;
}
