#include "bench.h"
#include "board/layout.h"
#include "board/map.h"
#include "boot/config.h"
#include "boot/trailer.h"
#include "gateway/gateway.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

double bench_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double bench_cpu_s(const struct bench *bench)
{
    char path[64], text[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)rig_board_pid(bench->board));
    FILE *file = fopen(path, "r");
    cr_assert(file && fgets(text, sizeof text, file));
    fclose(file);
    /* Behind the name, which may hold blanks: fields 14 and 15 of the line. */
    const char *at = strrchr(text, ')');
    cr_assert_eq(
        sscanf(at + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &user, &system), 2);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* ---- Files ---- */

static const char *build_path(const char *name)
{
    static char path[512];
    const char *brickyard = getenv("BRICKYARD_BIN");
    cr_assert(brickyard, "BRICKYARD_BIN is set by CTest");
    const char *slash = strrchr(brickyard, '/');
    snprintf(path, sizeof path, "%.*sboard/%s", (int)(slash + 1 - brickyard), brickyard, name);
    return path;
}

void bench_image(struct bench *bench, struct bench_image *out, const char *name)
{
    char file_name[64];
    struct boot_image header;
    snprintf(file_name, sizeof file_name, "%s.bin", name);
    FILE *file = fopen(build_path(file_name), "rb");
    cr_assert(file, "%s", file_name);
    out->bytes = malloc(BOARD_SLOT_BYTES);
    out->len = (uint32_t)fread(out->bytes, 1, BOARD_SLOT_BYTES, file);
    fclose(file);
    cr_assert_eq(boot_image_decode(&header, out->bytes), 0);
    cr_assert_eq(header.image_bytes, out->len);
    strcpy(out->version, header.version);
    cr_assert_eq(sim_fw_sign(&bench->key, out->bytes, out->len, out->sig, &out->sig_len), 0);
}

void bench_image_grow(struct bench *bench, struct bench_image *image, uint32_t len)
{
    struct boot_image header;
    cr_assert(len >= image->len && len <= BOARD_SLOT_BYTES - BOARD_NOR_SECTOR);
    cr_assert_eq(boot_image_decode(&header, image->bytes), 0);
    header.image_bytes = len;
    cr_assert_eq(boot_image_encode(image->bytes, &header), 0);
    memset(image->bytes + image->len, 0xA5, len - image->len);
    image->len = len;
    cr_assert_eq(sim_fw_sign(&bench->key, image->bytes, len, image->sig, &image->sig_len), 0);
}

void bench_image_free(struct bench_image *image)
{
    free(image->bytes);
}

uint8_t *bench_flash_read(const struct bench *bench)
{
    uint8_t *flash = malloc(BOARD_NOR_BYTES);
    FILE *file = fopen(bench->flash_path, "rb");
    cr_assert(file && fread(flash, 1, BOARD_NOR_BYTES, file) == BOARD_NOR_BYTES);
    fclose(file);
    return flash;
}

void bench_flash_write(const struct bench *bench, const uint8_t *flash)
{
    FILE *file = fopen(bench->flash_path, "wb");
    cr_assert(file && fwrite(flash, 1, BOARD_NOR_BYTES, file) == BOARD_NOR_BYTES);
    cr_assert_eq(fclose(file), 0);
}

/* ---- A flash in memory, for the core's own writers ---- */

static int read_at(void *flash, uint32_t addr, void *out, uint32_t len)
{
    memcpy(out, (uint8_t *)flash + addr, len);
    return 0;
}

static int program_at(void *flash, uint32_t addr, const void *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        ((uint8_t *)flash)[addr + i] &= ((const uint8_t *)data)[i];
    return 0;
}

static int erase_at(void *flash, uint32_t addr)
{
    memset((uint8_t *)flash + addr, 0xFF, BOARD_NOR_SECTOR);
    return 0;
}

static struct boot_flash port_of(uint8_t *flash)
{
    return (struct boot_flash){flash, read_at, program_at, erase_at};
}

