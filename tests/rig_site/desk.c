/* See desk.h. */
#include "desk.h"
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct desk desk;
static struct scn scn;
static struct sim_world world;

/* ---- The gateway ---- */

static struct gateway_config gateway;

int gateway_create(struct gateway **out, const struct gateway_config *config)
{
    gateway = *config;
    *out = (struct gateway *)&desk;
    return 0;
}

void gateway_free(struct gateway *of)
{
    (void)of;
}

void gateway_input(struct gateway *of, const void *bytes, size_t len)
{
    size_t have = strlen(desk.in);
    (void)of;
    snprintf(desk.in + have, sizeof desk.in - have, "%.*s", (int)len, (const char *)bytes);
}

void gateway_power_lost(struct gateway *of)
{
    (void)of;
    desk.powers_lost++;
}

void gateway_power_on(struct gateway *of)
{
    (void)of;
    desk.powers_on++;
}

int64_t gateway_owes_ms(const struct gateway *of, const char **why)
{
    (void)of;
    *why = "";
    return desk.owes_ms;
}

void desk_gateway_writes(const char *text)
{
    gateway.write(gateway.ctx, text, strlen(text));
}

/* ---- The ground ---- */

static void said(void *ctx, const char *line)
{
    size_t have = strlen(desk.said);
    (void)ctx;
    snprintf(desk.said + have, sizeof desk.said - have, "%s|", line);
}

static void heard(void *ctx)
{
    (void)ctx;
    desk.heard++;
}

static void ended(void *ctx, const char *how, bool clean, bool no_boot)
{
    (void)ctx;
    cr_assert(!clean);
    snprintf(desk.how, sizeof desk.how, "%s", how);
    desk.ends++;
    desk.no_boot = no_boot;
}

static void dark(void *ctx)
{
    (void)ctx;
    desk.darks++;
}

static void lost(void *ctx, const char *why)
{
    (void)ctx;
    if (!*desk.lost)
        snprintf(desk.lost, sizeof desk.lost, "%s", why);
}

/* Nobody has a flash here that would tell more: lost. */
static void mute(void *ctx, const char *why)
{
    desk.mutes++;
    desk.darks_then = desk.darks;
    lost(ctx, why);
}

/* ---- The relay ---- */

/* A0 channel state sum, channel 1, by the vendor's page. */
static void hear_frame(void)
{
    const uint8_t *f = desk.frame;
    cr_assert(f[0] == 0xA0 && f[1] == 1 && f[2] <= 1 && f[3] == 0xA1 + f[2]);
    desk.contact = f[2];
    desk.ons += f[2];
    desk.offs += !f[2];
    if (!f[2])
        desk.off_at_us = rig_port_now_us();
    if (f[2] && desk.answers)
        kit_line_say(&desk.console, DESK_ROM "\r\n");
}

static void hear_relay(void)
{
    struct pollfd on = {.fd = desk.relay.master, .events = POLLIN};
    while (desk.relay.master >= 0 && poll(&on, 1, 0) == 1 && (on.revents & POLLIN)) {
        if (read(on.fd, desk.frame + desk.frame_len, 1) != 1)
            return;
        if (++desk.frame_len == 4) {
            desk.frame_len = 0;
            hear_frame();
        }
    }
}

static void tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
}

static void turn(void)
{
    ev_timer timer;
    ev_now_update(desk.run.loop);
    ev_timer_init(&timer, tick, 0.001, 0);
    ev_timer_start(desk.run.loop, &timer);
    ev_run(desk.run.loop, EVRUN_ONCE);
    ev_timer_stop(desk.run.loop, &timer);
    hear_relay();
}

void desk_play(int ms)
{
    int64_t until = kit_now_ms() + ms;
    while (kit_now_ms() < until)
        turn();
}

/* What must come is waited for longer than a quiet machine needs. */
enum { BUSY_MACHINE = 10 };

bool desk_until(const unsigned *what, unsigned is, int ms)
{
    int64_t until = kit_now_ms() + (int64_t)ms * BUSY_MACHINE;
    while (*what != is && kit_now_ms() < until)
        turn();
    return *what == is;
}

bool desk_until_in(const char *text)
{
    int64_t until = kit_now_ms() + 60000;
    while (strcmp(desk.in, text) && kit_now_ms() < until)
        turn();
    return !strcmp(desk.in, text);
}

bool desk_until_open(void)
{
    int64_t until = kit_now_ms() + 60000;
    while (desk.contact && kit_now_ms() < until)
        turn();
    return !desk.contact;
}

bool desk_until_lost(int ms)
{
    int64_t until = kit_now_ms() + (int64_t)ms * BUSY_MACHINE;
    while (!*desk.lost && kit_now_ms() < until)
        turn();
    return *desk.lost;
}

/* ---- The board ---- */

