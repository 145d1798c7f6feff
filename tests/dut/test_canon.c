/* The canonical form: what it tells apart, and that what it does not tell apart has one future. */
#include "agent/agent.h"
#include "host.h"
#include <criterion/criterion.h>
#include <string.h>

enum { PAGE = 256, BYTES = 16384, CANON_MAX = 8192 };

static struct host host;
static struct host_image v1, v2;
static struct boot_layout layout;
static struct boot_flash flash;
static struct boot_crypto crypto;
static struct boot_key key;
static struct boot_keys keys = {&key, 1};
static struct boot_env env = {.flash = &flash,
                              .layout = &layout,
                              .crypto = &crypto,
                              .keys = &keys,
                              .device_type = "pump_monitor_v2",
                              .hw_revision = "Rev-C",
                              .trial_boots = 3,
                              .faulty_boots = 5,
                              .watchdog_s = 120};

static void set_up(void)
{
    host_init(&host, 0, PAGE);
    host_image(&host, &v1, "1.9.0", BYTES, HOST_KEY_GOOD);
    host_image(&host, &v2, "1.10.0", BYTES, HOST_KEY_GOOD);
    host_factory(&host, &v1);
    const struct dut_layout *at = &host.unit.layout;
    layout = (struct boot_layout){at->sector_bytes,
                                  at->page_bytes,
                                  at->bootloader_bytes,
                                  at->config_addr,
                                  {at->slot_addr[0], at->slot_addr[1]},
                                  at->slot_bytes,
                                  at->data_addr,
                                  at->data_bytes,
                                  at->journal_bytes};
    flash = (struct boot_flash){&host, host.port.read, host.port.program, host.port.erase};
    crypto = host.crypto;
    memcpy(key.cert_id, host.key[0].id, sizeof key.cert_id);
    memcpy(key.public_key, host.key[0].public_key, sizeof key.public_key);
}

static void tear_down(void)
{
    host_image_free(&v1);
    host_image_free(&v2);
    host_free(&host);
}

TestSuite(dut_canon, .init = set_up, .fini = tear_down);

struct form {
    uint32_t bytes;
    uint8_t text[CANON_MAX];
};

static struct form form(void)
{
    static struct form out;
    out.bytes = host_canonical(&host, out.text, sizeof out.text);
    cr_assert_gt(out.bytes, 0);
    return out;
}

static bool same(const struct form *a, const struct form *b)
{
    return a->bytes == b->bytes && !memcmp(a->text, b->text, a->bytes);
}

#define EXPECT_CHANGED(before)                                                                     \
    do {                                                                                           \
        struct form changed = form();                                                              \
        cr_expect_not(same(&changed, &(before)), "looks the same");                                \
    } while (0)
#define EXPECT_SAME(before)                                                                        \
    do {                                                                                           \
        struct form unchanged = form();                                                            \
        cr_expect(same(&unchanged, &(before)), "looks different");                                 \
    } while (0)

Test(dut_canon, the_ranges_are_what_bootloader_and_agent_keep)
{
    struct dut_range range[8];
    const struct dut_layout *at = &host.unit.layout;
    cr_assert_eq(host.dut->ranges(&host.unit, range, 8), 4);
    cr_expect_eq(range[0].addr, at->config_addr);
    cr_expect_eq(range[0].len, 2 * HOST_SECTOR);
    cr_expect_eq(range[1].addr, at->slot_addr[0] + at->slot_bytes - HOST_SECTOR);
    cr_expect_eq(range[2].addr, at->slot_addr[1] + at->slot_bytes - HOST_SECTOR);
    cr_expect_eq(range[3].addr, at->data_addr);
    cr_expect_eq(range[3].len, HOST_JOURNAL_SECTORS * HOST_SECTOR);
    cr_expect_eq(host.dut->ranges(&host.unit, range, 3), 0);
}

Test(dut_canon, a_pending_trial_and_each_of_its_boots_show)
{
    struct boot_outcome outcome;
    host_update(&host, &v2);
    struct form before = form();
    cr_assert_eq(boot_request_trial(&env, 1), BOOT_OK);
    EXPECT_CHANGED(before);
    before = form();
    cr_assert_eq(boot_run(&env, BOOT_RESET_SOFTWARE, &outcome), BOOT_OK);
    EXPECT_CHANGED(before);
}

Test(dut_canon, durable_bytes_show)
{
    struct agent_journal journal;
    cr_assert_eq(agent_journal_open(&journal, &flash, &layout), AGENT_OK);
    cr_assert_eq(agent_journal_progress(&journal, 4096), AGENT_OK);
    struct form before = form();
    cr_assert_eq(agent_journal_progress(&journal, 8192), AGENT_OK);
    EXPECT_CHANGED(before);
}

static uint32_t first_mark(int slot)
{
    uint32_t at = boot_layout_trailer(&layout, slot) + PAGE;
    while (memcmp(host.flash + at, "BYM1", 4))
        at += PAGE;
    return at;
}

/* Where a mark is missing, all is told from it. */
static void without(uint32_t addr)
{
    struct form before = form();
    uint8_t mark[16];
    memcpy(mark, host.flash + addr, sizeof mark);
    cr_assert_neq(mark[0], 0xff, "no mark at 0x%x", addr);
    memset(host.flash + addr, 0xff, sizeof mark);
    EXPECT_CHANGED(before);
    memset(host.flash + addr, 0, sizeof mark);
    EXPECT_CHANGED(before);
    memcpy(host.flash + addr, mark, sizeof mark);
    EXPECT_SAME(before);
}

