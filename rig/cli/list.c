/* `brickyard rig list`: looks, and touches nothing: a serial port that is opened may reset its
 * board, so its file is looked at only. */
#include "list.h"
#include "rig/aim.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONNECT_MS = 300 };

/* Counters of earlier runs; both NULL where there were none. */
struct books {
    struct rig_odometer *odometer;
    struct rig_aim_store *aim;
    bool shut; /* there were, and they can't be read */
};

/* Who has a board is told also where its counters can't be read: a full disk, another's folder. */
static void open_books(struct books *books, const struct rig_bench *bench)
{
    char path[PATH_MAX], message[512];
    if (snprintf(path, sizeof path, "%s/rig.db", bench->state) >= (int)sizeof path ||
        (access(path, F_OK) && (errno == ENOENT || errno == ENOTDIR)))
        return;
    books->shut = rig_odometer_open(&books->odometer, path, message, sizeof message) ||
                  rig_aim_store_open(&books->aim, path, message, sizeof message);
    if (books->shut)
        rig_cli_say("list", 0, "warning: %s; cycles and latencies are not known", message);
}

static void look_at_file(struct rig_cli_port *port, const struct rig_console_at *at)
{
    struct stat status;
    bool serial = at->kind == RIG_CONSOLE_SERIAL;
    if (serial)
        snprintf(port->where, sizeof port->where, "%.250s, %u baud", at->path, at->baud);
    else
        snprintf(port->where, sizeof port->where, "%.290s", at->path);
    if (stat(at->path, &status) || access(at->path, R_OK | W_OK))
        snprintf(port->why, sizeof port->why, "%s", strerror(errno));
    else if (serial ? !S_ISCHR(status.st_mode) : !S_ISSOCK(status.st_mode))
        snprintf(port->why, sizeof port->why, "it is no %s", serial ? "serial port" : "socket");
    else
        port->there = true;
}

/* A server that somebody uses is left alone: it might take only one. */
static void look_at_server(struct rig_cli_port *port, const struct rig_console_at *at, bool busy)
{
    int fd;
    snprintf(port->where, sizeof port->where, "%.280s:%u", at->host, at->port);
    if (busy) {
        snprintf(port->why, sizeof port->why, "not looked at while it is in use");
        return;
    }
    char message[200];
    port->there = !rig_port_tcp(&fd, at->host, at->port, CONNECT_MS, message, sizeof message);
    if (port->there)
        close(fd);
    else /* the place is told already */
        snprintf(port->why, sizeof port->why, "%s",
                 message + (strstr(message, port->where) == message ? strlen(port->where) + 2 : 0));
}

static void look_at_port(struct rig_cli_port *port, const struct rig_console_at *at, bool busy)
{
    port->wanted = at->path || at->host;
    if (at->path)
        look_at_file(port, at);
    else if (at->host)
        look_at_server(port, at, busy);
}

static void add_contact(struct rig_cli_board *out, const struct rig_bench *bench,
                        const struct books *books, const char *function, const char *strap,
                        const struct rig_bench_contact *contact)
{
    if (contact->controller < 0)
        return;
    struct rig_cli_contact *to = &out->contact[out->contacts++];
    snprintf(to->name, sizeof to->name, "%s%s", function, strap);
    to->contact = contact;
    to->controller = &bench->controller[contact->controller];
    to->counted = !books->shut;
    if (books->odometer &&
        rig_odometer_read(books->odometer, to->controller->name, contact->channel, &to->cycles))
        to->counted = false;
    to->worn = to->controller->rated_cycles && to->cycles > to->controller->rated_cycles / 2;
}

static void look_at(struct rig_cli_board *out, const struct rig_bench *bench,
                    const struct rig_bench_board *board, const struct books *books)
{
    struct rig_histogram histogram = {0};
    *out = (struct rig_cli_board){.board = board};
    rig_lock_owner(bench, board, out->owner, sizeof out->owner);
    add_contact(out, bench, books, "power", "", &board->power);
    add_contact(out, bench, books, "reset", "", &board->reset);
    for (uint32_t i = 0; i < board->straps; i++)
        add_contact(out, bench, books, "strap ", board->strap[i].name, &board->strap[i].contact);
    look_at_port(&out->console, &board->console, *out->owner);
    look_at_port(&out->line, &board->line, *out->owner);
    if (books->aim && !rig_aim_store_read(books->aim, board->name, &histogram)) {
        out->cuts = histogram.samples;
        out->latency_us = rig_histogram_quantile(&histogram, 500);
    }
}

static int print_json(json_t *boards, const struct rig_bench *bench)
{
    json_t *controllers = json_array();
    for (uint32_t i = 0; i < bench->controllers; i++)
        json_array_append_new(controllers,
                              json_pack("{s:s, s:s}", "name", bench->controller[i].name, "driver",
                                        bench->controller[i].driver->name));
    json_t *all = json_pack("{s:s, s:s, s:s, s:o, s:o}", "bench", bench->name, "file", bench->file,
                            "state", bench->state, "controllers", controllers, "boards", boards);
    int error = all ? json_dumpf(all, stdout, JSON_INDENT(2)) : -1;
    putchar('\n');
    json_decref(all);
    return error ? rig_cli_say("list", RIG_CLI_INFRASTRUCTURE, "the JSON can't be written")
                 : RIG_CLI_OK;
}

static int show(const struct rig_bench *bench, bool json)
{
    struct books books = {0};
    struct rig_cli_board board;
    json_t *boards = json ? json_array() : NULL;
    open_books(&books, bench);
    if (!json)
        printf("%s: %u board%s, %u controller%s (%s)\n", bench->name, bench->boards,
               bench->boards == 1 ? "" : "s", bench->controllers,
               bench->controllers == 1 ? "" : "s", bench->file);
    for (uint32_t i = 0; i < bench->boards; i++) {
        look_at(&board, bench, &bench->board[i], &books);
        if (json)
            json_array_append_new(boards, rig_cli_json_board(&board));
        else
            rig_cli_print_board(&board);
    }
    rig_odometer_close(books.odometer);
    rig_aim_store_close(books.aim);
    return json ? print_json(boards, bench) : RIG_CLI_OK;
}

static int list(const struct rig_cli_args *args, void *ctx)
{
    bool json = *(int *)ctx;
    struct rig_cli_seat seat = {0};
    if (args->words && (!json || strcmp(args->word[0], "-") != 0))
        return rig_cli_say("list", RIG_CLI_USAGE, "'%s' is too much; accepted: options only",
                           args->word[0]);
    int code = rig_cli_open(&seat, "list", args);
    if (!code)
        code = show(seat.bench, json);
    rig_cli_leave(&seat);
    return code;
}

int rig_cli_list(int argc, char **argv)
{
    int json = 0;
    const struct poptOption own[] = {
        {"json", 0, POPT_ARG_NONE, &json, 0, "to standard output; `--json -` is the same", NULL},
        POPT_TABLEEND};
    const struct rig_cli_form form = {
        .name = "list", .words = "", .most = 1, .option = own, .run = list, .ctx = &json};
    return rig_cli_run(&form, argc, argv);
}
