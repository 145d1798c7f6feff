/* See fake.h. */
#include "fake.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fake fake;
struct rig_world world;
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

int rig_board_restart(struct rig_board *board, char *message, size_t len)
{
    (void)board;
    snprintf(message, len, "no wires to QEMU");
    fake.restarts += !fake.no_restart;
    fake.on = !fake.no_restart;
    return fake.no_restart ? -1 : 0;
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
    *facts = (struct rig_board_facts){.unclean = fake.unclean, .answers = fake.answers};
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
    fake.answers += !fake.deaf;
}

const char *rig_board_given_up(const struct rig_board *board)
{
    (void)board;
    return fake.given_up;
}

const char *rig_board_halted(const struct rig_board *board)
{
    (void)board;
    return fake.halted;
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
    return fake.qemu_said;
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

void fake_open(void)
{
    char message[128];
    memset(&fake, 0, sizeof fake);
    memset(&world, 0, sizeof world);
    fake.halted = fake.given_up = "";
    fake.qemu_said = "qemu: no more";
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

void fake_close(void)
{
    rw_close(fake.body);
    free(world.counts.boot_ms);
    close(fake.fd);
    unlink(fake.flash);
}

void fake_says_lost(const char *needle)
{
    cr_assert(strstr(fake.lost, needle), "\"%s\" wanted: %s", needle, fake.lost);
}