Test(dut_canon, a_missing_mark_shows)
{
    struct boot_config config;
    int newest;
    host_update(&host, &v2);
    cr_assert_eq(boot_config_read(&flash, &layout, &config, &newest), BOOT_OK);
    without(layout.config_addr + (uint32_t)newest * HOST_SECTOR + PAGE);
    without(layout.config_addr + (uint32_t)newest * HOST_SECTOR + 2 * PAGE);
    for (int slot = 0; slot < BOOT_SLOTS; slot++)
        without(first_mark(slot));
    struct agent_journal journal;
    cr_assert_eq(agent_journal_open(&journal, &flash, &layout), AGENT_OK);
    without(layout.data_addr + (uint32_t)journal.bank * layout.journal_bytes / 2);
}

static uint32_t number_at(uint32_t addr)
{
    const uint8_t *at = host.flash + addr;
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_number(uint32_t addr, uint32_t number)
{
    for (uint32_t i = 0; i < 4; i++)
        host.flash[addr + i] = (uint8_t)(number >> (8 * i));
}

static void put_crc(uint32_t addr, uint32_t len)
{
    put_number(addr + len, boot_crc32(0, host.flash + addr, len));
}

/* Rewrites what carries a sequence, by the format pages, with `more` added to it. */
static void renumber_config(uint32_t more)
{
    for (uint32_t sector = 0; sector < 2; sector++) {
        uint32_t addr = layout.config_addr + sector * HOST_SECTOR;
        put_number(addr + 4, number_at(addr + 4) + more);
        put_crc(addr, BOOT_CONFIG_BODY_BYTES - 4);
        for (uint32_t at = addr + PAGE; at < addr + HOST_SECTOR; at += PAGE) {
            if (memcmp(host.flash + at, "BYD1", 4))
                continue;
            put_number(at + 4, number_at(at + 4) + more);
            put_number(at + 8, number_at(addr + BOOT_CONFIG_BODY_BYTES - 4));
            put_crc(at, 12);
        }
    }
}

/* Each mark page moves on by as many pages. */
static void turn_trailer(uint32_t addr, uint32_t turn)
{
    enum { PAGES = HOST_SECTOR / PAGE - 1 };
    uint8_t before[PAGES][PAGE];
    memcpy(before, host.flash + addr + PAGE, sizeof before);
    for (uint32_t i = 0; i < PAGES; i++)
        memcpy(host.flash + addr + PAGE + (i + turn) % PAGES * PAGE, before[i], PAGE);
}

static void renumber_trailers(uint32_t more)
{
    for (int slot = 0; slot < 2; slot++) {
        uint32_t addr = boot_layout_trailer(&layout, slot);
        turn_trailer(addr, more);
        for (uint32_t at = addr + PAGE; at < addr + HOST_SECTOR; at += PAGE) {
            if (memcmp(host.flash + at, "BYM1", 4))
                continue;
            put_number(at + 4, number_at(at + 4) + more);
            put_crc(at, 12);
        }
    }
}

static void renumber_journal(uint32_t more)
{
    uint32_t half = layout.journal_bytes / 2;
    for (uint32_t at = layout.data_addr; at < layout.data_addr + layout.journal_bytes; at += PAGE) {
        bool head = (at - layout.data_addr) % half == 0 && host.flash[at] != 0xff;
        if (!head && memcmp(host.flash + at, "JR", 2))
            continue;
        put_number(at + 4, number_at(at + 4) + more);
        put_crc(at, head ? 12 : 12 + (number_at(at) >> 16));
    }
}

Test(dut_canon, only_the_order_of_sequences_matters)
{
    host_update(&host, &v2);
    host_rollback(&host);
    struct form before = form();
    renumber_config(1000);
    renumber_trailers(42);
    renumber_journal(77);
    EXPECT_SAME(before);
    renumber_config(0xFFFFFFFE - 1000);
    renumber_journal(0xFFFFFFFE - 77);
    EXPECT_SAME(before);
    renumber_trailers(1);
    EXPECT_SAME(before);
    /* A mark that is not on its number's page is in the way of another. */
    turn_trailer(boot_layout_trailer(&layout, 0), 1);
    EXPECT_CHANGED(before);
}

Test(dut_canon, what_is_never_read_again_does_not_show)
{
    host_update(&host, &v2);
    struct form before = form();
    memset(host.flash + layout.config_addr + BOOT_CONFIG_BODY_BYTES, 0x5a, 10);
    memset(host.flash + boot_layout_trailer(&layout, 0) + BOOT_TRAILER_BODY_BYTES, 0x5a, 10);
    EXPECT_SAME(before);
}

Test(dut_canon, a_buffer_that_is_too_small_is_refused)
{
    uint8_t out[CANON_MAX];
    host_update(&host, &v2);
    uint32_t bytes = host_canonical(&host, out, sizeof out);
    for (uint32_t max = 0; max < bytes; max += 7)
        cr_assert_eq(host_canonical(&host, out, max), 0, "%u of %u", max, bytes);
    cr_assert_eq(host_canonical(&host, out, bytes), bytes);
}
