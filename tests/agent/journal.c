#include "agent/journal.h"
#include "world.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* The journal alone: what is written comes back, whatever happens to the flash. */

static struct world_flash flash;
static struct agent_journal journal;
static jmp_buf power;
static const uint32_t bank_bytes = WORLD_JOURNAL / 2;

static void reopen(void)
{
    world_flash_reboot(&flash);
    cr_assert_eq(agent_journal_open(&journal, &flash.port, &flash.layout), AGENT_OK);
}

static void begin(void)
{
    world_flash_init(&flash);
    flash.power = &power;
    reopen();
}

static struct agent_notification update_named(const char *firmware_id)
{
    struct agent_notification update;
    memset(&update, 0, sizeof update);
    snprintf(update.manifest.firmware_id, AGENT_ID_MAX, "%s", firmware_id);
    strcpy(update.campaign_id, "c");
    strcpy(update.manifest.version, "1.2.3");
    memset(update.manifest.binary_url, 'u', AGENT_URL_MAX - 1);
    update.manifest.signature_bytes = 70;
    memset(update.manifest.signature, 9, 70);
    update.deadline_ms = INT64_MAX;
    return update;
}

static struct agent_status_record status_of(uint8_t status)
{
    struct agent_status_record record;
    memset(&record, 0, sizeof record);
    record.status = status;
    record.at_ms = 1774008000123;
    record.slot = 1;
    strcpy(record.version, "1.0.0");
    return record;
}

static void queue(uint8_t status)
{
    struct agent_status_record record = status_of(status);
    agent_journal_queue(&journal, &record);
}

/* One of many that all say something else. */
static void queue_of(uint8_t status, int campaign)
{
    struct agent_status_record record = status_of(status);
    snprintf(record.campaign_id, sizeof record.campaign_id, "%d", campaign);
    agent_journal_queue(&journal, &record);
}

Test(agent_journal, a_status_that_was_said_again_later_is_told_then)
{
    begin();
    queue(AGENT_ST_APPLYING);
    queue(AGENT_ST_WAITING_APPLY);
    queue(AGENT_ST_APPLYING);
    cr_assert_eq(journal.outbox_count, 3, "one that is in flight stays");
    reopen();
    cr_assert_eq(journal.outbox_count, 2);
    cr_assert_eq(journal.outbox[0].status, AGENT_ST_WAITING_APPLY);
    cr_assert_eq(journal.outbox[1].seq, 3);
}

Test(agent_journal, is_empty_on_new_flash)
{
    begin();
    cr_assert_eq(journal.bank, -1);
    cr_assert_eq(journal.next_seq, 1);
    cr_assert_not(journal.has_update);
    cr_assert_not(journal.lost);
    cr_assert_eq(flash.ops, 0, "opening writes nothing");
}

Test(agent_journal, everything_comes_back_after_a_boot)
{
    struct agent_notification update = update_named("fw");
    struct agent_installed installed = {"c0", "fw0", "1.0.0", "0.9.0"};
    begin();
    update.force = true;
    cr_assert_eq(agent_journal_begin_update(&journal, &update), AGENT_OK);
    cr_assert_eq(agent_journal_step(&journal, AGENT_DOWNLOAD_FAILED, AGENT_WHY_SIZE, 7), AGENT_OK);
    cr_assert_eq(agent_journal_progress(&journal, 123456), AGENT_OK);
    cr_assert_eq(agent_journal_rolled_back(&journal, "bad-fw"), AGENT_OK);
    cr_assert_eq(agent_journal_installed(&journal, &installed), AGENT_OK);
    cr_assert_eq(agent_journal_permit(&journal, true, 99), AGENT_OK);
    queue(AGENT_ST_NOTIFIED);
    queue(AGENT_ST_SCHEDULED);
    for (int boot = 0; boot < 3; boot++) {
        reopen();
        cr_assert(journal.has_update);
        cr_assert_arr_eq((uint8_t *)&journal.update, (uint8_t *)&update, sizeof update);
        cr_assert_eq(journal.phase, AGENT_DOWNLOAD_FAILED);
        cr_assert_eq(journal.why, AGENT_WHY_SIZE);
        cr_assert_eq(journal.attempts, 7);
        cr_assert_eq(journal.durable_bytes, 123456);
        cr_assert_str_eq(journal.rolled_back_id, "bad-fw");
        cr_assert_str_eq(journal.installed.rollback_version, "0.9.0");
        cr_assert_str_eq(journal.installed.firmware_id, "fw0");
        cr_assert(journal.approved);
        cr_assert_eq(journal.not_before_ms, 99);
        cr_assert_eq(journal.outbox_count, 2);
        cr_assert_eq(journal.outbox[1].seq, 2);
        cr_assert_eq(journal.outbox[1].at_ms, 1774008000123);
        cr_assert_eq(journal.outbox[1].slot, 1);
        cr_assert_eq(journal.next_seq, 3);
        agent_journal_settle(&journal); /* the same once more, as a snapshot */
    }
    cr_assert_eq(flash.violations, 0);
}

