/*
 * One power session, or the half of one: the bootloader up to its jump, or the booted image until
 * it resets, rests, or something takes the control flow away.
 */
#include "guard.h"
#include "internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RAM_ALIGN = 16 };

uint64_t sweep_choices_pack(const struct sweep_choices *choices)
{
    uint64_t packed = 0;
    for (uint32_t i = 0; i < choices->count; i++)
        packed |= (uint64_t)choices->pick[i] << 4 * i;
    return packed;
}

void sweep_choices_unpack(struct sweep_choices *out, uint64_t packed)
{
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < SWEEP_CHOICES_MAX; i++)
        out->pick[i] = packed >> 4 * i & 15;
}

bool sweep_choices_next(struct sweep_choices *choices)
{
    for (uint32_t i = choices->count; i-- > 0;) {
        if (choices->pick[i] + 1 < choices->arity[i]) {
            choices->pick[i]++;
            memset(choices->pick + i + 1, 0, sizeof choices->pick - i - 1);
            return true;
        }
    }
    return false;
}

uint8_t sweep_choose(struct sweep_worker *worker, uint8_t arity)
{
    struct sweep_choices *choices = &worker->choices;
    if (choices->count == SWEEP_CHOICES_MAX) {
        choices->crowded = true;
        return 0;
    }
    uint32_t i = choices->count++;
    choices->arity[i] = arity;
    choices->op[i] = worker->ops;
    if (choices->pick[i] >= arity)
        choices->pick[i] = 0;
    return choices->pick[i];
}

void sweep_tell(struct sweep_worker *worker, const char *format, ...)
{
    va_list args;
    if (!worker->story)
        return;
    sweep_tell_flash(worker);
    va_start(args, format);
    fprintf(worker->story, "  %10.3f s  ",
            (double)(worker->state->now_us - worker->story_from_us) / 1e6);
    vfprintf(worker->story, format, args);
    fprintf(worker->story, "\n");
    va_end(args);
}

_Noreturn void sweep_end_session(struct sweep_worker *worker, enum sweep_end end)
{
    worker->ended = end;
    longjmp(worker->end, 1);
}

_Noreturn void sweep_break(struct sweep_worker *worker, enum rep_promise promise,
                           const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(worker->failure.what, sizeof worker->failure.what, format, args);
    va_end(args);
    worker->failure.promise = promise;
    worker->failure.endless = false;
    sweep_tell(worker, "PROMISE BROKEN, %s: %s", rep_promise_name((int)promise),
               worker->failure.what);
    sweep_end_session(worker, END_BROKEN);
}

_Noreturn void sweep_endless(struct sweep_worker *worker, const char *what)
{
    worker->failure = (struct sweep_failure){.promise = REP_PROMISE_CONVERGENCE, .endless = true};
    snprintf(worker->failure.what, sizeof worker->failure.what, "%s", what);
    sweep_tell(worker, "PROMISE BROKEN, convergence: %s", what);
    sweep_end_session(worker, END_BROKEN);
}

/* RAM and static variables as after a reset: nothing that an earlier program left. */
static void forget(struct sweep_worker *worker)
{
    memset(worker->ram, 0xA5, worker->dut->ram_bytes);
    sweep_plugin_reset(&worker->plugin);
}

static void begin(struct sweep_worker *worker, struct sweep_state *state,
                  const struct sweep_choices *picks, const struct sweep_blow *blow)
{
    worker->state = state;
    worker->choices = picks ? *picks : (struct sweep_choices){.count = 0};
    worker->choices.count = 0;
    worker->choices.crowded = false;
    worker->blow = blow ? *blow : (struct sweep_blow){.form = SIM_SWEEP_FORMS};
    worker->blow_fired = false;
    worker->suffered = 0;
    worker->ops = 0;
    worker->calls = 0;
    worker->ended = END_RUNNING;
    worker->booting = !state->booted;
    worker->checks = 0;
    worker->asked = false;
    worker->started_ms = state->now_us / 1000;
    worker->watchdog_ms = INT64_MAX;
    memset(worker->reading, 0, sizeof worker->reading);
    worker->dirties = 0;
    sweep_port_hooks(worker, state);
    sweep_stand_begin(worker, state);
}

