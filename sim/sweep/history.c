/*
 * A history as text, and the way back. "VARIANT.STORY" and then, each after a slash, the power
 * sessions (a boot, or the run of what it booted):
 *
 *     nK                    K sessions that nothing happened to
 *     [cHEX:]FORM@OP[+AT]   a session that was cut so at its operation OP
 *     cHEX                  a session with these choices, 4 bits each, the first lowest
 *     rot@BIT+ADDR          no session: the flash was damaged while the device was off
 */
#include "guard.h"
#include "search.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t choices;
    struct sweep_blow blow;
};
enum { ENTRIES_MAX = 4096, SESSIONS_AFTER = 400 };

static bool is_damage(uint8_t form)
{
    return form == SIM_SWEEP_ROT || form == SIM_SWEEP_STUCK || form == SIM_SWEEP_WORN;
}

/* Sessions of the history that leads to the end of this origin, last first. The root's number. */
static uint64_t unwind(const struct sweep_search *search, const struct sweep_origin *origin,
                       struct entry entry[ENTRIES_MAX], uint32_t *count)
{
    struct sweep_origin at = *origin;
    *count = 0;
    while (at.parent != SWEEP_NODE_NONE && *count + 2 < ENTRIES_MAX) {
        if (at.boots)
            entry[(*count)++] = (struct entry){at.boot_choices, {.form = SIM_SWEEP_FORMS}};
        entry[(*count)++] = (struct entry){at.choices, at.blow};
        at = sweep_node(&search->nodes, at.parent)->origin;
    }
    return at.choices;
}