Test(agent_journal, held_changes_are_one_record)
{
    struct agent_notification update = update_named("fw");
    begin();
    agent_journal_settle(&journal);
    uint32_t programs = flash.programs;
    agent_journal_hold(&journal);
    agent_journal_begin_update(&journal, &update);
    agent_journal_step(&journal, AGENT_DOWNLOADING, 0, 0);
    queue(AGENT_ST_NOTIFIED);
    queue(AGENT_ST_DOWNLOADING);
    cr_assert_eq(flash.programs, programs);
    cr_assert(agent_journal_dirty(&journal));
    cr_assert_eq(agent_journal_commit(&journal), AGENT_OK);
    cr_assert_eq(flash.programs, programs + 1);
    cr_assert_not(agent_journal_dirty(&journal));
}

Test(agent_journal, survives_many_compactions_and_wears_both_banks_alike)
{
    begin();
    for (uint32_t i = 1; i <= 2000; i++) {
        cr_assert_eq(agent_journal_progress(&journal, i * 4096), AGENT_OK);
        if (i % 3 == 0)
            reopen();
        if (i % 5 == 0) {
            queue(AGENT_ST_NOTIFIED);
            agent_journal_acknowledge(&journal, journal.outbox[0].seq);
        }
        cr_assert_eq(journal.durable_bytes, i * 4096);
    }
    agent_journal_commit(&journal);
    reopen();
    cr_assert_eq(journal.next_seq, 401);
    cr_assert_eq(journal.outbox_count, 0);
    uint32_t a = flash.wear[WORLD_DATA / WORLD_SECTOR];
    uint32_t b = flash.wear[(WORLD_DATA + bank_bytes) / WORLD_SECTOR];
    cr_assert_gt(a, 30);
    cr_assert(a <= b + 1 && b <= a + 1, "%u and %u erases", a, b);
    cr_assert_eq(flash.violations, 0);
}

Test(agent_journal, a_full_outbox_drops_the_oldest_that_is_no_outcome)
{
    begin();
    queue(AGENT_ST_CONFIRMED);
    for (int i = 0; i < AGENT_OUTBOX_MAX - 1; i++)
        queue_of(AGENT_ST_SCHEDULED, i);
    struct agent_status_record record = status_of(AGENT_ST_ROLLED_BACK);
    cr_assert_eq(agent_journal_queue(&journal, &record), AGENT_EFULL);
    for (int boot = 0; boot < 2; boot++) {
        cr_assert_eq(journal.outbox_count, AGENT_OUTBOX_MAX);
        cr_assert_eq(journal.outbox[0].seq, 1);
        cr_assert_eq(journal.outbox[1].seq, 3);
        cr_assert_eq(journal.outbox[AGENT_OUTBOX_MAX - 1].seq, 17);
        reopen();
    }
    for (int i = 0; i < 40; i++)
        queue_of(AGENT_ST_REFUSED, i);
    reopen();
    cr_assert_eq(journal.outbox[0].seq, 42);
    cr_assert_eq(journal.next_seq, 58);
}

