/* The board as a body, with a board and a gateway that do what the test says. */
#include "world_internal.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The fakes ---- */

struct fake {
    struct sim_body *body;
    bool on, ended, any;
    bool stopped;
    int64_t owes_ms;
    struct rig_op op;
    unsigned offs, go_ons, ended_told, asks;
    bool deaf; /* QEMU does not answer */
    uint64_t unclean;
    bool no_boot, clean;
    char said[4096], how[128], lost[600];
    unsigned stands, heard;
    struct sim_body_run run;
    struct sim_unit unit;
    struct sim_body_device device;
    char flash[64];
    int fd;
};
static struct fake fake;
static struct rig_world world;
static struct scn scn;
static struct sim_world of_run;

int rig_board_create(struct rig_board **out, const struct rig_board_config *config, char *message,
                     size_t len)
{
    (void)message, (void)len;
    cr_assert(config->stepped && config->ctx);
    *out = (struct rig_board *)&fake;
    return 0;
}

void rig_board_free(struct rig_board *board)
{
    (void)board;
    fake.on = false;
}

int rig_board_power_on(struct rig_board *board, char *message, size_t len)
{
    (void)board, (void)message, (void)len;
    fake.on = true;
    fake.any = false;
    return 0;
}

void rig_board_power_off(struct rig_board *board)
{
    (void)board;
    fake.on = false;
    fake.offs++;
    fake.unclean += fake.deaf;
}

void rig_board_facts(const struct rig_board *board, struct rig_board_facts *facts)
{
    (void)board;
    *facts = (struct rig_board_facts){.unclean = fake.unclean};
}

bool rig_board_is_on(const struct rig_board *board)
{
    (void)board;
    return fake.on;
}

bool rig_board_last_op(const struct rig_board *board, struct rig_op *op, bool *ended)
{
    (void)board;
    *op = fake.op;
    *ended = fake.ended;
    return fake.any;
}

void rig_board_ask(struct rig_board *board)
{
    (void)board;
    fake.asks++;
}

void rig_board_go_on(struct rig_board *board)
{
    (void)board;
    fake.go_ons++;
}

void rig_board_link_write(struct rig_board *board, const void *bytes, size_t len)
{
    (void)board, (void)bytes, (void)len;
}

const char *rig_board_said(const struct rig_board *board)
{
    (void)board;
    return "qemu: no more";
}

int gateway_create(struct gateway **out, const struct gateway_config *config)
{
    cr_assert_str_eq(config->http_connect_to, "127.0.0.1:8443");
    *out = (struct gateway *)&fake;
    return 0;
}

void gateway_free(struct gateway *gateway)
{
    (void)gateway;
}

void gateway_input(struct gateway *gateway, const void *bytes, size_t len)
{
    (void)gateway, (void)bytes, (void)len;
}

void gateway_power_lost(struct gateway *gateway)
{
    (void)gateway;
}

void gateway_power_on(struct gateway *gateway)
{
    (void)gateway;
}

int64_t gateway_owes_ms(const struct gateway *gateway, const char **why)
{
    (void)gateway;
    *why = "Connection refused";
    return fake.owes_ms;
}

bool rig_board_is_stopped(const struct rig_board *board)
{
    (void)board;
    return fake.stopped;
}

pid_t rig_board_pid(const struct rig_board *board)
{
    (void)board;
    return fake.on ? 4711 : 0;
}

int64_t rw_utc_ms(void *run)
{
    (void)run;
    return 0;
}

/* ---- The ground ---- */

static void said(void *ctx, const char *line)
{
    size_t len = strlen(fake.said);
    (void)ctx;
    snprintf(fake.said + len, sizeof fake.said - len, "%s|", line);
}

static void heard(void *ctx)
{
    (void)ctx;
    fake.heard++;
}

static void stands(void *ctx)
{
    (void)ctx;
    fake.stands++;
}

static void ended(void *ctx, const char *how, bool clean, bool no_boot)
{
    (void)ctx;
    fake.ended_told++;
    fake.clean = clean;
    fake.no_boot = no_boot;
    snprintf(fake.how, sizeof fake.how, "%s", how);
}

