/* `brickyard rig calibrate`: the latency of a board's power, measured, kept, and tried. */
#include "calibrate.h"
#include "rig/emulated.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CUTS_MAX = 10000, BOOT_MS_MAX = 600000, BOOT_MS = 30000 };

struct options {
    char *cuts, *check, *image, *boot;
    int forget, json;
};

struct numbers {
    uint32_t cuts, checks;
    int64_t boot_ms;
};

static bool read_number(const char *option, const char *text, uint32_t min, uint32_t *out)
{
    char *end = NULL;
    if (!text)
        return true;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    bool is_one = *text >= '0' && *text <= '9' && !*end && !errno;
    *out = (uint32_t)value;
    if (is_one && value >= min && value <= CUTS_MAX)
        return true;
    rig_cli_say("calibrate", RIG_CLI_USAGE, "%s %s: accepted: %u to %d", option, text, min,
                CUTS_MAX);
    return false;
}

static bool read_numbers(struct numbers *out, const struct options *o)
{
    *out = (struct numbers){.cuts = 50, .checks = 20, .boot_ms = BOOT_MS};
    return read_number("--cuts", o->cuts, 1, &out->cuts) &&
           read_number("--check", o->check, 0, &out->checks) &&
           rig_cli_duration("calibrate", "--boot", o->boot, 100, BOOT_MS_MAX, &out->boot_ms);
}

static int refuse_board(const struct rig_cli_seat *seat, const char *what)
{
    return rig_cli_say(seat->name, RIG_CLI_USAGE, "%s has no `%s:` in line %d of %s",
                       seat->board->name, what, seat->board->row, seat->bench->file);
}

static int look_at_board(const struct rig_cli_seat *seat, const struct options *o)
{
    if (seat->board->power.controller < 0)
        return refuse_board(seat, "power");
    if (!seat->board->console.path && !seat->board->console.host)
        return refuse_board(seat, "console");
    return o->image ? rig_cli_look_at_image(seat, o->image) : RIG_CLI_OK;
}

static void on_cut(void *ctx, uint32_t done, uint32_t of)
{
    bool quiet = *(bool *)ctx;
    if (!quiet)
        fprintf(stderr, "\rcut %" PRIu32 " of %" PRIu32 "%s", done, of, done == of ? "\n" : "");
}

static void on_stop(struct ev_loop *loop, ev_io *io, int events)
{
    (void)io, (void)events;
    ev_break(loop, EVBREAK_ALL);
}

static int tell(struct rig_cli_seat *seat, const struct rig_calibration *found, int error,
                const char *message)
{
    int code = RIG_CLI_OK;
    if (seat->quiet && !error)
        code = rig_cli_json_calibration(seat, found)
                   ? rig_cli_say(seat->name, RIG_CLI_INFRASTRUCTURE, "the JSON can't be written")
                   : RIG_CLI_OK;
    else if (!seat->quiet && found->latency.samples)
        rig_cli_print_calibration(seat, found);
    fflush(stdout);
    if (!error)
        return code;
    return rig_cli_say(seat->name,
                       error == RIG_EUNSUPPORTED ? RIG_CLI_USAGE : RIG_CLI_INFRASTRUCTURE, "%s",
                       message);
}

static int measure(struct rig_cli_seat *seat, const struct numbers *numbers, struct ev_loop *loop,
                   struct rig_aim_store *store, int stop)
{
    bool quiet = seat->quiet || !isatty(STDERR_FILENO);
    const struct rig_calibrate_config config = {.loop = loop,
                                                .wiring = seat->wiring,
                                                .board = seat->board,
                                                .store = store,
                                                .cuts = numbers->cuts,
                                                .checks = numbers->checks,
                                                .talks_within_ms = (uint32_t)numbers->boot_ms,
                                                .seed = (uint64_t)rig_port_now_us(),
                                                .cut = on_cut,
                                                .ctx = &quiet};
    static struct rig_calibration found;
    char message[800] = "";
    ev_io io;
    ev_io_init(&io, on_stop, stop, EV_READ);
    if (stop >= 0)
        ev_io_start(loop, &io);
    int error = rig_calibrate(&found, &config, message, sizeof message);
    if (stop >= 0)
        ev_io_stop(loop, &io);
    return tell(seat, &found, error, message);
}