static void boot(struct sweep_worker *worker)
{
    struct sweep_state *state = worker->state;
    memset(&state->boot, 0, sizeof state->boot);
    state->flash.protect_from = state->flash.protect_to = 0;
    forget(worker);
    worker->boots++;
    sweep_device_boot(worker);
    state->boot.why[DUT_TEXT_MAX - 1] = 0;
    if (worker->suffered)
        sweep_blow_falls(worker); /* a brown-out never goes away by itself */
    sweep_judge_boot(worker);
    state->booted = true;
    worker->ended = END_BOOTED;
}

/* Application data and bootloader are to be as they were. */
static void inspect(struct sweep_worker *worker)
{
    const struct dut_layout *layout = &worker->world->unit.layout;
    const struct sim_flash *flash = &worker->state->flash;
    uint32_t from = (layout->data_addr + layout->journal_bytes) / layout->sector_bytes;
    for (uint32_t s = 0; s < worker->world->sectors; s++) {
        if (s >= layout->bootloader_bytes / layout->sector_bytes && s < from)
            continue;
        const uint8_t *now = sim_flash_sector_bytes(flash, s);
        const uint8_t *then = worker->world->flash.sector[s];
        if (now != then && (!now || !then || memcmp(now, then, layout->sector_bytes) != 0))
            sweep_break(worker, REP_PROMISE_RUNNING_IMAGE,
                        "sector 0x%x, which belongs to %s, is not as it was",
                        s * layout->sector_bytes, s < from ? "the bootloader" : "the application");
    }
}

static void run(struct sweep_worker *worker)
{
    struct sweep_state *state = worker->state;
    struct sim_flash *flash = &state->flash;
    if (worker->dut->traits & DUT_IN_PLACE) {
        flash->protect_from = state->boot.image_addr;
        flash->protect_to = state->boot.image_addr + worker->world->image[state->running].dut.len;
    }
    if (state->boot.watchdog_s)
        worker->watchdog_ms = worker->started_ms + (int64_t)state->boot.watchdog_s * 1000;
    forget(worker);
    enum dut_run how = sweep_device_run(worker);
    if (worker->suffered)
        sweep_blow_falls(worker); /* it wrote no more: the power goes while it rests */
    if (how == DUT_RUN_RESET) {
        state->env.reset = DUT_RESET_SOFTWARE;
        sweep_tell(worker, "resets itself");
        worker->ended = END_RESET;
        return;
    }
    worker->ended = sweep_judge_rest(worker);
    if (worker->ended == END_REST)
        inspect(worker);
}

enum sweep_end sweep_session(struct sweep_worker *worker, struct sweep_state *state,
                             const struct sweep_choices *picks, const struct sweep_blow *blow)
{
    struct sim_flash before;
    if (sim_flash_clone(&before, &state->flash)) {
        fprintf(stderr, "sweep: no memory for another state\n");
        abort();
    }
    begin(worker, state, picks, blow);
    const struct sweep_call host = sweep_guard_enter(NULL, NULL);
    if (setjmp(worker->end) == 0) {
        if (worker->booting)
            boot(worker);
        else
            run(worker);
    }
    sweep_guard_leave(host); /* also where the control flow was taken away */
    sweep_stand_end(worker);
    if (worker->ended != END_BOOTED)
        state->booted = false;
    sweep_tell_flash(worker);
    sweep_state_settle(state);
    sweep_state_rehash(worker->world, state, &before, worker->dirty_sector, worker->dirties);
    for (uint32_t i = 0; i < worker->dirties; i++)
        worker->dirty[worker->dirty_sector[i]] = 0;
    sim_flash_free(&before);
    return worker->ended;
}

/* The device's RAM, with a page behind it which may not be touched: what is written there would be
 * the host's. NULL: no memory. */