/* Writes of one run, each with a number that must never go back once it was read and built upon. */
static void write_number(uint32_t number)
{
    agent_journal_hold(&journal);
    agent_journal_progress(&journal, number);
    queue(AGENT_ST_DOWNLOADING);
    if (journal.outbox_count > 3)
        agent_journal_acknowledge(&journal, journal.outbox[0].seq);
    agent_journal_commit(&journal);
}

static uint32_t done; /* the last number surely written */
static uint32_t luck; /* see world.h */
static uint32_t page_bytes = WORLD_PAGE;
static uint32_t slack; /* records that were read by luck, and not built upon */

static void cut_writing(uint32_t last, uint32_t at, int form)
{
    flash.ops = 0;
    flash.cut_at = at;
    flash.form = (enum world_torn)form;
    if (!setjmp(power))
        for (; done < last; done++)
            write_number(done + 1);
    flash.cut_at = 0;
}

/* Prepares n records, then cuts op `at` of what follows in the next session. */
static void cut_run(uint32_t n, uint32_t at, int form)
{
    begin();
    flash.layout.page_bytes = page_bytes;
    flash.chance = n * 131 + at * 7 + (uint32_t)form;
    flash.luck = luck;
    for (done = 0; done < n; done++)
        write_number(done + 1);
    reopen();
    cut_writing(n + 6, at, form);
}

/* What was read is built upon by one more write; then it must read so at every later boot. */
static void check_after_cut(uint32_t n, uint32_t at, int form)
{
    for (int boot = 0; boot < 6; boot++) {
        reopen();
        uint32_t now = journal.durable_bytes;
        cr_assert(now + slack >= done && now <= done + 1, "n %u op %u form %d boot %d: %u of %u", n,
                  at, form, boot, now, done);
        cr_assert_eq(journal.next_seq, now + 1);
        if (boot < 2)
            continue;        /* two boots that only read may see an unstable page differently */
        write_number(++now); /* may be what the cut write said, so one more */
        write_number(++now);
        done = now;
        slack = 0;
        reopen();
        cr_assert_eq(journal.durable_bytes, done, "n %u op %u form %d: built upon, then lost", n,
                     at, form);
    }
    cr_assert_eq(flash.violations, 0, "n %u op %u form %d", n, at, form);
}

Test(agent_journal, a_cut_at_any_operation_leaves_the_old_or_the_new)
{
    for (uint32_t n = 0; n <= 36; n += n < 26 ? 5 : 1)
        for (uint32_t at = 1; at <= 12; at++)
            for (int form = 0; form < TORN_FORMS; form++) {
                luck = 0x5a93c6e1u ^ (n * 7919 + at * 104729);
                cut_run(n, at, form);
                check_after_cut(n, at, form);
            }
}

Test(agent_journal, two_cuts_in_a_row_leave_nothing_half)
{
    for (uint32_t n = 24; n <= 34; n++)
        for (uint32_t at = 1; at <= 8; at++)
            for (uint32_t then = 1; then <= 8; then++) {
                luck = 0x3c5a69f1u ^ (n * 7919 + at * 104729 + then * 1299709);
                cut_run(n, at, (int)((n + at + then) % TORN_FORMS));
                reopen();
                done = journal.durable_bytes;
                cut_writing(UINT32_MAX, then, (int)((at + 2 * then) % TORN_FORMS));
                reopen();
                /* The first cut's record may be gone if nothing was built upon it. */
                cr_assert(journal.durable_bytes + 1 >= done && journal.durable_bytes <= done + 1,
                          "n %u ops %u, %u: %u of %u", n, at, then, journal.durable_bytes, done);
                done = journal.durable_bytes;
                slack = 2;
                check_after_cut(n, at, (int)then);
            }
}

