/* What `brickyard rig list` finds out about a board; shown as text and as JSON. */
#ifndef RIG_CLI_LIST_H
#define RIG_CLI_LIST_H

#include "cli_internal.h"
#include <jansson.h>

enum { RIG_CLI_CONTACTS_MAX = 2 + RIG_BENCH_STRAPS_MAX };

struct rig_cli_contact {
    const struct rig_bench_contact *contact;
    const struct rig_bench_controller *controller;
    bool counted; /* else its cycles are not known: the odometer can't be read */
    uint64_t cycles;
    bool worn;     /* over half of what it is rated for */
    char name[80]; /* "power", "reset", "strap recovery" */
};

struct rig_cli_port {
    bool wanted, there;
    char where[300], why[200]; /* why: it is not there, or was not looked at */
};

struct rig_cli_board {
    const struct rig_bench_board *board;
    struct rig_cli_contact contact[RIG_CLI_CONTACTS_MAX];
    uint32_t contacts;
    struct rig_cli_port console, line;
    char owner[300];    /* "": nobody */
    uint64_t cuts;      /* measured */
    int64_t latency_us; /* their median */
};

void rig_cli_print_board(const struct rig_cli_board *board);
json_t *rig_cli_json_board(const struct rig_cli_board *board);

#endif
