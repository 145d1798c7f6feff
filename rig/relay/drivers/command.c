/*
 * The way out: any switch that has a program. Three argument vectors, in which {channel} stands for
 * the channel's number; no shell.
 *
 *   on, off:   exit code 0 is done; any other is a refusal, with the last line of its output
 *   status:    exit code 0 and "on" or "off" (or 1, 0) as the last line of its output
 *
 * A program that has not ended within the controller's timeout is killed with all that it started.
 * What it writes stands in messages: it should not write secrets.
 */
#include "../drivers.h"
#include "spawn.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ON, OFF, STATUS, VECTORS };
enum { WORDS_MAX = 64, WORD_BYTES = 4096, CHANNEL_LAST = 255 };

static const struct rig_setting settings[] = {
    [ON] = {.key = "on",
            .kind = RIG_SETTING_LIST,
            .required = true,
            .help = "program and arguments that switch on; {channel} is replaced"},
    [OFF] = {.key = "off",
             .kind = RIG_SETTING_LIST,
             .required = true,
             .help = "program and arguments that switch off"},
    [STATUS] = {.key = "status",
                .kind = RIG_SETTING_LIST,
                .help = "program and arguments whose last line is on or off"},
    {0},
};

struct rig_relay {
    char **vector[VECTORS]; /* NULL at the end; the status may be NULL */
    uint32_t timeout_ms;
};

static void free_words(char **words)
{
    for (size_t i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}

static void close_command(struct rig_relay *relay)
{
    if (!relay)
        return;
    for (int i = 0; i < VECTORS; i++)
        free_words(relay->vector[i]);
    free(relay);
}

/* number NULL: as it is. NULL: no memory. */
static char *fill_in(const char *word, const char *number)
{
    static const char mark[] = "{channel}";
    char *out = NULL;
    size_t len;
    FILE *to = open_memstream(&out, &len);
    if (!to)
        return NULL;
    for (const char *at; number && (at = strstr(word, mark)); word = at + strlen(mark))
        fprintf(to, "%.*s%s", (int)(at - word), word, number);
    fputs(word, to);
    if (!fclose(to))
        return out;
    free(out);
    return NULL;
}

static char **fill_in_all(const char *const *words, const char *number)
{
    size_t n = 0;
    while (words[n])
        n++;
    char **out = calloc(n + 1, sizeof *out);
    for (size_t i = 0; out && i < n; i++) {
        out[i] = fill_in(words[i], number);
        if (!out[i]) {
            free_words(out);
            return NULL;
        }
    }
    return out;
}

static int check(const struct rig_setting *setting, const char *const *words, char *message,
                 size_t len)
{
    size_t n = 0;
    for (; words[n]; n++)
        if (n >= WORDS_MAX || strlen(words[n]) > WORD_BYTES)
            return rig_port_say(RIG_EOPEN, message, len,
                                "%s: more than %d words, or one of more than %d bytes",
                                setting->key, WORDS_MAX, WORD_BYTES);
    if (!n || !words[0][0])
        return rig_port_say(RIG_EOPEN, message, len, "%s: names no program", setting->key);
    return RIG_OK;
}

static int open_command(struct rig_relay **out, const struct rig_setting_value *value,
                        uint32_t timeout_ms, char *message, size_t len)
{
    assert(out && value && message);
    *out = NULL;
    struct rig_relay *relay = calloc(1, sizeof *relay);
    if (!relay)
        return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    relay->timeout_ms = timeout_ms;
    int error = RIG_OK;
    for (int i = 0; i < VECTORS && !error; i++) {
        if (!value[i].list)
            continue;
        error = check(&settings[i], value[i].list, message, len);
        if (!error && !(relay->vector[i] = fill_in_all(value[i].list, NULL)))
            error = rig_port_say(RIG_EMEMORY, message, len, "no memory");
    }
    if (error)
        close_command(relay);
    else
        *out = relay;
    return error;
}

static int run(const struct rig_relay *relay, struct rig_spawned *ran, int which, uint32_t channel,
               char *message, size_t len)
{
    char number[16];
    snprintf(number, sizeof number, "%u", channel);
    char **argv = fill_in_all((const char *const *)relay->vector[which], number);
    if (!argv)
        return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    int error = RIG_OK;
    rig_spawn(ran, argv, relay->timeout_ms);
    if (!ran->started)
        error =
            rig_port_say(RIG_EOPEN, message, len, "%s: %s", argv[0], strerror(ran->start_errno));
    else if (!ran->in_time)
        error = rig_port_say(RIG_ESILENT, message, len, "%s: killed after %u ms%s%s", argv[0],
                             relay->timeout_ms, *ran->line ? ": " : "", ran->line);
    else if (ran->signal)
        error = rig_port_say(RIG_EGONE, message, len, "%s: ended by signal %d%s%s", argv[0],
                             ran->signal, *ran->line ? ": " : "", ran->line);
    else if (ran->exit_code)
        error = rig_port_say(RIG_EREFUSED, message, len, "%s: exit code %d%s%s", argv[0],
                             ran->exit_code, *ran->line ? ": " : "", ran->line);
    free_words(argv);
    return error;
}

static int set(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len)
{
    struct rig_spawned ran;
    return run(relay, &ran, on ? ON : OFF, channel, message, len);
}

static int get(struct rig_relay *relay, bool *on, uint32_t channel, char *message, size_t len)
{
    struct rig_spawned ran;
    if (!relay->vector[STATUS])
        return rig_port_say(RIG_EUNSUPPORTED, message, len, "no `status` command is set");
    int error = run(relay, &ran, STATUS, channel, message, len);
    if (error)
        return error;
    bool yes = !strcasecmp(ran.line, "on") || !strcmp(ran.line, "1");
    if (!yes && strcasecmp(ran.line, "off") != 0 && strcmp(ran.line, "0") != 0)
        return rig_port_say(RIG_EANSWER, message, len, "%s: \"%s\" is neither on nor off",
                            relay->vector[STATUS][0], ran.line);
    *on = yes;
    return RIG_OK;
}

const struct rig_relay_driver rig_relay_command = {
    .name = "command",
    .summary = "anything that has a program: commands for on, off and status",
    .channel_first = 0,
    .channel_last = CHANNEL_LAST,
    .setting = settings,
    .open = open_command,
    .close = close_command,
    .set = set,
    .get = get,
};
