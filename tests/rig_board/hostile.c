/* What comes from QEMU is not trusted: QMP, gdb, trace. */
#include "gdb.h"
#include "rig/qmp.h"
#include "spi.h"
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char greeting[] = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n";
static const char capable[] = "{\"return\": {}, \"id\": 1}\r\n";

struct heard {
    struct ev_loop *loop;
    struct rig_qmp *qmp;
    struct rig_gdb *gdb;
    int other;
    unsigned ready, events, lost, ends, replies, errors, stops, bytes;
    int64_t at_us;
    struct rig_gdb_stop stop;
    char why[128];
};
static struct heard heard;

static void on_ready(void *ctx)
{
    ((struct heard *)ctx)->ready++;
}

static void on_event(void *ctx, const char *name, const json_t *data, int64_t at_us)
{
    struct heard *h = ctx;
    (void)data;
    h->events++;
    h->at_us = at_us;
    if (!strcmp(name, "CLOSE"))
        rig_qmp_close(h->qmp);
}

static void on_lost(void *ctx, const char *why, bool ended)
{
    struct heard *h = ctx;
    h->lost++;
    h->ends += ended;
    snprintf(h->why, sizeof h->why, "%s", why);
}

static void on_reply(void *ctx, const json_t *result, const char *error)
{
    struct heard *h = ctx;
    (void)error;
    h->replies += result != NULL;
    h->errors += result == NULL;
}

static void on_stop(void *ctx, const struct rig_gdb_stop *stop)
{
    struct heard *h = ctx;
    h->stops++;
    h->stop = *stop;
}

static void on_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
    struct heard *h = ctx;
    h->bytes += (unsigned)len;
    h->errors += bytes == NULL;
}

static void open_qmp(void)
{
    static const struct rig_qmp_events events = {on_ready, on_event, on_lost};
    int pair[2];
    memset(&heard, 0, sizeof heard);
    heard.loop = ev_loop_new(EVFLAG_AUTO);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    heard.other = pair[1];
    cr_assert_eq(rig_qmp_open(&heard.qmp, heard.loop, pair[0], &events, &heard), 0);
}

static void open_gdb(void)
{
    static const struct rig_gdb_events events = {on_stop, on_lost};
    int pair[2];
    memset(&heard, 0, sizeof heard);
    heard.loop = ev_loop_new(EVFLAG_AUTO);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    heard.other = pair[1];
    cr_assert_eq(rig_gdb_open(&heard.gdb, heard.loop, pair[0], &events, &heard), 0);
}

static void done(void)
{
    rig_qmp_close(heard.qmp);
    rig_gdb_close(heard.gdb);
    close(heard.other);
    ev_loop_destroy(heard.loop);
}

static void feed(const char *text)
{
    rig_qmp_feed(heard.qmp, text, strlen(text));
}

Test(rig_board_hostile, qmp_byte_by_byte_is_the_same)
{
    open_qmp();
    rig_qmp_send(heard.qmp, "stop", NULL, on_reply, &heard); /* held until it is ready */
    for (const char *at = greeting; *at; at++)
        rig_qmp_feed(heard.qmp, at, 1);
    static const char second[] = "{\"return\": {}, \"id\": 2}\r\n"; /* the first was held */
    for (const char *at = second; *at; at++)
        rig_qmp_feed(heard.qmp, at, 1);
    cr_assert_eq(heard.ready, 1);
    feed(capable);
    cr_assert_eq(heard.replies, 1);
    feed("{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 12, \"microseconds\": 34}}\n");
    cr_assert_eq(heard.at_us, 12000034);
    done();
}

Test(rig_board_hostile, qmp_rubbish_ends_the_connection_and_every_wait)
{
    static const char rows[][96] = {"not json\n",
                                    "[]\n",
                                    "{\"return\": {}, \"id\": 99}\n",
                                    "{\"return\": {}}\n",
                                    "{\"QMP\": 1}\n",
                                    "{\"event\": 5}\n",
                                    "{\"error\": {}, \"id\": \"x\"}\n",
                                    "\x00\xff\xfe\n"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_qmp();
        feed(greeting);
        feed(capable);
        cr_assert_eq(rig_qmp_send(heard.qmp, "stop", NULL, on_reply, &heard), 0);
        rig_qmp_feed(heard.qmp, rows[i], i == 7 ? 4 : strlen(rows[i]));
        cr_assert_eq(heard.lost, 1, "row %zu", i);
        cr_assert_eq(heard.ends, 0, "QEMU lives on");
        cr_assert_eq(heard.errors, 1);
        cr_assert_eq(rig_qmp_send(heard.qmp, "stop", NULL, on_reply, &heard), -1);
        done();
    }
}

