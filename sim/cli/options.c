/* What options and scenarios of several subcommands have in common. */
#include "cli.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool cli_is_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *out >= min && *out <= max;
}

bool cli_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    if (cli_is_number(text, min, max, out))
        return true;
    fprintf(stderr, "brickyard: %s %s: accepted: a whole number from %llu to %llu\n", option, text,
            (unsigned long long)min, (unsigned long long)max);
    return false;
}

bool cli_messages(const struct scn_messages *messages)
{
    bool error = false;
    for (uint32_t i = 0; i < messages->count; i++) {
        const struct scn_message *message = &messages->message[i];
        fprintf(stderr, "%s%s\n", message->warning ? "warning: " : "", message->text);
        error |= !message->warning;
    }
    return error;
}

bool cli_jobs(const char *text, uint32_t *out)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t jobs = cores < 1 ? 1 : cores > CLI_JOBS_MAX ? CLI_JOBS_MAX : (uint64_t)cores;
    if (text && !cli_number("--jobs", text, 1, CLI_JOBS_MAX, &jobs))
        return false;
    *out = (uint32_t)jobs;
    return true;
}

bool cli_board_program(char *out, size_t len, const char *name, char *message, size_t message_len)
{
    char self[512];
    ssize_t got = readlink("/proc/self/exe", self, sizeof self - 1);
    self[got > 0 ? got : 0] = '\0';
    char *slash = strrchr(self, '/');
    int bytes = snprintf(out, len, "%.*s/board/%s", slash ? (int)(slash - self) : 0, self, name);
    if (slash && bytes > 0 && (size_t)bytes < len && !access(out, R_OK))
        return true;
    snprintf(message, message_len,
             "--world board: there is no %s; `./dev build` makes it where gcc-arm-none-eabi is "
             "installed and BearSSL's source was fetched",
             out);
    return false;
}

static bool same_content(const struct scn *scn, const char *want)
{
    char have[33];
    for (int i = 0; i < 16; i++)
        snprintf(have + 2 * i, 3, "%02x", scn->content_hash[i]);
    if (!want || !strcmp(have, want))
        return true;
    fprintf(stderr,
            "brickyard: %s: its content is not the one that the token was made from (hash %s, not "
            "%s)\n",
            scn->path, have, want);
    return false;
}

bool cli_load(struct scn **out, const char *path, const struct scn_overrides *overrides,
              const char *must_hash)
{
    struct scn_messages messages = {0};
    int error = scn_load(out, path, overrides, &messages);
    cli_messages(&messages);
    if (error)
        return false;
    if (same_content(*out, must_hash))
        return true;
    scn_free(*out);
    *out = NULL;
    return false;
}
