/* A board as a body: console, OTA line with its gateway, and its flash. */
#include "site_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void to_board(void *ctx, const void *bytes, size_t len)
{
    struct sim_body *body = ctx;
    if (rs_has_power(body))
        rig_console_write(body->line, bytes, len); /* what is lost the channel repeats */
}

static int open_gateway(struct sim_body *body)
{
    rig_factory_gateway(&body->gateway_config, body->connect_to, body->given, body->site->http);
    body->gateway_config.write = to_board;
    body->gateway_config.ctx = body;
    return gateway_create(&body->gateway, &body->gateway_config);
}

static int open_console(struct sim_body *body, char *message, size_t len)
{
    char path[RS_PATH_MAX + 80], why[RS_WHY_MAX] = "";
    snprintf(path, sizeof path, "%.600s/%.60s.console.log", body->site->folder, body->board->name);
    const struct rig_console_config console = {.loop = body->given->run->loop,
                                               .at = body->board->console,
                                               .transcript = path,
                                               .events = rs_console_events,
                                               .ctx = body};
    const struct rig_console_config line = {.loop = body->given->run->loop,
                                            .at = body->board->line,
                                            .events = rs_line_events,
                                            .ctx = body};
    if (!rig_console_open(&body->console, &console, why, sizeof why) &&
        !rig_console_open(&body->line, &line, why, sizeof why))
        return 0;
    snprintf(message, len, "%s: its %s can't be opened: %s", body->board->name,
             body->console ? "OTA line" : "console", why);
    return -1;
}

int rs_open(void *ctx, struct sim_body **out, const struct sim_body_device *device, char *message,
            size_t len)
{
    struct rig_site *site = ctx;
    struct sim_body *body = *out = calloc(1, sizeof *body);
    if (!body) {
        snprintf(message, len, "no memory for %s", device->unit->id);
        return -1;
    }
    body->site = site;
    body->given = device;
    body->place = &site->place[device->number];
    body->board = body->place->board;
    rs_power_init(body);
    if (!open_console(body, message, len) && !rs_aim(body, message, len)) {
        if (!open_gateway(body))
            return 0;
        snprintf(message, len, "no memory for the gateway of %s", device->unit->id);
    }
    rs_close(body);
    *out = NULL;
    return -1;
}

void rs_close(struct sim_body *body)
{
    if (!body)
        return;
    rs_power_end(body);
    rig_marker_remove(body->marker);
    rig_console_free(body->console);
    rig_console_free(body->line);
    gateway_free(body->gateway);
    free(body);
}

/* ---- Flash ---- */

/* For a debug probe the board has its power while the command runs. Its console is still nobody's
 * then: body->power stays RS_OFF. */
static int power(struct sim_body *body, enum rig_want want, char *why, size_t len)
{
    struct rig_answer answer;
    const struct rig_ask ask = {.want = want};
    if (want == RIG_WANT_ON)
        body->probed = true; /* also where that fails: it may have come on */
    int error =
        rig_wiring_do(body->site->wiring, &answer, body->board, RIG_FUNCTION_POWER, 0, &ask);
    if (error) {
        snprintf(why, len, "%s", answer.message);
    } else if (want == RIG_WANT_OFF) {
        body->place->dark_since_us = answer.done_us;
        body->probed = false;
    }
    return error;
}

static int flash(struct sim_body *body, const char *log, char *why, size_t len)
{
    const struct rig_bench_board *board = body->board;
    if (!board->flash_powered)
        return rs_flashing_do(body, log, why, len);
    char more[RS_WHY_MAX];
    int error = power(body, RIG_WANT_ON, why, len);
    if (!error)
        error = rs_flashing_do(body, log, why, len);
    int off = power(body, RIG_WANT_OFF, more, sizeof more);
    size_t have = error ? strlen(why) : 0;
    if (off)
        snprintf(why + have, len - have, "%sits power can't be switched off again: %.160s",
                 have ? "; " : "", more);
    return error ? error : off;
}

/* The factory's content goes into the part before it is on first. */
int rs_made(struct sim_body *body, char *message, size_t len)
{
    const struct rig_bench_board *board = body->board;
    char log[RS_PATH_MAX + 80], why[RS_WHY_MAX] = "";
    int64_t since = rig_port_now_us() - body->place->dark_since_us;
    int64_t left = board->power.off_at_least_ms * INT64_C(1000) - since;
    snprintf(log, sizeof log, "%.600s/%.60s.flash.log", body->site->folder, board->name);
    int error = rs_wait_us(body->site, left);
    if (!error)
        error = flash(body, log, why, sizeof why);
    if (!error || body->site->interrupted) /* who was interrupted is told so by the ground */
        return 0;
    snprintf(message, len, "%s: it can't be flashed (%s): %s; see %s", board->name,
             rig_error_name(error), why, log);
    return -1;
}

bool rs_flash(struct sim_body *body, uint8_t *out, uint32_t len)
{
    const char *path = body->board->flash_file;
    if (!path)
        return false;
    uint8_t more;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? pread(fd, out, len, 0) : -1;
    bool whole = got == (ssize_t)len && pread(fd, &more, 1, len) == 0;
    if (!whole)
        rs_lost(body, "its flash_file %s: %s", path,
                fd < 0 || got < 0 ? strerror(errno) : "it has another size than the flash");
    if (fd >= 0)
        close(fd);
    return whole;
}