Test(rig_board_hostile, qmp_line_without_end_is_bounded)
{
    static char chunk[65536];
    open_qmp();
    feed(greeting);
    memset(chunk, 'x', sizeof chunk);
    for (int i = 0; i < 64; i++)
        rig_qmp_feed(heard.qmp, chunk, sizeof chunk);
    cr_assert_eq(heard.lost, 1);
    cr_assert_str_eq(heard.why, "QMP: a line without an end");
    done();
}

Test(rig_board_hostile, qmp_may_be_closed_from_its_own_event)
{
    open_qmp();
    feed(greeting);
    feed("{\"event\": \"CLOSE\"}\n{\"event\": \"MORE\"}\n");
    cr_assert_eq(heard.events, 1);
    heard.qmp = NULL;
    done();
}

Test(rig_board_hostile, qmp_call_ends_in_time_and_on_loss)
{
    char message[128];
    open_qmp();
    feed(greeting);
    feed(capable);
    cr_assert_eq(rig_qmp_call(heard.qmp, "stop", NULL, NULL, 30, message, sizeof message), -1);
    cr_assert_str_eq(message, "stop: no reply");
    feed("{\"return\": {}, \"id\": 2}\n"); /* late: nobody is called */
    cr_assert_eq(heard.lost, 0);
    close(heard.other);
    heard.other = dup(0);
    cr_assert_eq(rig_qmp_call(heard.qmp, "cont", NULL, NULL, 5000, message, sizeof message), -1);
    cr_assert_eq(heard.lost, 1);
    cr_assert_eq(heard.ends, 1);
    done();
}

static void packet(const char *text)
{
    char framed[256];
    uint8_t sum = 0;
    for (const char *at = text; *at; at++)
        sum = (uint8_t)(sum + (uint8_t)*at);
    int len = snprintf(framed, sizeof framed, "+$%s#%02x", text, sum);
    rig_gdb_feed(heard.gdb, framed, (size_t)len);
}

Test(rig_board_hostile, gdb_replies_come_in_order)
{
    open_gdb();
    rig_gdb_watch(heard.gdb, 0x18810, 4, true);
    rig_gdb_read(heard.gdb, 0x18800, 4, on_bytes, &heard);
    rig_gdb_continue(heard.gdb);
    rig_gdb_flush(heard.gdb);
    char sent[128] = "";
    cr_assert_gt(read(heard.other, sent, sizeof sent - 1), 0);
    cr_assert_str_eq(sent, "$Z2,18810,4#1a$m18800,4#ce$c#63");
    packet("OK");
    packet("01020304");
    cr_assert_eq(recv(heard.other, sent, sizeof sent, MSG_DONTWAIT), -1,
                 "a byte that comes while the machine runs would stop it");
    packet("T05thread:01;watch:00018810;");
    cr_assert_eq(heard.bytes, 4);
    cr_assert_eq(heard.stops, 1);
    cr_assert(heard.stop.watch && heard.stop.addr == 0x18810 && heard.stop.signal == 5);
    done();
}

Test(rig_board_hostile, gdb_rubbish_ends_the_connection)
{
    static const char rows[][40] = {"$OK#00", "$T#54", "$Tzz#48", "$#zz", "$W00#b7", "$OK#9a"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_gdb();
        rig_gdb_feed(heard.gdb, rows[i], strlen(rows[i]));
        cr_assert_eq(heard.lost, 1, "row %zu", i);
        cr_assert(rig_gdb_is_lost(heard.gdb));
        cr_assert_eq(heard.ends, rows[i][1] == 'W', "row %zu: else QEMU lives on", i);
        done();
    }
    open_gdb();
    close(heard.other);
    heard.other = dup(0);
    rig_gdb_work(heard.gdb);
    cr_assert(heard.lost == 1 && heard.ends == 1);
    done();
    open_gdb();
    for (int i = 0; i < 10000; i++)
        rig_gdb_feed(heard.gdb, i ? "aaaa" : "$", i ? 4 : 1);
    cr_assert_eq(heard.lost, 1);
    done();
}