static int open_store(struct rig_aim_store **out, const struct rig_cli_seat *seat, bool forget)
{
    char path[PATH_MAX], message[600];
    if (snprintf(path, sizeof path, "%s/rig.db", seat->bench->state) >= (int)sizeof path)
        return rig_cli_say(seat->name, RIG_CLI_USAGE, "%s: too long a path", seat->bench->state);
    int error = rig_aim_store_open(out, path, message, sizeof message);
    if (!error && forget && (error = rig_aim_store_forget(*out, seat->board->name)))
        rig_aim_store_why(*out, message, sizeof message);
    return error ? rig_cli_say(seat->name, RIG_CLI_INFRASTRUCTURE, "%s", message) : RIG_CLI_OK;
}

static int with_loop(struct rig_cli_seat *seat, const struct options *o,
                     const struct numbers *numbers, int stop)
{
    struct rig_aim_store *store = NULL;
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    if (!loop)
        return rig_cli_say(seat->name, RIG_CLI_INFRASTRUCTURE, "out of memory");
    int code = rig_cli_take(seat);
    if (!code)
        code = rig_cli_wire_on(seat, loop);
    if (!code && o->image)
        code = rig_cli_flash_board(seat, o->image, stop);
    if (!code)
        code = open_store(&store, seat, o->forget);
    if (!code)
        code = measure(seat, numbers, loop, store, stop);
    rig_aim_store_close(store);
    rig_wiring_close(seat->wiring); /* while its loop is there */
    seat->wiring = NULL;
    ev_loop_destroy(loop);
    return code;
}

/* A bench without hardware is emulated for as long as this takes. */
static int with_bench(struct rig_cli_seat *seat, const struct options *o,
                      const struct numbers *numbers)
{
    struct rig_emulated emulated;
    char message[512];
    int stop = rig_cli_watch_signals();
    int code = rig_emulated_start(&emulated, seat->bench, 1, message, sizeof message)
                   ? rig_cli_say(seat->name, RIG_CLI_INFRASTRUCTURE, "%s", message)
                   : with_loop(seat, o, numbers, stop);
    rig_emulated_end(&emulated);
    if (stop >= 0)
        close(stop);
    return code;
}

static int calibrate(const struct rig_cli_args *args, void *ctx)
{
    const struct options *o = ctx;
    struct rig_cli_seat seat = {0};
    struct numbers numbers;
    if (!read_numbers(&numbers, o))
        return RIG_CLI_USAGE;
    int code = rig_cli_find(&seat, "calibrate", args);
    seat.quiet = o->json;
    if (!code)
        code = look_at_board(&seat, o);
    if (!code)
        code = with_bench(&seat, o, &numbers);
    rig_cli_leave(&seat);
    return code;
}

int rig_cli_calibrate(int argc, char **argv)
{
    struct options o = {0};
    const struct poptOption own[] = {
        {"cuts", 0, POPT_ARG_STRING, &o.cuts, 0, "how many are measured", "50"},
        {"check", 0, POPT_ARG_STRING, &o.check, 0,
         "aimed cuts afterwards, to see how far off they are; 0: none", "20"},
        {"image", 0, POPT_ARG_STRING, &o.image, 0,
         "is flashed first; it must print without a pause, as build/board/ticker.nor", "FILE"},
        {"boot", 0, POPT_ARG_STRING, &o.boot, 0,
         "how long the board may take from power on until it prints without a pause", "30s"},
        {"forget", 0, POPT_ARG_NONE, &o.forget, 0, "what earlier runs have measured of this board",
         NULL},
        {"json", 0, POPT_ARG_NONE, &o.json, 0, "to standard output", NULL},
        POPT_TABLEEND};
    const struct rig_cli_form form = {.name = "calibrate",
                                      .words = "BOARD",
                                      .least = 1,
                                      .most = 1,
                                      .option = own,
                                      .run = calibrate,
                                      .ctx = &o};
    int code = rig_cli_run(&form, argc, argv);
    free(o.cuts);
    free(o.check);
    free(o.image);
    free(o.boot);
    return code;
}