static void lost(void *ctx, const char *why)
{
    (void)ctx;
    snprintf(fake.lost, sizeof fake.lost, "%s", why);
}

static void setup(void)
{
    char message[128];
    memset(&fake, 0, sizeof fake);
    memset(&world, 0, sizeof world);
    snprintf(fake.flash, sizeof fake.flash, "/tmp/rig-world-flash-XXXXXX");
    fake.fd = mkstemp(fake.flash);
    cr_assert_geq(fake.fd, 0);
    cr_assert_eq(ftruncate(fake.fd, BOARD_NOR_BYTES), 0);
    snprintf(fake.unit.id, sizeof fake.unit.id, "pumps-00001");
    scn.device.keepalive_us = 60000000;
    of_run.scn = &scn;
    fake.run.world = &of_run;
    fake.device =
        (struct sim_body_device){.run = &fake.run,
                                 .unit = &fake.unit,
                                 .flash = fake.flash,
                                 .store_port = 8443,
                                 .events = {said, heard, stands, ended, NULL, lost, NULL, &fake}};
    cr_assert_eq(rw_open(&world, &fake.body, &fake.device, message, sizeof message), 0);
    cr_assert_eq(rw_on(fake.body, message, sizeof message), 0);
}

static void teardown(void)
{
    rw_close(fake.body);
    free(world.counts.boot_ms);
    close(fake.fd);
    unlink(fake.flash);
}

TestSuite(rig_world_body, .init = setup, .fini = teardown);

static uint8_t page[BOARD_NOR_PAGE];

/* It stands before this operation, and goes on if `go`. */
static void stand(uint64_t number, bool erase, bool go)
{
    memset(page, 0x5A, sizeof page);
    fake.any = true;
    fake.op = (struct rig_op){.number = number,
                              .erase = erase,
                              .addr = BOARD_DATA_ADDR,
                              .len = erase ? BOARD_NOR_SECTOR : BOARD_NOR_PAGE,
                              .data = erase ? NULL : page};
    rw_events.stands(fake.body, &fake.op);
    if (go)
        rw_go_on(fake.body);
}

static void put_in_file(uint8_t byte, uint32_t len)
{
    uint8_t bytes[BOARD_NOR_SECTOR];
    memset(bytes, byte, sizeof bytes);
    cr_assert_eq(pwrite(fake.fd, bytes, len, BOARD_DATA_ADDR), (ssize_t)len);
}

static struct sim_body_op last_op(void)
{
    struct sim_body_op op = {0};
    cr_assert(rw_last_op(fake.body, &op));
    return op;
}

static void says_lost(const char *needle)
{
    cr_assert(strstr(fake.lost, needle), "\"%s\" wanted: %s", needle, fake.lost);
}

/* ---- Operations ---- */

Test(rig_world_body, no_operation_before_the_first)
{
    struct sim_body_op op;
    cr_assert_not(rw_last_op(fake.body, &op));
}

Test(rig_world_body, an_operation_is_in_progress_from_its_stand_on)
{
    stand(1, false, false);
    struct sim_body_op op = last_op();
    cr_assert(op.in_progress && op.number == 1 && op.call.kind == SIM_FLASH_PROGRAM);
    cr_assert(op.call.addr == BOARD_DATA_ADDR && op.call.len == BOARD_NOR_PAGE);
    memset(page, 0, sizeof page); /* the board's own bytes are no longer there */
    cr_assert_eq(op.call.data[0], 0x5A);
    cr_assert_eq(fake.go_ons, 0);
    rw_go_on(fake.body);
    rw_go_on(fake.body);
    cr_assert_eq(fake.go_ons, 1, "a board that runs is not let go on again");
    cr_assert(last_op().in_progress);
}

Test(rig_world_body, power_off_where_it_stands_leaves_the_operation_undone)
{
    stand(1, true, false);
    fake.ended = true; /* of the one before */
    rw_off(fake.body);
    cr_assert(last_op().in_progress);
}

Test(rig_world_body, power_off_in_the_busy_time_and_after_it)
{
    stand(1, true, true);
    rw_off(fake.body);
    cr_assert(last_op().in_progress);
    char message[64];
    cr_assert_eq(rw_on(fake.body, message, sizeof message), 0);
    stand(2, true, true);
    fake.ended = true;
    rw_off(fake.body);
    cr_assert_not(last_op().in_progress);
}

