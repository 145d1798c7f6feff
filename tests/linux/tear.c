/* What is made of the operation that power went in: files as a board leaves them, without a board.
 */
#include "flash_file/op.h"
#include "rig/linux.h"
#include "write_log.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 4096, PAGE = 256, BYTES = 16 * SECTOR, AT = 3 * SECTOR, SEED = 11 };

/* Of the regions only the end is looked at. */
static const struct boot_layout layout = {
    .sector_bytes = SECTOR, .page_bytes = PAGE, .data_addr = BYTES - SECTOR, .data_bytes = SECTOR};

static struct {
    char dir[32], flash[64], records[64], power_on[64], writes[64];
    struct ev_loop *loop;
    struct rig_linux *board;
    uint8_t old[SECTOR], data[SECTOR]; /* the sector at AT before; what is programmed */
} bench;

static void put(const char *name, long at, const void *bytes, size_t len)
{
    FILE *file = fopen(name, access(name, F_OK) ? "w" : "r+");
    cr_assert(file && !fseek(file, at, SEEK_SET) && fwrite(bytes, 1, len, file) == len);
    fclose(file);
}

static void put_number(uint8_t *out, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(number >> 8 * i);
}

/* Appends an entry as QEMU does, behind a head if there is none yet. */
static void log_write(uint32_t addr, const void *bytes, uint32_t len, uint64_t flags)
{
    uint8_t head[RIG_LOG_UNIT] = {0};
    FILE *file = fopen(bench.writes, "a");
    cr_assert(file && !fseek(file, 0, SEEK_END));
    if (!ftell(file)) {
        put_number(head, 0x6A736677736872);
        put_number(head + 8, 1);
        put_number(head + 24, RIG_LOG_UNIT);
        cr_assert_eq(fwrite(head, 1, sizeof head, file), sizeof head);
    }
    memset(head, 0, sizeof head);
    put_number(head, addr / RIG_LOG_UNIT);
    put_number(head + 8, len / RIG_LOG_UNIT);
    put_number(head + 16, flags);
    cr_assert_eq(fwrite(head, 1, sizeof head, file), sizeof head);
    cr_assert_eq(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void note(enum agent_op_kind kind, uint32_t addr, uint32_t len, bool in_progress)
{
    uint8_t head[AGENT_OP_HEAD_BYTES];
    struct agent_op op = {in_progress, kind, addr, len, 9};
    agent_op_encode(head, &op);
    put(bench.records, AGENT_RECORDS_AT_OP, head, sizeof head);
    put(bench.records, AGENT_RECORDS_AT_OP + AGENT_OP_HEAD_BYTES, bench.data, sizeof bench.data);
}

static void set_up(void)
{
    static uint8_t blank[BYTES];
    uint8_t zero[AGENT_RECORDS_BYTES] = {0};
    char message[256];
    strcpy(bench.dir, "/tmp/linux-tear-XXXXXX");
    cr_assert(mkdtemp(bench.dir));
    snprintf(bench.flash, sizeof bench.flash, "%s/flash", bench.dir);
    snprintf(bench.records, sizeof bench.records, "%s/records", bench.dir);
    snprintf(bench.power_on, sizeof bench.power_on, "%s/power-on", bench.dir);
    snprintf(bench.writes, sizeof bench.writes, "%s/writes", bench.dir);
    memset(blank, 0xFF, sizeof blank);
    for (uint32_t i = 0; i < SECTOR; i++) {
        bench.old[i] = (uint8_t)(i * 7 + i / 256);
        bench.data[i] = (uint8_t)(i * 13 + 5);
    }
    memcpy(blank + AT, bench.old, SECTOR);
    put(bench.flash, 0, blank, sizeof blank);
    put(bench.power_on, 0, blank, sizeof blank);
    put(bench.records, 0, zero, sizeof zero);
    put(bench.writes, 0, "", 0);
    bench.loop = ev_loop_new(EVFLAG_AUTO);
    const struct rig_linux_config config = {.loop = bench.loop,
                                            .kernel = "none",
                                            .initramfs = "none",
                                            .flash = bench.flash,
                                            .records = bench.records,
                                            .config = "none",
                                            .folder = bench.dir,
                                            .layout = &layout};
    cr_assert_eq(rig_linux_create(&bench.board, &config, message, sizeof message), 0);
}

static void tear_down(void)
{
    rig_linux_free(bench.board);
    ev_loop_destroy(bench.loop);
    unlink(bench.flash);
    unlink(bench.records);
    unlink(bench.power_on);
    unlink(bench.writes);
    rmdir(bench.dir);
}

TestSuite(linux_tear, .init = set_up, .fini = tear_down, .timeout = 300);

static struct rig_linux_torn tear(enum scn_torn form, uint8_t after[SECTOR])
{
    struct rig_linux_torn torn;
    char message[256];
    int error = rig_linux_tear(bench.board, form, SEED, &torn, message, sizeof message);
    cr_assert_eq(error, 0, "%s", message);
    FILE *file = fopen(bench.flash, "r");
    cr_assert(file && !fseek(file, AT, SEEK_SET) && fread(after, 1, SECTOR, file) == SECTOR);
    fclose(file);
    return torn;
}

/* Each bit is as it was or as it was to become. */
static bool lies_between(const uint8_t *got, const uint8_t *was, const uint8_t *wanted, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((got[i] ^ was[i]) & ~(was[i] ^ wanted[i]))
            return false;
    return true;
}

Test(linux_tear, an_operation_that_has_ended_is_left_alone)
{
    uint8_t after[SECTOR];
    struct rig_op op;
    bool ended;
    cr_expect_not(rig_linux_last_op(bench.board, &op, &ended), "a new disk");
    note(AGENT_OP_ERASE, AT, SECTOR, false);
    log_write(AT, bench.old, SECTOR, 0);
    cr_expect_not(tear(SCN_TORN_NOTHING, after).hit);
    cr_expect_arr_eq(after, bench.old, SECTOR);
    cr_expect(rig_linux_last_op(bench.board, &op, &ended));
    cr_expect(ended && op.erase && op.number == 9 && op.addr == AT && op.len == SECTOR);
}

/* In the flash and in the log: what had come to the disk. */
static void write_sector(const uint8_t bytes[SECTOR])
{
    put(bench.flash, AT, bytes, SECTOR);
    log_write(AT, bytes, SECTOR, 0);
    log_write(0, "", 0, RIG_LOG_FLUSH);
}

Test(linux_tear, an_erase_leaves_every_form_whether_it_was_written_or_not)
{
    uint8_t blank[SECTOR], after[SECTOR], again[SECTOR];
    memset(blank, 0xFF, sizeof blank);
    note(AGENT_OP_ERASE, AT, SECTOR, true);
    for (int written = 0; written < 2; written++) {
        for (int form = SCN_TORN_BEFORE; form < SCN_TORNS; form++) {
            put(bench.flash, AT, bench.old, SECTOR);
            cr_assert_eq(truncate(bench.writes, 0), 0);
            if (written)
                write_sector(blank);
            const struct rig_linux_torn torn = tear((enum scn_torn)form, after);
            cr_expect(torn.hit && torn.op.erase && torn.rewound == written, "form %d", form);
            cr_expect(lies_between(after, bench.old, blank, SECTOR), "form %d", form);
            if (form == SCN_TORN_BEFORE || form == SCN_TORN_NOTHING)
                cr_expect_arr_eq(after, bench.old, SECTOR);
            if (form == SCN_TORN_AFTER)
                cr_expect_arr_eq(after, blank, SECTOR);
            if (form == SCN_TORN_PREFIX || form == SCN_TORN_RANDOM)
                cr_expect(memcmp(after, bench.old, SECTOR) && memcmp(after, blank, SECTOR));
            put(bench.flash, AT, written ? blank : bench.old, SECTOR);
            tear((enum scn_torn)form, again);
            cr_expect_arr_eq(again, after, SECTOR);
        }
    }
}

/* The sector was erased in this power session: what a program tears is blank, not what was there
 * before the erase. Its own write is one of a whole block, which holds an older page too. */
Test(linux_tear, a_program_falls_back_to_what_the_writes_before_it_left)
{
    uint8_t block[SECTOR], want[SECTOR], after[SECTOR];
    memset(block, 0xFF, sizeof block);
    write_sector(block);
    memset(block, 0x3C, PAGE);
    write_sector(block);
    memcpy(want, block, SECTOR);
    note(AGENT_OP_PROGRAM, AT + PAGE, PAGE, true);
    const struct rig_linux_torn before = tear(SCN_TORN_BEFORE, after);
    cr_expect(before.hit && !before.rewound && !before.changed, "its writes had not come");
    cr_expect_arr_eq(after, want, SECTOR);
    memcpy(block + PAGE, bench.data, PAGE);
    write_sector(block);
    cr_expect_not(tear(SCN_TORN_AFTER, after).changed);
    cr_expect_arr_eq(after, block, SECTOR);
    const struct rig_linux_torn part = tear(SCN_TORN_PREFIX, after);
    cr_expect(part.rewound && part.changed);
    cr_expect(lies_between(after, want, block, SECTOR));
    cr_expect(memcmp(after, want, SECTOR) && memcmp(after, block, SECTOR));
    put(bench.flash, AT, block, SECTOR);
    cr_expect(tear(SCN_TORN_NOTHING, after).rewound);
    cr_expect_arr_eq(after, want, SECTOR);
}

static const char *refusal(void)
{
    static char message[256];
    struct rig_linux_torn torn;
    message[0] = '\0';
    rig_linux_tear(bench.board, SCN_TORN_ANY, SEED, &torn, message, sizeof message);
    return message;
}

Test(linux_tear, what_a_guest_or_a_file_may_say_wrongly_is_refused)
{
    static const struct {
        enum agent_op_kind kind;
        uint32_t addr, len;
    } row[] = {{AGENT_OP_ERASE, BYTES, SECTOR},         {AGENT_OP_ERASE, AT + PAGE, SECTOR},
               {AGENT_OP_ERASE, AT, 2 * SECTOR},        {AGENT_OP_PROGRAM, BYTES - PAGE, 2 * PAGE},
               {AGENT_OP_PROGRAM, AT + 1, PAGE},        {AGENT_OP_PROGRAM, AT, PAGE + 1},
               {AGENT_OP_PROGRAM, 0xFFFFFF00, PAGE - 1}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        note(row[i].kind, row[i].addr, row[i].len, true);
        cr_expect(strstr(refusal(), "can't be"), "row %zu: %s", i, refusal());
    }
    note(AGENT_OP_ERASE, AT, SECTOR, true);
    cr_expect_str_eq(refusal(), "");
    put(bench.writes, 0, "something else", 14);
    cr_expect(strstr(refusal(), "not a log"), "%s", refusal());
    cr_assert_eq(truncate(bench.writes, 0), 0);
    log_write(AT, bench.data, SECTOR, 0);
    cr_assert_eq(truncate(bench.writes, 3 * RIG_LOG_UNIT), 0);
    cr_expect(strstr(refusal(), "not a log"), "an entry that is not whole: %s", refusal());
    cr_assert_eq(truncate(bench.flash, BYTES - 1), 0);
    cr_expect(strstr(refusal(), "size"), "%s", refusal());
}

/* ---- What a tear looks back at ---- */

/* The folder may be of another kind of file system than the flash (a tmpfs). */
Test(linux_tear, power_on_keeps_the_flash_as_it_was_on_any_file_system)
{
    char folder[] = "/dev/shm/linux-tear-XXXXXX", copy[64], writes[64], message[256];
    struct stat here, there;
    if (!mkdtemp(folder))
        cr_skip_test("no /dev/shm");
    cr_assert(!stat(folder, &there) && !stat(bench.flash, &here));
    if (here.st_dev == there.st_dev)
        cr_log_warn("flash and folder are on one file system");
    const struct rig_linux_config config = {.loop = bench.loop,
                                            .qemu = "true", /* ends at once */
                                            .kernel = bench.flash,
                                            .initramfs = bench.flash,
                                            .flash = bench.flash,
                                            .records = bench.records,
                                            .config = bench.flash,
                                            .folder = folder,
                                            .layout = &layout};
    struct rig_linux *board;
    cr_assert_eq(rig_linux_create(&board, &config, message, sizeof message), 0);
    int error = rig_linux_power_on(board, message, sizeof message);
    rig_linux_free(board);
    snprintf(copy, sizeof copy, "%s/power-on", folder);
    snprintf(writes, sizeof writes, "%s/writes", folder);
    static uint8_t was[BYTES + 1], kept[BYTES + 1];
    FILE *file = fopen(bench.flash, "r"), *kept_file = fopen(copy, "r");
    size_t len = file ? fread(was, 1, sizeof was, file) : 0;
    size_t kept_len = kept_file ? fread(kept, 1, sizeof kept, kept_file) : 0;
    unlink(copy);
    unlink(writes);
    rmdir(folder);
    cr_assert_eq(error, 0, "%s", message);
    cr_assert(len == BYTES && kept_len == BYTES && !memcmp(was, kept, BYTES));
    fclose(file);
    fclose(kept_file);
}