Test(rig_board_hostile, gdb_refused_memory_is_told)
{
    open_gdb();
    rig_gdb_read(heard.gdb, 0x18800, 4, on_bytes, &heard);
    packet("E14");
    rig_gdb_read(heard.gdb, 0x18800, 4, on_bytes, &heard);
    packet("0102");
    cr_assert_eq(heard.errors, 2);
    cr_assert_eq(heard.lost, 0);
    done();
}

/* ---- The bus ---- */

struct bus {
    struct rig_spi spi;
    unsigned ops, programs;
    uint32_t addr, len;
};

static void on_op(void *ctx, const struct rig_spi_op *op)
{
    struct bus *bus = ctx;
    bus->ops++;
    bus->programs += !op->erase;
    bus->addr = op->addr;
    bus->len = op->len;
}

static void say(struct bus *bus, const char *what)
{
    char line[256];
    snprintf(line, sizeof line, "12@100.000007:%s", what);
    rig_spi_line(&bus->spi, line);
}

Test(rig_board_hostile, the_bus_is_decoded)
{
    struct bus bus = {.spi = {.op = on_op, .ctx = &bus}};
    say(&bus, "m25p80_page_program [0x5a] page program cur_addr=0x10 data=0x1"); /* not bound */
    say(&bus, "m25p80_binding [0x5a] Binding to IF_MTD drive");
    say(&bus, "m25p80_page_program [0x5a] page program cur_addr=0x10 data=0x1");
    say(&bus, "m25p80_page_program [0x77] page program cur_addr=0x11 data=0x1"); /* another chip */
    say(&bus, "m25p80_page_program [0x5a] page program cur_addr=0x11 data=0x2");
    cr_assert_eq(bus.ops, 0);
    say(&bus, "aspeed_smc_write @0x10 size 4: 0x7");
    cr_assert(bus.ops == 1 && bus.addr == 0x10 && bus.len == 2);
    say(&bus, "m25p80_flash_erase [0x5a] offset = 0x11000, len = 4096");
    say(&bus, "aspeed_smc_write @0x10 size 4: 0x7");
    cr_assert(bus.ops == 2 && bus.programs == 1 && bus.addr == 0x11000 && bus.len == 4096);
}

Test(rig_board_hostile, what_the_data_sheet_forbids_is_counted)
{
    struct bus bus = {.spi = {.op = on_op, .ctx = &bus}};
    say(&bus, "m25p80_binding [0x5a] Binding to IF_MTD drive");
    say(&bus, "m25p80_page_program [0x5a] page program cur_addr=0xff data=0x1");
    say(&bus, "m25p80_page_program [0x5a] page program cur_addr=0x100 data=0x1");
    rig_spi_line(&bus.spi, "M25P80: write with write protect!");
    say(&bus, "aspeed_smc_write @0x10 size 4: 0x0");
    cr_assert_eq(bus.ops, 1);
    say(&bus, "m25p80_flash_erase [0x5a] offset = 0x11000, len = 4096");
    rig_spi_line(&bus.spi, "M25P80: erase with write protect!");
    say(&bus, "aspeed_smc_write @0x10 size 4: 0x7");
    cr_assert_eq(bus.ops, 1);
    cr_assert_eq(bus.spi.lint.refused, 2);
    cr_assert_eq(bus.spi.lint.crossings, 1);
    say(&bus, "m25p80_flash_erase [0x5a] offset = 0xff000, len = 8192");
    say(&bus, "m25p80_page_program [0x5a] page program cur_addr=0x100000 data=0x1");
    say(&bus, "aspeed_smc_write @0x10 size 4: 0x7");
    cr_assert_eq(bus.ops, 1, "beyond the part");
}