Test(rig_world_body, a_power_off_that_may_have_lost_pages_is_counted_and_the_host_s_fault)
{
    char message[64];
    rw_off(fake.body);
    cr_assert_eq(world.counts.unclean, 0);
    cr_assert_str_eq(fake.lost, "");
    cr_assert_eq(rw_on(fake.body, message, sizeof message), 0);
    fake.deaf = true;
    rw_off(fake.body);
    says_lost("QEMU (pid 4711) did not stop");
    fake.lost[0] = '\0';
    rw_off(fake.body); /* off already */
    cr_assert_eq(world.counts.unclean, 1);
    cr_assert_str_eq(fake.lost, "");
}

/* However long that is by the host's clock: its QEMU may have had nothing of it. */
Test(rig_world_body, what_runs_on_without_another_operation_has_ended_when_the_board_says_so)
{
    stand(1, false, true);
    fake.body->went_on_at -= 0.5;
    cr_assert(last_op().in_progress);
    cr_assert_eq(fake.asks, 0);
    fake.body->went_on_at -= 100;
    cr_assert(last_op().in_progress);
    cr_assert_eq(fake.asks, 1);
    fake.ended = true;
    cr_assert_not(last_op().in_progress);
}

/* ---- Resets ---- */

Test(rig_world_body, a_warm_reset_in_the_busy_time_lets_the_operation_end)
{
    stand(1, false, true);
    put_in_file(0x5A, BOARD_NOR_PAGE);
    rw_events.reset(fake.body, RIG_RESET_WATCHDOG);
    cr_assert_not(last_op().in_progress);
    cr_assert_str_eq(fake.said, "level=warn event=watchdog_reset|");
    cr_assert_eq(fake.ended_told, 0, "it is no end");
    cr_assert_eq(world.counts.resets[RIG_RESET_WATCHDOG], 1);
}

Test(rig_world_body, a_warm_reset_in_an_erase_lets_it_end)
{
    stand(1, true, true);
    put_in_file(0xFF, BOARD_NOR_SECTOR);
    rw_events.reset(fake.body, RIG_RESET_WATCHDOG);
    cr_assert_not(last_op().in_progress);
    cr_assert_str_eq(fake.said, "level=warn event=watchdog_reset|");
}

Test(rig_world_body, a_warm_reset_before_the_last_byte_is_told_as_a_cut)
{
    stand(7, false, true);
    put_in_file(0x5B, BOARD_NOR_PAGE); /* one bit of each byte is still set */
    rw_events.reset(fake.body, RIG_RESET_WATCHDOG);
    cr_assert_not(last_op().in_progress);
    cr_assert_str_eq(fake.said,
                     "level=warn event=operation_cut number=7|level=warn event=watchdog_reset|");
}

Test(rig_world_body, a_hard_fault_is_told_for_the_board_and_its_own_word_is_enough)
{
    rw_events.reset(fake.body, RIG_RESET_GUEST);
    cr_assert_str_eq(fake.said, "level=warn event=end how=hard_fault|");
    rw_events.console(fake.body, "level=info device=x event=boot slot=A");
    fake.said[0] = '\0';
    rw_events.console(fake.body, "time=t level=info device=x event=end how=software");
    rw_events.reset(fake.body, RIG_RESET_GUEST);
    cr_assert_str_eq(fake.said, "time=t level=info device=x event=end how=software|");
}

/* ---- Lines ---- */

Test(rig_world_body, the_bootloader_tells_of_the_boot_and_the_firmware_of_its_start)
{
    rw_events.console(fake.body, "level=info event=rom reset=power_on boots=1 straps=0");
    rw_events.console(fake.body, "level=info device=x event=boot slot=A trial=no");
    cr_assert_eq(world.counts.boots, 0);
    rw_events.console(fake.body, "time=t level=info device=x event=firmware version=2.3.1");
    rw_events.console(fake.body, "time=t level=info device=x event=boot slot=B");
    cr_assert_str_eq(fake.said, "level=info event=rom reset=power_on boots=1 straps=0|"
                                "level=info device=x event=boot slot=A trial=no|"
                                "time=t level=info device=x event=firmware version=2.3.1|"
                                "time=t level=info device=x event=not_boot slot=B|");
    cr_assert_eq(world.counts.boots, 1);
    cr_assert_eq(world.counts.samples, 1);
    cr_assert_eq(fake.heard, 4);
}