/* A bank of two pages, its header and one record: each write is a compaction. */
Test(agent_journal, pages_as_large_as_sectors_survive_cuts_too)
{
    page_bytes = WORLD_SECTOR;
    for (uint32_t n = 0; n <= 9; n++)
        for (uint32_t at = 1; at <= 12; at++)
            for (int form = 0; form < TORN_FORMS; form++) {
                luck = 0x5a93c6e1u ^ (n * 7919 + at * 104729);
                cut_run(n, at, form);
                check_after_cut(n, at, form);
            }
}

/* The next write is torn at its op `at`; the boots after it read the page new where a bit is set.
 */
static void tear_next(uint32_t at, uint32_t lucky_boots)
{
    flash.ops = 0;
    flash.cut_at = at;
    flash.form = TORN_LUCKY;
    flash.luck = lucky_boots << 1;
}

/* Rule 1: what was read is in the snapshot that comes first, so the torn page may turn back. */
Test(agent_journal, a_lucky_record_that_was_built_upon_stays)
{
    begin();
    write_number(1);
    reopen();
    write_number(2); /* the other bank is a valid older one now */
    tear_next(1, 1);
    if (!setjmp(power))
        agent_journal_rolled_back(&journal, "bad");
    reopen();
    cr_assert_str_eq(journal.rolled_back_id, "bad", "the first boot is lucky");
    write_number(3);
    reopen();
    cr_assert_str_eq(journal.rolled_back_id, "bad");
    cr_assert_eq(journal.durable_bytes, 3);
}

/* Rule 3: a bank which was begun and not believed must not win later. */
Test(agent_journal, a_lucky_bank_does_not_come_back_with_older_content)
{
    struct agent_notification update = update_named("fw");
    begin();
    write_number(1);
    reopen();
    write_number(2); /* the other bank is a valid older one now */
    for (uint32_t i = 3; journal.tail + 2 * WORLD_PAGE <= bank_bytes; i++)
        agent_journal_progress(&journal, i);
    tear_next(4, 2); /* two erases, the snapshot, the header */
    if (!setjmp(power))
        agent_journal_begin_update(&journal, &update);
    reopen();
    cr_assert_not(journal.has_update, "the first boot is unlucky");
    agent_journal_progress(&journal, 777);
    reopen();
    cr_assert_eq(journal.durable_bytes, 777);
}

/* The bytes as agent/FORMAT.md draws them, written by hand. */
static uint32_t put_record(uint8_t *page, uint32_t sequence, const uint8_t *items, uint32_t len)
{
    memset(page, 0xff, WORLD_PAGE);
    uint8_t head[12] = {'J', 'R', (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)sequence};
    memcpy(page, head, sizeof head);
    memcpy(page + 12, items, len);
    uint32_t crc = boot_crc32(0, page, 12 + len);
    for (int i = 0; i < 4; i++)
        page[12 + len + (uint32_t)i] = (uint8_t)(crc >> (8 * i));
    return 16 + len;
}

static uint8_t *tail(void)
{
    return flash.cell + WORLD_DATA + (uint32_t)journal.bank * bank_bytes + journal.tail;
}

Test(agent_journal, unknown_kinds_and_longer_items_are_read_past)
{
    static const uint8_t items[] = {
        200, 2, 0, 'x',  'y',                /* a kind of the future */
        3,   6, 0, 0x10, 0x27, 0, 0, 77, 78, /* progress 10000, and two bytes more */
        2,   4, 0, 4,    0,    2, 1,         /* a step too short: ignored */
        250, 0, 0,                           /* an empty one */
        7,   4, 0, 60,   0,    0, 0,         /* next_seq 60 */
    };
    begin();
    agent_journal_step(&journal, AGENT_DOWNLOADING, 0, 1);
    put_record(tail(), journal.bank_sequence, items, sizeof items);
    reopen();
    cr_assert_eq(journal.durable_bytes, 10000);
    cr_assert_eq(journal.next_seq, 60);
    cr_assert_eq(journal.phase, AGENT_DOWNLOADING);
    cr_assert_eq(journal.attempts, 1);
    agent_journal_progress(&journal, 5);
    reopen();
    cr_assert_eq(journal.durable_bytes, 5);
}

