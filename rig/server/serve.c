/* `brickyard rig serve`: a bench's relays for labgrid, LAVA and other clients of pdudaemon. */
#include "rig/server.h"
#include <popt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SERVED = 0, USAGE = 1 }; /* CONTRACT.md */

struct options {
    const char *bench, *listen, *token_file;
    int quiet;
};

static void say(void *ctx, const char *line)
{
    char at[32];
    struct tm utc;
    time_t now = time(NULL);
    (void)ctx;
    strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    fprintf(stderr, "%s %s\n", at, line);
}

/* Blocked by all threads from here on; one waits for them. */
static void hold_signals(sigset_t *ends)
{
    sigemptyset(ends);
    sigaddset(ends, SIGTERM);
    sigaddset(ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, ends, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int until_told(const struct rig_server_config *config, char *message, size_t len)
{
    struct rig_server *server;
    sigset_t ends;
    int which;
    hold_signals(&ends);
    if (rig_server_start(&server, config, message, len))
        return USAGE;
    printf("%s: the relays of %u boards at %s\n", config->bench->name, config->bench->boards,
           rig_server_url(server));
    fflush(stdout);
    while (sigwait(&ends, &which))
        ;
    rig_server_stop(server);
    return SERVED;
}

static int serve(const struct options *o)
{
    char message[RIG_SERVER_MESSAGE_MAX] = "";
    struct rig_bench *bench = NULL;
    struct rig_server_relays *relays = NULL;
    struct rig_server_config config = {.listen = o->listen,
                                       .token_file = o->token_file,
                                       .ops = &rig_server_relays_ops,
                                       .say = o->quiet ? NULL : say};
    int code = USAGE;
    if (!o->bench) {
        snprintf(message, sizeof message,
                 "--bench is missing; accepted: a YAML file, see "
                 "rig/benchfile/README.md");
    } else if (!rig_bench_read(&bench, o->bench, message, sizeof message) &&
               !rig_server_relays_open(&relays, bench, message, sizeof message)) {
        config.bench = bench;
        config.ctx = relays;
        code = until_told(&config, message, sizeof message);
    }
    if (code)
        fprintf(stderr, "brickyard rig serve: %s\n", message);
    rig_server_relays_close(relays);
    rig_bench_free(bench);
    return code;
}

int rig_serve_main(int argc, char **argv)
{
    struct options o = {0};
    const struct poptOption table[] = {
        {"bench", 0, POPT_ARG_STRING, &o.bench, 0, "the bench whose relays it is", "FILE"},
        {"listen", 0, POPT_ARG_STRING, &o.listen, 0,
         "127.0.0.1:16421 if not given; elsewhere than on loopback only with a token",
         "ADDRESS:PORT"},
        {"token-file", 0, POPT_ARG_STRING, &o.token_file, 0,
         "its first line is what clients must show", "FILE"},
        {"quiet", 0, POPT_ARG_NONE, &o.quiet, 0, "no line for each request", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext context =
        poptGetContext("brickyard rig serve", argc, (const char **)argv, table, 0);
    poptSetOtherOptionHelp(context, "--bench FILE [--listen ADDRESS:PORT] [--token-file FILE]");
    int error = poptGetNextOpt(context), code = USAGE;
    if (error < -1)
        fprintf(stderr, "brickyard rig serve: %s: %s\n",
                poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(error));
    else if (poptPeekArg(context))
        fprintf(stderr, "brickyard rig serve: %s: belongs to no option\n", poptGetArg(context));
    else
        code = serve(&o);
    free((void *)o.bench);
    free((void *)o.listen);
    free((void *)o.token_file);
    poptFreeContext(context);
    return code;
}