Test(rig_world_body, a_bootloader_that_boots_nothing_is_switched_off)
{
    rw_events.console(fake.body, "level=error device=x event=no_boot error=none");
    cr_assert(fake.ended_told == 1 && fake.no_boot && !fake.clean);
    cr_assert_not(fake.on);
}

Test(rig_world_body, the_firmware_can_not_pretend_to_be_the_bootloader)
{
    rw_events.console(fake.body, "time=t level=error device=x event=no_boot error=none");
    cr_assert(fake.on && fake.ended_told == 0);
}

Test(rig_world_body, an_end_of_qemu_is_an_end)
{
    fake.on = false;
    rw_events.ended(fake.body, 11);
    cr_assert(fake.ended_told == 1 && !fake.no_boot && !fake.clean);
    cr_assert_str_eq(fake.said, "qemu: no more|");
    cr_assert_not_null(strstr(fake.how, "QEMU"));
}

/* ---- What the board is carried by fails ---- */

Test(rig_world_body, a_qemu_that_was_killed_from_outside_is_no_end_of_the_board)
{
    static const int status[] = {SIGKILL, SIGTERM, 0, 1 << 8};
    for (size_t i = 0; i < sizeof status / sizeof *status; i++) {
        fake.on = false;
        fake.lost[0] = '\0';
        rw_events.ended(fake.body, status[i]);
        cr_assert_eq(fake.ended_told, 0, "status 0x%x", (unsigned)status[i]);
        says_lost("QEMU (pid 4711)");
        says_lost(" UTC, ");
        says_lost("qemu: no more");
    }
    says_lost("with exit code 1");
    rw_events.ended(fake.body, SIGKILL);
    says_lost("killed by signal 9, Killed");
}

Test(rig_world_body, a_qemu_that_the_board_brought_down_is_an_end_of_the_board)
{
    fake.on = false;
    rw_events.ended(fake.body, SIGABRT | 0x80);
    cr_assert(fake.ended_told == 1 && !fake.no_boot && !fake.clean);
    cr_assert_str_eq(fake.lost, "");
}

Test(rig_world_body, a_qemu_that_stays_stopped_is_lost_and_one_that_goes_on_is_not)
{
    fake.stopped = true;
    rw_watch(fake.body, 0, false);
    cr_assert_str_eq(fake.lost, "", "it may have been ^Z");
    fake.stopped = false;
    rw_watch(fake.body, 0, false);
    fake.body->stopped_at -= 10; /* 0: it was forgotten */
    fake.stopped = true;
    rw_watch(fake.body, 0, false);
    cr_assert_str_eq(fake.lost, "");
    fake.body->stopped_at -= 3;
    rw_watch(fake.body, 0, false);
    says_lost("QEMU (pid 4711) has been stopped from outside");
}

Test(rig_world_body, a_gateway_without_a_connection_is_lost_before_its_board_is_unreachable)
{
    static const struct {
        int64_t owes_ms, open_ms;
        bool at_end, lost;
    } row[] = {
        {59000, 1000000, false, false}, {61000, 1000000, false, true},
        {61000, 59000, false, false}, /* the scenario kept it away */
        {9000, 1000000, true, false},   {11000, 1000000, true, true},
        {0, 1000000, true, false},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        fake.lost[0] = '\0';
        fake.owes_ms = row[i].owes_ms;
        rw_watch(fake.body, row[i].open_ms, row[i].at_end);
        cr_assert_eq(*fake.lost != '\0', row[i].lost, "row %zu: %s", i, fake.lost);
    }
    fake.owes_ms = 61000;
    rw_watch(fake.body, 1000000, false);
    says_lost("its gateway (in this process, pid ");
    says_lost("no connection to the broker for 61 s, since ");
    says_lost("Connection refused");
}