Test(agent_journal, the_bytes_are_those_of_the_format_page)
{
    static const uint8_t items[] = {3, 4, 0, 0, 16, 0, 0};
    uint8_t expected[WORLD_PAGE], head[16] = {'B', 'Y', 'J', '1', 1};
    begin();
    agent_journal_settle(&journal);
    uint8_t *at = tail();
    agent_journal_progress(&journal, 4096);
    put_record(expected, 1, items, sizeof items);
    cr_assert_arr_eq(at, expected, WORLD_PAGE);
    uint32_t crc = boot_crc32(0, head, 12);
    for (int i = 0; i < 4; i++)
        head[12 + i] = (uint8_t)(crc >> (8 * i));
    cr_assert_arr_eq(flash.cell + WORLD_DATA, head, 16);
}

Test(agent_journal, records_of_an_older_bank_are_not_taken_for_this_one)
{
    static const uint8_t items[] = {3, 4, 0, 0, 16, 0, 0};
    begin();
    agent_journal_settle(&journal);
    put_record(tail(), journal.bank_sequence + 1, items, sizeof items);
    reopen();
    cr_assert_eq(journal.durable_bytes, 0);
    agent_journal_progress(&journal, 7);
    reopen();
    cr_assert_eq(journal.durable_bytes, 7);
}

Test(agent_journal, any_single_damaged_byte_costs_at_most_one_record)
{
    static uint8_t good[WORLD_FLASH];
    begin();
    for (uint32_t i = 1; i <= 45; i++)
        write_number(i);
    memcpy(good, flash.cell, sizeof good);
    uint32_t from = WORLD_DATA + (uint32_t)journal.bank * bank_bytes, to = from + journal.tail;
    for (uint32_t at = from; at < to; at += 3) {
        memcpy(flash.cell, good, sizeof good);
        flash.cell[at] ^= (uint8_t)(1u << at % 8);
        reopen();
        bool header = at < from + 2 * WORLD_PAGE + 256; /* header or snapshot: the older bank */
        cr_assert(header || journal.durable_bytes >= 44, "byte %u: %u", at, journal.durable_bytes);
        cr_assert_geq(journal.durable_bytes, 20, "byte %u: %u", at, journal.durable_bytes);
        write_number(1000);
        reopen();
        cr_assert_eq(journal.durable_bytes, 1000, "byte %u", at);
    }
}

Test(agent_journal, two_lost_banks_are_empty_and_say_so)
{
    begin();
    write_number(5);
    flash.cell[WORLD_DATA + 2] ^= 1;
    reopen();
    cr_assert(journal.lost);
    cr_assert_eq(journal.durable_bytes, 0);
    cr_assert_eq(journal.next_seq, 1);
    write_number(6);
    reopen();
    cr_assert_eq(journal.durable_bytes, 6);
    cr_assert_not(journal.lost);
}

Test(agent_journal, flash_that_fails_leaves_the_change_in_ram)
{
    begin();
    write_number(1);
    flash.fail_from = WORLD_DATA;
    flash.fail_to = WORLD_FLASH;
    cr_assert_eq(agent_journal_progress(&journal, 2), AGENT_EFLASH);
    cr_assert(journal.broken);
    cr_assert_eq(journal.durable_bytes, 2);
    flash.fail_to = 0;
    reopen();
    cr_assert_eq(journal.durable_bytes, 1);
}

Test(agent_journal, a_bank_too_small_for_a_record_breaks_without_damage)
{
    struct agent_notification update = update_named("fw");
    begin();
    flash.layout.sector_bytes = 512;
    flash.layout.journal_bytes = 4 * 512;
    /* Sectors of the fake are larger: only the first of each bank is erased, which is enough here.
     */
    reopen();
    agent_journal_begin_update(&journal, &update);
    for (int i = 0; i < AGENT_OUTBOX_MAX; i++)
        queue(AGENT_ST_CONFIRMED);
    cr_assert(journal.broken);
    cr_assert_eq(journal.outbox_count, AGENT_OUTBOX_MAX);
}
