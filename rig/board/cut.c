/* Where a cut is placed, and what it leaves. */
#include "rig/cut.h"
#include "board_internal.h"
#include "sim/rng.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SECTOR = BOARD_NOR_SECTOR, PATTERN_MAX = 256 };

struct rig_cutter {
    struct rig_board_config config;
    struct rig_board_events user;
    void *ctx;
    rig_cut_done *done;
    FILE *text;
    struct rig_board *board;
    struct rig_history *history;

    bool armed, cutting;
    struct rig_cut_plan plan;
    char pattern[PATTERN_MAX];
    regex_t regex;
    bool has_regex;
    ev_timer timer;
    int64_t from_us, wanted_us;

    /* The last operation of the bus. It is the history's when the next begins, or it has ended. */
    bool pending;
    struct rig_op op;
    uint8_t data[BOARD_NOR_PAGE];

    bool failed; /* no memory, or the text can't be written: told at the next power off */
    uint8_t file[RIG_HISTORY_BYTES], wanted[RIG_HISTORY_BYTES];
};

static int64_t wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- The file ---- */

static int read_file(struct rig_cutter *cutter, char *message, size_t len)
{
    int fd = open(cutter->config.flash, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : pread(fd, cutter->file, RIG_HISTORY_BYTES, 0);
    int reason = errno;
    if (fd >= 0)
        close(fd);
    if (got == RIG_HISTORY_BYTES)
        return 0;
    snprintf(message, len, "%s: %s", cutter->config.flash,
             got < 0 ? strerror(reason) : "it is shorter than the flash");
    return -1;
}

/* The file becomes what the history says. *strays: sectors that were something else, apart from
 * those of `last`. */
static int write_file(struct rig_cutter *cutter, const struct rig_op *last, uint32_t *strays,
                      char *message, size_t len)
{
    if (read_file(cutter, message, len))
        return -1;
    rig_history_flash(cutter->history, cutter->wanted);
    int fd = open(cutter->config.flash, O_WRONLY | O_CLOEXEC), error = fd < 0 ? -1 : 0;
    for (uint32_t at = 0; !error && at < RIG_HISTORY_BYTES; at += SECTOR) {
        if (!memcmp(cutter->file + at, cutter->wanted + at, SECTOR))
            continue;
        bool is_last = last && at + SECTOR > last->addr && at < last->addr + last->len;
        *strays += is_last ? 0 : 1;
        if (pwrite(fd, cutter->wanted + at, SECTOR, at) != SECTOR)
            error = -1;
    }
    if (error)
        snprintf(message, len, "%s: %s", cutter->config.flash, strerror(errno));
    if (fd >= 0)
        close(fd);
    return error;
}

/* ---- The cut ---- */

static void settle(struct rig_cutter *cutter)
{
    if (cutter->pending && rig_history_op(cutter->history, &cutter->op))
        cutter->failed = true;
    cutter->pending = false;
}

/* Which operation is hit? One at which it stands, or the bus's last, if its time is not over. */
static const struct rig_op *look_for_hit(struct rig_cutter *cutter, struct rig_cut *cut,
                                         struct rig_op *stood)
{
    const struct rig_board *board = cutter->board;
    bool ended;
    cut->any = rig_board_last_op(board, stood, &ended);
    bool stands = cut->any && cutter->config.stepped && !ended &&
                  !(cutter->pending && cutter->op.number == stood->number);
    if (stands) {
        settle(cutter);
        cut->hit = true;
        return stood;
    }
    if (!cutter->pending)
        return NULL;
    int64_t stopped_us = board->stopped_at_us ? board->stopped_at_us : wall_us();
    cut->into_us = stopped_us - cutter->op.at_us;
    cut->hit = cut->into_us < (cutter->op.erase ? BB_ERASE_US : BB_PROGRAM_US);
    return &cutter->op;
}

static int tear_it(struct rig_cutter *cutter, const struct rig_op *op, struct rig_tear tear,
                   struct rig_cut *cut)
{
    if (tear.form == SCN_TORN_ANY)
        tear.form = rig_history_form(tear.seed, tear.index);
    if (!rig_history_fits(op))
        tear.form = SCN_TORN_BEFORE; /* its bytes are not known: it stood, nothing is done */
    cut->form = tear.form;
    cutter->pending = false;
    return rig_history_fits(op) ? rig_history_cut(cutter->history, op, &tear) : 0;
}

int rig_cutter_power_off(struct rig_cutter *cutter, const struct rig_tear *tear,
                         struct rig_cut *cut, char *message, size_t len)
{
    struct rig_cut unwanted;
    struct rig_op stood;
    struct rig_board_facts before, after;
    cut = cut ? cut : &unwanted;
    *cut = (struct rig_cut){.clean = true};
    if (!rig_board_is_on(cutter->board) || cutter->cutting)
        return 0;
    cutter->cutting = true;
    cutter->armed = false;
    ev_timer_stop(cutter->config.loop, &cutter->timer);
    rig_board_facts(cutter->board, &before);
    rig_board_power_off(cutter->board);
    rig_board_facts(cutter->board, &after);
    cut->clean = before.unclean == after.unclean;
    cut->got_us = cutter->board->stopped_at_us ? cutter->board->stopped_at_us : wall_us();
    const struct rig_op *op = look_for_hit(cutter, cut, &stood);
    int error = 0;
    if (cut->hit)
        error = tear_it(cutter, op, *tear, cut);
    settle(cutter);
    if (op) {
        cut->op = *op;
        cut->op.data = NULL;
    }
    error |= cutter->failed ? -1 : 0;
    if (error)
        snprintf(message, len, "the flash history could not be written");
    if (write_file(cutter, op, &cut->strays, message, len))
        error = -1;
    cutter->cutting = false;
    return error;
}

static void carry_out(struct rig_cutter *cutter)
{
    struct rig_cut cut;
    char message[256];
    struct rig_cut_plan plan = cutter->plan;
    int64_t from_us = cutter->from_us, wanted_us = cutter->wanted_us;
    int error = rig_cutter_power_off(cutter, &plan.tear, &cut, message, sizeof message);
    cut.clean = cut.clean && !error;
    cut.asked = plan;
    cut.asked_us = plan.at == RIG_CUT_AT_OP ? 0 : wanted_us;
    cut.got_us = plan.at == RIG_CUT_AT_OP ? 0 : cut.got_us - from_us;
    if (cutter->done)
        cutter->done(cutter->ctx, &cut);
}

/* ---- Where ---- */

static void on_time(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    struct rig_cutter *cutter = timer->data;
    ev_timer_stop(loop, timer);
    if (cutter->armed)
        carry_out(cutter);
}

static void cut_in(struct rig_cutter *cutter, uint32_t ms)
{
    cutter->from_us = wall_us();
    cutter->wanted_us = (int64_t)ms * 1000;
    ev_now_update(cutter->config.loop);
    ev_timer_stop(cutter->config.loop, &cutter->timer);
    ev_timer_set(&cutter->timer, ms / 1000.0, 0);
    ev_timer_start(cutter->config.loop, &cutter->timer);
}

static void on_console(void *ctx, const char *line)
{
    struct rig_cutter *cutter = ctx;
    if (cutter->user.console)
        cutter->user.console(cutter->ctx, line);
    bool waits = cutter->armed && !cutter->cutting && cutter->plan.at == RIG_CUT_AT_LINE &&
                 !ev_is_active(&cutter->timer);
    if (!waits || regexec(&cutter->regex, line, 0, NULL, 0))
        return;
    cut_in(cutter, cutter->plan.delay_ms);
    if (!cutter->plan.delay_ms)
        carry_out(cutter);
}

static void on_console_bytes(void *ctx, const void *bytes, size_t len)
{
    struct rig_cutter *cutter = ctx;
    if (cutter->user.console_bytes)
        cutter->user.console_bytes(cutter->ctx, bytes, len);
}

static void on_link(void *ctx, const void *bytes, size_t len)
{
    struct rig_cutter *cutter = ctx;
    if (cutter->user.link)
        cutter->user.link(cutter->ctx, bytes, len);
}

static void on_stands(void *ctx, const struct rig_op *op)
{
    struct rig_cutter *cutter = ctx;
    if (cutter->armed && cutter->plan.at == RIG_CUT_AT_OP && op->number == cutter->plan.op)
        carry_out(cutter);
    else if (cutter->user.stands)
        cutter->user.stands(cutter->ctx, op);
    else
        rig_board_go_on(cutter->board);
}

static void on_spi(void *ctx, const struct rig_op *op)
{
    struct rig_cutter *cutter = ctx;
    settle(cutter);
    if (rig_history_fits(op)) {
        cutter->op = *op;
        if (op->data)
            memcpy(cutter->data, op->data, op->len);
        cutter->op.data = op->data ? cutter->data : NULL;
        cutter->pending = true;
    }
    if (cutter->user.spi)
        cutter->user.spi(cutter->ctx, op);
}

static void on_reset(void *ctx, enum rig_reset reset)
{
    struct rig_cutter *cutter = ctx;
    if (cutter->user.reset)
        cutter->user.reset(cutter->ctx, reset);
}

static void on_ended(void *ctx, int status)
{
    struct rig_cutter *cutter = ctx;
    cutter->armed = false;
    ev_timer_stop(cutter->config.loop, &cutter->timer);
    settle(cutter); /* what else the file holds is found at the next power on */
    if (cutter->user.ended)
        cutter->user.ended(cutter->ctx, status);
}

int rig_cutter_plan(struct rig_cutter *cutter, const struct rig_cut_plan *plan, char *message,
                    size_t len)
{
    ev_timer_stop(cutter->config.loop, &cutter->timer);
    cutter->armed = false;
    if (plan->at == RIG_CUT_AT_OP && !cutter->config.stepped) {
        snprintf(message, len, "a cut at an operation needs a stepped board");
        return -1;
    }
    if (plan->at == RIG_CUT_AT_TIME && plan->to_ms < plan->from_ms) {
        snprintf(message, len, "the window %u .. %u ms is empty", plan->from_ms, plan->to_ms);
        return -1;
    }
    struct rig_cut_plan next = *plan;
    if (plan->at == RIG_CUT_AT_LINE) {
        if (cutter->has_regex)
            regfree(&cutter->regex);
        snprintf(cutter->pattern, sizeof cutter->pattern, "%s", plan->pattern);
        int wrong = strlen(plan->pattern) >= sizeof cutter->pattern
                        ? REG_ESPACE
                        : regcomp(&cutter->regex, cutter->pattern, REG_EXTENDED | REG_NOSUB);
        cutter->has_regex = !wrong;
        if (wrong) {
            snprintf(message, len, "/%s/ is no regular expression", plan->pattern);
            return -1;
        }
        next.pattern = cutter->pattern;
    }
    cutter->plan = next;
    cutter->armed = true;
    if (plan->at == RIG_CUT_AT_TIME) {
        uint32_t span = plan->to_ms - plan->from_ms,
                 drawn = sim_rng_at(plan->tear.seed, 0, SIM_RNG_FAULT_SELECT, plan->tear.index);
        cut_in(cutter, plan->from_ms + (span == UINT32_MAX ? drawn : drawn % (span + 1)));
    }
    return 0;
}

/* ---- Life ---- */

int rig_cutter_create(struct rig_cutter **out, const struct rig_board_config *board,
                      rig_cut_done *done, FILE *text, char *message, size_t len)
{
    struct rig_cutter *cutter = calloc(1, sizeof *cutter);
    *out = NULL;
    if (!cutter) {
        snprintf(message, len, "no memory");
        return -1;
    }
    cutter->config = *board;
    cutter->user = board->events;
    cutter->ctx = board->ctx;
    cutter->done = done;
    cutter->text = text;
    cutter->config.ctx = cutter;
    cutter->config.traced = true;
    cutter->config.events = (struct rig_board_events){.console = on_console,
                                                      .console_bytes = on_console_bytes,
                                                      .link = on_link,
                                                      .stands = on_stands,
                                                      .spi = on_spi,
                                                      .reset = on_reset,
                                                      .ended = on_ended};
    ev_timer_init(&cutter->timer, on_time, 0, 0);
    cutter->timer.data = cutter;
    if (rig_board_create(&cutter->board, &cutter->config, message, len)) {
        free(cutter);
        return -1;
    }
    *out = cutter;
    return 0;
}

void rig_cutter_free(struct rig_cutter *cutter)
{
    if (!cutter)
        return;
    ev_timer_stop(cutter->config.loop, &cutter->timer);
    rig_board_free(cutter->board);
    rig_history_free(cutter->history);
    if (cutter->has_regex)
        regfree(&cutter->regex);
    free(cutter);
}

struct rig_board *rig_cutter_board(const struct rig_cutter *cutter)
{
    return cutter->board;
}

const struct rig_history *rig_cutter_history(const struct rig_cutter *cutter)
{
    return cutter->history;
}

int rig_cutter_power_on(struct rig_cutter *cutter, char *message, size_t len)
{
    if (read_file(cutter, message, len))
        return -1;
    int error = cutter->history ? rig_history_found(cutter->history, cutter->file) < 0
                                : rig_history_open(&cutter->history, cutter->file, cutter->text);
    if (error) {
        snprintf(message, len, "the flash history could not be written");
        return -1;
    }
    cutter->pending = cutter->failed = false;
    return rig_board_power_on(cutter->board, message, len);
}

static int asked_text(const struct rig_cut_plan *plan, int64_t asked_us, char *out, size_t len)
{
    const char *form =
        plan->tear.form == SCN_TORN_ANY ? "any form" : scn_torn_name((int)plan->tear.form);
    switch (plan->at) {
    case RIG_CUT_AT_OP:
        return snprintf(out, len, "asked operation %llu, %s", (unsigned long long)plan->op, form);
    case RIG_CUT_AT_LINE:
        return snprintf(out, len, "asked /%s/ + %u ms, %s", plan->pattern, plan->delay_ms, form);
    case RIG_CUT_AT_TIME:
        return snprintf(out, len, "asked %u .. %u ms, drawn %lld ms, %s", plan->from_ms,
                        plan->to_ms, (long long)asked_us / 1000, form);
    }
    return 0;
}

void rig_cut_text(const struct rig_cut *cut, char *out, size_t len)
{
    int used = asked_text(&cut->asked, cut->asked_us, out, len);
    size_t at = used < 0 ? 0 : (size_t)used < len ? (size_t)used : len - 1;
    const struct rig_op *op = &cut->op;
    char what[128];
    if (!cut->any)
        snprintf(what, sizeof what, "no operation since power on");
    else
        snprintf(what, sizeof what, "%s operation %llu, %s 0x%08x +%u, page or sector %u, %s",
                 cut->hit ? "hit" : "after", (unsigned long long)op->number,
                 op->erase ? "erase" : "program", op->addr, op->len,
                 op->addr / (op->erase ? BOARD_NOR_SECTOR : BOARD_NOR_PAGE),
                 cut->hit ? scn_torn_name((int)cut->form) : "whole");
    if (cut->asked.at != RIG_CUT_AT_OP) {
        int more = snprintf(out + at, len - at, "; came after %lld us", (long long)cut->got_us);
        at = more > 0 && (size_t)more < len - at ? at + (size_t)more : len - 1;
    }
    snprintf(out + at, len - at, "; %s, %lld us into it%s", what, (long long)cut->into_us,
             cut->clean ? "" : "; NOT CLEAN");
}