void bench_slot(uint8_t *flash, int slot, const struct bench_image *image, uint32_t mark)
{
    struct boot_flash port = port_of(flash);
    struct boot_trailer trailer = {.signed_image = true,
                                   .image_bytes = image->len,
                                   .signature_bytes = (uint16_t)image->sig_len,
                                   .cert_id = "rel"};
    uint8_t *at = flash + board_layout.slot_addr[slot];
    memset(at, 0xFF, BOARD_SLOT_BYTES);
    memcpy(at, image->bytes, image->len);
    memcpy(trailer.signature, image->sig, image->sig_len);
    cr_assert_eq(boot_trailer_write(&port, &board_layout, slot, &trailer), 0);
    if (mark)
        cr_assert_eq(boot_trailer_mark(&port, &board_layout, slot, mark), 0);
}

void bench_boot_config(uint8_t *flash, int next)
{
    struct boot_flash port = port_of(flash);
    struct boot_config config = {
        .active = BOOT_SLOT_A, .next = (uint8_t)next, .rollback_on_fail = 1, .security_counter = 1};
    if (next != BOOT_SLOT_A)
        config.trial_left = config.trial_total = 3;
    cr_assert_eq(boot_config_write(&port, &board_layout, &config), 0);
}

static void make_factory(struct bench *bench)
{
    struct board_factory *factory = &bench->factory;
    *factory = (struct board_factory){.device_id = "pump-0001",
                                      .device_type = "pump_monitor_v2",
                                      .hw_revision = "Rev-B",
                                      .trial_boots = 3,
                                      .faulty_boots = 5,
                                      .watchdog_s = 40,
                                      .mqtt_within_ms = 30000,
                                      .fault_free_ms = 2000,
                                      .retry_first_ms = 200,
                                      .retry_max_ms = 1000,
                                      .telemetry_every_ms = 60000,
                                      .keys = 1};
    strcpy(factory->key[0].cert_id, "rel");
    memcpy(factory->key[0].public_key, bench->key.public_key, BOOT_PUBLIC_KEY_BYTES);
}

void bench_factory_write(struct bench *bench)
{
    uint8_t *flash = bench_flash_read(bench);
    cr_assert_eq(board_factory_encode(flash + BOARD_FACTORY_ADDR, &bench->factory), 0);
    bench_flash_write(bench, flash);
    free(flash);
}

static void make_flash(struct bench *bench)
{
    uint8_t *flash = malloc(BOARD_NOR_BYTES);
    struct bench_image image;
    memset(flash, 0xFF, BOARD_NOR_BYTES);
    cr_assert_eq(board_factory_encode(flash + BOARD_FACTORY_ADDR, &bench->factory), 0);
    bench_image(bench, &image, "pump-2.3.1");
    bench_slot(flash, BOOT_SLOT_A, &image, 1);
    bench_boot_config(flash, BOOT_SLOT_A);
    bench_flash_write(bench, flash);
    bench_image_free(&image);
    free(flash);
}

/* ---- The board ---- */

static void look(struct bench *bench)
{
    const char *in =
        bench->by_console ? bench->said + bench->seen : bench->heard + bench->heard_seen;
    const char *at = bench->wanted ? strstr(in, bench->wanted) : NULL;
    if (!at)
        return;
    at += strlen(bench->wanted);
    if (bench->by_console)
        bench->seen = (size_t)(at - bench->said);
    else
        bench->heard_seen = (size_t)(at - bench->heard);
    bench->wanted = NULL;
    ev_break(bench->loop, EVBREAK_ONE);
}

static void on_console(void *ctx, const char *line)
{
    struct bench *bench = ctx;
    size_t room = BENCH_SAID_MAX - bench->said_len;
    int len = snprintf(bench->said + bench->said_len, room, "%s\n", line);
    cr_assert(len < (int)room, "the console never ends");
    bench->said_len += (size_t)len;
    if (getenv("BENCH_SHOW"))
        fprintf(stderr, "%.3f %s\n", bench_seconds(), line);
    look(bench);
}

void bench_heard(struct bench *bench, const char *what, const void *json, size_t len)
{
    size_t room = BENCH_HEARD_MAX - bench->heard_len;
    int put = snprintf(bench->heard + bench->heard_len, room, "%s %.*s\n", what, (int)len,
                       (const char *)json);
    cr_assert(put < (int)room);
    bench->heard_len += (size_t)put;
    look(bench);
}