static void *ram_map(struct sweep_worker *worker)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t bytes = ((size_t)worker->dut->ram_bytes + RAM_ALIGN - 1) & ~(size_t)(RAM_ALIGN - 1);
    worker->ram_mapped = (bytes + page - 1) / page * page;
    worker->wall_bytes = page;
    uint8_t *at = mmap(NULL, worker->ram_mapped + page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    worker->wall = at + worker->ram_mapped;
    if (mprotect(worker->wall, page, PROT_NONE)) {
        munmap(at, worker->ram_mapped + page);
        return NULL;
    }
    return worker->wall - bytes;
}

int sweep_worker_init(struct sweep_worker *worker, const struct sweep_world *world,
                      const char *dut_path, char *message, size_t len)
{
    memset(worker, 0, sizeof *worker);
    worker->world = world;
    if (sweep_plugin_load(&worker->plugin, dut_path, message, len))
        return -1;
    worker->dut = worker->plugin.dut;
    worker->ram = ram_map(worker);
    worker->canon = malloc(sweep_canon_max());
    worker->dirty = calloc(world->sectors, 1);
    worker->dirty_sector = calloc(world->sectors, sizeof *worker->dirty_sector);
    if (!worker->ram || !worker->canon || !worker->dirty || !worker->dirty_sector ||
        boot_openssl_init(&worker->openssl)) {
        snprintf(message, len, "sweep: no memory");
        return -1;
    }
    boot_openssl_port(&worker->openssl, &worker->crypto);
    sweep_port_init(worker);
    sweep_view_init(worker);
    return 0;
}

void sweep_worker_free(struct sweep_worker *worker)
{
    if (worker->ram)
        munmap(worker->wall - worker->ram_mapped, worker->ram_mapped + worker->wall_bytes);
    free(worker->canon);
    free(worker->dirty);
    free(worker->dirty_sector);
    boot_openssl_free(&worker->openssl);
    sweep_plugin_free(&worker->plugin);
    memset(worker, 0, sizeof *worker);
}

static void factory(struct sweep_worker *worker)
{
    struct sweep_state *state = worker->state;
    forget(worker);
    uint8_t base = worker->world->story[state->env.story]->base;
    if (sweep_device_factory(worker, &worker->world->image[base].dut))
        sweep_break(worker, REP_PROMISE_NO_BRICK, "the factory could not install %s",
                    worker->world->image[base].version);
    state->env.permanent = base;
    worker->ended = END_RESET;
}

int sweep_root(struct sweep_worker *worker, struct sweep_state *out, uint32_t variant,
               uint32_t story, char *message, size_t len)
{
    const struct sweep_world *world = worker->world;
    memset(out, 0, sizeof *out);
    out->now_us = world->scn->start_us;
    if (sim_flash_init(&out->flash, &world->flash, &world->known, &world->base.timing, &out->now_us,
                       world->scn->seed, 0)) {
        snprintf(message, len, "sweep: no memory");
        return -1;
    }
    out->flash.boot_protect_to = world->unit.layout.bootloader_bytes;
    out->env.variant = (uint8_t)variant;
    out->env.story = (uint8_t)story;
    out->env.permanent = out->env.earlier = IMAGE_NONE;
    begin(worker, out, NULL, NULL);
    worker->unit = world->unit;
    worker->unit.variant = variant;
    const struct sweep_call host = sweep_guard_enter(NULL, NULL);
    if (setjmp(worker->end) == 0)
        factory(worker);
    sweep_guard_leave(host);
    sweep_stand_end(worker);
    for (uint32_t i = 0; i < worker->dirties; i++)
        worker->dirty[worker->dirty_sector[i]] = 0;
    if (worker->ended == END_BROKEN) {
        snprintf(message, len, "%s: in factory(): %s", worker->dut->name, worker->failure.what);
        sweep_state_free(out);
        return -1;
    }
    sweep_env_begin(world, &out->env);
    for (uint32_t s = 0; s < world->sectors; s++) {
        XXH128_hash_t hash = sweep_sector_hash(world, &out->flash, s);
        out->plain.low64 += hash.low64;
        out->plain.high64 += hash.high64;
    }
    return 0;
}