void desk_listen(uint32_t ms)
{
    desk.site.config.listen_ms = ms;
}

void desk_says(const char *text)
{
    char line[1024];
    uint64_t before = desk.site.facts.lines;
    int64_t until = kit_now_ms() + 60000;
    snprintf(line, sizeof line, "%s\r\n", text);
    kit_line_say(&desk.console, line);
    while (desk.site.facts.lines == before && kit_now_ms() < until)
        turn();
}

void desk_on(void)
{
    char message[256];
    unsigned before = desk.ons;
    cr_assert_eq(rs_on(desk.body, message, sizeof message), 0);
    cr_assert(desk_until(&desk.ons, before + 1, 3000), "%s", desk.lost);
    desk_play(20);
}

void desk_boot(void)
{
    desk_on();
    desk_says(DESK_ROM);
    cr_assert(desk.body->spoke);
}

void desk_dark(void)
{
    unsigned before = desk.darks;
    rs_off(desk.body);
    cr_assert(desk_until(&desk.darks, before + 1, 5000), "%s", desk.lost);
}

void desk_forget(void)
{
    desk.said[0] = '\0';
}

static const char bench[] = "bench: desk\n"
                            "controllers:\n"
                            "  bank-1: {driver: lcus, device: relay, channels: 2, retries: 1}\n"
                            "boards:\n"
                            "  - name: pump-1\n"
                            "    console: {serial: console, baud: 115200}\n"
                            "    line: {serial: line, baud: 115200}\n"
                            "    power: {controller: bank-1, channel: 1, off_at_least: 60ms}\n"
                            "    flash: [cp, \"{image}\", nor]\n"
                            "    flash_file: nor\n";

static void open_bench(void)
{
    char message[512] = "";
    kit_line_open(&desk.relay, "relay");
    kit_line_open(&desk.console, "console");
    kit_line_open(&desk.line, "line");
    kit_write("bench.yaml", bench);
    cr_assert_eq(rig_bench_read(&desk.bench, kit_path("bench.yaml"), message, sizeof message), 0,
                 "%s", message);
    cr_assert_eq(rig_bench_make_state(desk.bench, message, sizeof message), 0, "%s", message);
}

static void open_site(const struct rig_aim *aim, uint32_t cuts)
{
    char message[512] = "", store[200];
    struct rig_site *site = &desk.site;
    snprintf(store, sizeof store, "%.150s/rig.db", desk.bench->state);
    site->config = (struct rig_site_config){
        .bench = desk.bench, .aim = aim, .aimed_cuts = cuts, .listen_ms = 10000};
    site->run = &desk.run;
    site->place = &desk.place;
    site->places = 1;
    site->stop[0] = site->stop[1] = site->emulated.control = -1;
    desk.place.board = &desk.bench->board[0];
    snprintf(site->folder, sizeof site->folder, "%s", kit_folder);
    cr_assert_eq(rs_flashing_begin(site, message, sizeof message), 0, "%s", message);
    cr_assert_eq(rig_aim_store_open(&site->latencies, store, message, sizeof message), 0, "%s",
                 message);
    cr_assert_eq(rig_wiring_open(&site->wiring, desk.bench, desk.run.loop, message, sizeof message),
                 0, "%s", message);
}

void desk_open_with(const struct rig_aim *aim, uint32_t cuts)
{
    char message[512] = "";
    memset(&desk, 0, sizeof desk);
    kit_open();
    open_bench();
    desk.run.loop = ev_loop_new(EVFLAG_AUTO);
    scn.device.keepalive_us = 60000000;
    world.scn = &scn;
    desk.run.world = &world;
    open_site(aim, cuts);
    snprintf(desk.unit.id, sizeof desk.unit.id, "pumps-00001");
    kit_write("image", "what the factory made");
    static char image[200];
    snprintf(image, sizeof image, "%s", kit_path("image"));
    desk.device =
        (struct sim_body_device){.run = &desk.run,
                                 .unit = &desk.unit,
                                 .group = &desk.group,
                                 .flash = image,
                                 .events = {said, heard, NULL, ended, dark, lost, mute, &desk}};
    cr_assert_eq(rs_open(&desk.site, &desk.body, &desk.device, message, sizeof message), 0, "%s",
                 message);
}

void desk_open(void)
{
    desk_open_with(NULL, 0);
}

void desk_close(void)
{
    rs_close(desk.body);
    desk.body = NULL;
    rs_flashing_end(&desk.site);
    rig_wiring_close(desk.site.wiring);
    rs_latency_store(&desk.site);
    rig_aim_store_close(desk.site.latencies);
    rig_bench_free(desk.bench);
    ev_loop_destroy(desk.run.loop);
    kit_line_unplug(&desk.relay);
    kit_line_unplug(&desk.console);
    kit_line_unplug(&desk.line);
    kit_close();
}