static void on_link(void *ctx, const void *bytes, size_t len)
{
    struct bench *bench = ctx;
    if (bench->through)
        gateway_input(bench->through, bytes, len);
    else if (!bench->rude.absent)
        bench_gateway_input(bench, bytes, len);
    look(bench);
}

static void on_reset(void *ctx, enum rig_reset reset)
{
    struct bench *bench = ctx;
    bench->watchdogs += reset == RIG_RESET_WATCHDOG;
    bench->resets++;
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct bench *bench = timer->data;
    (void)loop, (void)events;
    if (!bench->through && !bench->rude.absent && rig_board_is_on(bench->board))
        bench_gateway_work(bench);
    look(bench);
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct bench *bench = timer->data;
    (void)events;
    bench->late = true;
    ev_break(loop, EVBREAK_ONE);
}

void bench_open(struct bench *bench)
{
    char message[256] = "";
    memset(bench, 0, sizeof *bench);
    strcpy(bench->folder, "/tmp/board-fw-XXXXXX");
    cr_assert(mkdtemp(bench->folder));
    snprintf(bench->flash_path, sizeof bench->flash_path, "%s/nor.img", bench->folder);
    snprintf(bench->rom, sizeof bench->rom, "%s", build_path("rom.elf"));
    cr_assert_eq(sim_fw_key_derive(&bench->key, 1, 0, "rel"), 0);
    cr_assert_eq(sim_fw_key_derive(&bench->other, 1, 1, "other"), 0);
    bench->chance = 1;
    make_factory(bench);
    make_flash(bench);
    bench->loop = ev_loop_new(EVFLAG_AUTO);
    const struct rig_board_config config = {
        .loop = bench->loop,
        .rom = bench->rom,
        .flash = bench->flash_path,
        .folder = bench->folder,
        .events = {.console = on_console, .link = on_link, .reset = on_reset},
        .ctx = bench,
    };
    cr_assert_eq(rig_board_create(&bench->board, &config, message, sizeof message), 0, "%s",
                 message);
    ev_timer_init(&bench->tick, on_tick, 0.01, 0.01);
    ev_init(&bench->limit, on_limit);
    bench->tick.data = bench->limit.data = bench;
    ev_timer_start(bench->loop, &bench->tick);
}

void bench_close(struct bench *bench)
{
    char command[128];
    rig_board_free(bench->board);
    ev_timer_stop(bench->loop, &bench->tick);
    ev_loop_destroy(bench->loop);
    snprintf(command, sizeof command, "rm -rf %s", bench->folder);
    cr_assert_eq(system(command), 0);
}

void bench_on(struct bench *bench)
{
    char message[256] = "";
    bench_gateway_start(bench);
    if (bench->through)
        gateway_power_on(bench->through);
    cr_assert_eq(rig_board_power_on(bench->board, message, sizeof message), 0, "%s", message);
}

void bench_off(struct bench *bench)
{
    rig_board_power_off(bench->board);
    if (bench->through)
        gateway_power_lost(bench->through);
}

static bool wait_for(struct bench *bench, const char *text, bool by_console, double seconds)
{
    bench->wanted = text;
    bench->by_console = by_console;
    bench->late = false;
    look(bench);
    if (text && !bench->wanted)
        return true;
    ev_timer_stop(bench->loop, &bench->limit);
    ev_now_update(bench->loop);
    ev_timer_set(&bench->limit, seconds, 0);
    ev_timer_start(bench->loop, &bench->limit);
    ev_run(bench->loop, 0);
    ev_timer_stop(bench->loop, &bench->limit);
    bool found = text && !bench->wanted;
    bench->wanted = NULL;
    if (text && !found)
        fprintf(stderr, "waited for `%s`; heard:\n%s\nsaid:\n%s\n", text, bench->heard,
                bench->said);
    return found;
}

bool bench_says(struct bench *bench, const char *text)
{
    return wait_for(bench, text, true, BENCH_WAIT_S);
}

bool bench_hears(struct bench *bench, const char *text)
{
    return wait_for(bench, text, false, BENCH_WAIT_S);
}

void bench_pass(struct bench *bench, double seconds)
{
    wait_for(bench, NULL, true, seconds);
}