static void put(char *out, size_t len, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void put(char *out, size_t len, const char *format, ...)
{
    va_list args;
    size_t at = strlen(out);
    va_start(args, format);
    vsnprintf(out + at, len - at, format, args);
    va_end(args);
}

static void put_entry(char *out, size_t len, const struct entry *entry)
{
    const struct sweep_blow *blow = &entry->blow;
    bool blown = blow->form != SIM_SWEEP_FORMS;
    put(out, len, "/");
    if (entry->choices)
        put(out, len, "c%llx%s", (unsigned long long)entry->choices, blown ? ":" : "");
    if (!blown)
        return;
    put(out, len, "%s@%u", sim_sweep_form_name(blow->form), blow->op);
    if (blow->at)
        put(out, len, "+%u", blow->at);
}

void sweep_history_write(const struct sweep_search *search, const struct sweep_origin *origin,
                         char *out, size_t len)
{
    struct entry *entry = calloc(ENTRIES_MAX, sizeof *entry);
    uint32_t count, plain = 0, stories = search->world->stories;
    if (!entry)
        abort();
    uint64_t root = unwind(search, origin, entry, &count);
    snprintf(out, len, "%u.%s", (uint32_t)(root / stories),
             search->world->story[root % stories]->name);
    for (uint32_t i = count; i-- > 0;) {
        bool quiet = entry[i].choices == 0 && entry[i].blow.form == SIM_SWEEP_FORMS;
        plain += quiet;
        if ((!quiet || i == 0) && plain)
            put(out, len, "/n%u", plain);
        if (!quiet) {
            put_entry(out, len, &entry[i]);
            plain = 0;
        }
    }
    free(entry);
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Digits alone, no sign, no space, no prefix; false when there is none, or above max. */
static bool number(const char **text, uint32_t base, uint64_t max, uint64_t *out)
{
    const char *at = *text;
    *out = 0;
    for (uint32_t digit; (digit = (uint32_t)digit_of(*at)) < base; at++) {
        if (*out > (max - digit) / base)
            return false;
        *out = *out * base + digit;
    }
    bool any = at > *text;
    *text = at;
    return any;
}

/* "FORM@OP[+AT]" */
static bool read_blow(const char **text, struct sweep_blow *out)
{
    size_t len = strcspn(*text, "@/");
    uint64_t op, at = 0;
    for (uint8_t form = 0; form < SIM_SWEEP_FORMS; form++) {
        const char *name = sim_sweep_form_name(form);
        if (strlen(name) != len || strncmp(*text, name, len) != 0)
            continue;
        *text += len;
        if (*(*text)++ != '@' || !number(text, 10, UINT32_MAX, &op))
            return false;
        if (**text == '+') {
            (*text)++;
            if (!number(text, 10, UINT32_MAX, &at))
                return false;
        }
        *out = (struct sweep_blow){.form = form, .op = (uint32_t)op, .at = (uint32_t)at};
        return true;
    }
    return false;
}

/* One entry, or K plain ones (*plain). False when it is none. */
static bool read_entry(const char **text, struct entry *out, uint64_t *plain)
{
    *out = (struct entry){0, {.form = SIM_SWEEP_FORMS}};
    *plain = 0;
    if (**text == 'n' && (*text)[1] >= '0' && (*text)[1] <= '9') {
        (*text)++;
        return number(text, 10, ENTRIES_MAX, plain) && *plain > 0;
    }
    if (**text == 'c') {
        (*text)++;
        if (!number(text, 16, UINT64_MAX, &out->choices))
            return false;
        if (**text != ':')
            return true;
        (*text)++;
    }
    return read_blow(text, &out->blow);
}

/* "VARIANT.STORY" */
static bool read_root(const struct sweep_world *world, const char **text, uint32_t *variant,
                      uint32_t *story)
{
    uint64_t v;
    if (!number(text, 10, UINT32_MAX, &v) || v >= world->dut->variants || *(*text)++ != '.')
        return false;
    size_t len = strcspn(*text, "/");
    for (*story = 0; *story < world->stories; (*story)++) {
        const char *name = world->story[*story]->name;
        if (strlen(name) == len && !strncmp(name, *text, len))
            break;
    }
    *text += len;
    *variant = (uint32_t)v;
    return *story < world->stories;
}

static void announce(struct sweep_worker *worker, const struct sweep_state *state, uint32_t session)
{
    if (!worker->story)
        return;
    if (!state->booted) {
        fprintf(worker->story, "\nsession %u: reset by %s\n", session,
                sweep_reset_name(state->env.reset));
        sweep_tell_map(worker, state);
    }
}

/* One session, or one damage. False when the story has come to its end. */
static bool step(struct sweep_worker *worker, struct sweep_state *state, const struct entry *entry,
                 uint32_t *session, struct sweep_history_run *out)
{
    struct sweep_choices picks;
    if (is_damage(entry->blow.form)) {
        struct sim_flash before;
        uint32_t sector = entry->blow.at / worker->world->unit.layout.sector_bytes;
        if (state->booted || sim_flash_clone(&before, &state->flash)) {
            out->fired = false;
            return false;
        }
        out->fired &= sweep_damage(worker->world, state, &entry->blow);
        sweep_state_rehash(worker->world, state, &before, &sector, out->fired ? 1 : 0);
        sim_flash_free(&before);
        if (worker->story)
            fprintf(worker->story, "\nwhile it is off: %s at 0x%x\n",
                    sim_sweep_form_name(entry->blow.form), entry->blow.at);
        return true;
    }
    sweep_choices_unpack(&picks, entry->choices);
    worker->session = ++*session;
    announce(worker, state, *session);
    enum sweep_end end = sweep_session(worker, state, &picks, &entry->blow);
    /* A promise may be broken by what a brown-out does, before the power goes. */
    if (entry->blow.form != SIM_SWEEP_FORMS && end != END_CUT && !worker->suffered)
        out->fired = false;
    if (end == END_BROKEN) {
        out->broken = true;
        out->failure = worker->failure;
    }
    return end != END_BROKEN && end != END_REST;
}

/* One entry of a history, `times` times; *on: the story is not over. A blow behind its end never
 * falls. So many sessions at most, whatever it says: it may be anybody's text. */
static void play_entry(struct sweep_worker *worker, struct sweep_state *state,
                       const struct entry *entry, uint64_t times, uint32_t *session, bool *on,
                       struct sweep_history_run *out)
{
    if (entry->blow.form != SIM_SWEEP_FORMS && (!*on || *session >= ENTRIES_MAX))
        out->fired = false;
    for (uint64_t i = 0; *on && i < times && *session < ENTRIES_MAX; i++)
        *on = step(worker, state, entry, session, out);
}

/* The written sessions, then plain ones until it rests. */
static int play(struct sweep_worker *worker, struct sweep_state *state, const char *text,
                struct sweep_history_run *out)
{
    uint32_t session = 0, written;
    bool on = true;
    while (*text) {
        struct entry entry;
        uint64_t plain;
        if (*text++ != '/' || !read_entry(&text, &entry, &plain) || (*text && *text != '/'))
            return -1;
        play_entry(worker, state, &entry, plain ? plain : 1, &session, &on, out);
    }
    written = session;
    const struct entry quiet = {0, {.form = SIM_SWEEP_FORMS}};
    while (on && session - written < SESSIONS_AFTER)
        on = step(worker, state, &quiet, &session, out);
    if (on) {
        out->broken = true;
        out->failure = (struct sweep_failure){.promise = REP_PROMISE_CONVERGENCE,
                                              .endless = true,
                                              .what = "boots again and again, without an end"};
    }
    return 0;
}

int sweep_history_run(struct sweep_worker *worker, const char *history,
                      struct sweep_history_run *out, char *message, size_t len)
{
    uint32_t variant, story;
    const char *text = history;
    struct sweep_state state;
    *out = (struct sweep_history_run){.fired = true};
    if (!read_root(worker->world, &text, &variant, &story)) {
        snprintf(message, len, "history=%s: no such variant or story of %s", history,
                 worker->dut->name);
        return -1;
    }
    if (sweep_root(worker, &state, variant, story, message, len)) {
        out->broken = worker->stand && worker->failure.promise == REP_PROMISE_SAME_RUN;
        out->failure = worker->failure;
        return out->broken ? 0 : -1;
    }
    worker->story_from_us = state.now_us;
    int error = play(worker, &state, text, out);
    if (error)
        snprintf(message, len,
                 "history=%s: not a history; accepted: nK, cHEX, FORM@OP+AT after "
                 "each /",
                 history);
    sweep_state_free(&state);
    return error;
}

static void tell_end(FILE *out, const struct sweep_history_run *run)
{
    if (run->broken)
        fprintf(out, "\n%s: %s: %s\n", run->failure.infrastructure ? "FAILED" : "BROKEN",
                rep_promise_name((int)run->failure.promise), run->failure.what);
    else
        fprintf(out, "\nnothing was broken\n");
    if (!run->fired)
        fprintf(out,
                "a blow of the history did not fall: another device, or another version of it?\n");
}

/* CONTRACT.md: a broken promise counts more than a blow that did not fall. */
static int exit_code_of(const struct sweep_history_run *run)
{
    if (run->broken)
        return run->failure.infrastructure ? 8 : run->failure.endless ? 4 : 3;
    return run->fired ? 0 : 6;
}

static int ask_stand(const struct sim_stand *stand, const struct sweep_world *world, char *message,
                     size_t len)
{
    const char *why = stand ? stand->refuses(stand->ctx, &world->unit) : NULL;
    if (why)
        snprintf(message, len, "%s: %s", world->scn->path, why);
    return why ? -1 : 0;
}

static int replay(const struct sim_sweep_options *options, const struct sim_sweep_token *token,
                  FILE *out, char *message, size_t len)
{
    struct sweep_plugin plugin;
    struct sweep_world world;
    struct sweep_worker worker;
    struct sweep_history_run run;
    if (sweep_plugin_load(&plugin, options->dut_path, message, len)) {
        sweep_plugin_free(&plugin);
        return -1;
    }
    struct sweep_call host = sweep_guard_enter(NULL, "one of refuses(), pack(), ranges()");
    int result = sweep_world_build(&world, options, plugin.dut, message, len);
    sweep_guard_leave(host);
    if (result == 0)
        result = ask_stand(options->stand, &world, message, len);
    if (result == 0)
        result = sweep_worker_init(&worker, &world, options->dut_path, message, len);
    if (result == 0) {
        worker.story = out;
        worker.stand = options->stand;
        fprintf(out, "%s: %s\n%s\n", plugin.dut->name, plugin.dut->about ? plugin.dut->about : "",
                token->history);
        result = sweep_history_run(&worker, token->history, &run, message, len);
        if (result == 0) {
            tell_end(out, &run);
            result = exit_code_of(&run);
        }
        sweep_worker_free(&worker);
    }
    sweep_world_free(&world);
    sweep_plugin_free(&plugin);
    return result;
}

int sim_sweep_replay(const struct sim_sweep_options *options, const struct sim_sweep_token *token,
                     FILE *out, char *message, size_t len)
{
    struct sweep_guard guard;
    sweep_guard_begin(&guard);
    int result = replay(options, token, out, message, len);
    sweep_guard_end(&guard);
    return result;
}
