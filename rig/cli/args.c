/* Command lines of the subcommands. */
#include "cli_internal.h"
#include "daemon_kit/settings.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int rig_cli_say(const char *name, int code, const char *fmt, ...)
{
    va_list args;
    fprintf(stderr, "brickyard rig %s: ", name);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return code;
}

/* The words that belong to no option. */
static int take_words(struct rig_cli_args *out, const struct rig_cli_form *form,
                      poptContext context)
{
    const char *word;
    while ((word = poptGetArg(context))) {
        if (out->words == form->most)
            return rig_cli_say(form->name, RIG_CLI_USAGE, "'%s' is too much; accepted: %s", word,
                               form->most ? form->words : "options only");
        out->word[out->words] = strdup(word);
        if (!out->word[out->words++])
            return rig_cli_say(form->name, RIG_CLI_INFRASTRUCTURE, "out of memory");
    }
    return out->words >= form->least
               ? RIG_CLI_OK
               : rig_cli_say(form->name, RIG_CLI_USAGE, "accepted: --bench FILE %s", form->words);
}

static int read_args(struct rig_cli_args *out, const struct rig_cli_form *form, int argc,
                     char **argv)
{
    static const struct poptOption none[] = {POPT_TABLEEND};
    char called[64], words[128];
    const struct poptOption table[] = {
        {"bench", 0, POPT_ARG_STRING, &out->bench, 0, "the bench file", "FILE"},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)(form->option ? form->option : none), 0, NULL,
         NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    snprintf(called, sizeof called, "brickyard rig %s", form->name);
    snprintf(words, sizeof words, "--bench FILE %s", form->words);
    argv[0] = called; /* what the help calls it */
    poptContext context = poptGetContext(called, argc, (const char **)argv, table, 0);
    poptSetOtherOptionHelp(context, words);
    int error = poptGetNextOpt(context);
    int code = error < -1 ? rig_cli_say(form->name, RIG_CLI_USAGE, "%s: %s",
                                        poptBadOption(context, POPT_BADOPTION_NOALIAS),
                                        poptStrerror(error))
                          : take_words(out, form, context);
    poptFreeContext(context);
    return code;
}

int rig_cli_run(const struct rig_cli_form *form, int argc, char **argv)
{
    struct rig_cli_args args = {0};
    int code = read_args(&args, form, argc, argv);
    if (!code)
        code = form->run(&args, form->ctx);
    free(args.bench);
    for (uint32_t i = 0; i < args.words; i++)
        free(args.word[i]);
    if (!fflush(stdout) && !ferror(stdout))
        return code;
    return rig_cli_say(form->name, code ? code : RIG_CLI_INFRASTRUCTURE, "standard output: %s",
                       strerror(errno));
}

bool rig_cli_duration(const char *name, const char *option, const char *text, int64_t min,
                      int64_t max, int64_t *out_ms)
{
    int64_t ms;
    if (!text)
        return true;
    if (agent_kit_read_duration(text, &ms) && ms >= min && ms <= max) {
        *out_ms = ms;
        return true;
    }
    rig_cli_say(name, RIG_CLI_USAGE, "%s %s: accepted: %lldms to %llds, as 500ms, 2s, 5m", option,
                text, (long long)min, (long long)(max / 1000));
    return false;
}
