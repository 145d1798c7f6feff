/*
 * A line of the control socket as an order. Words are parted by one blank or more; any bytes may
 * come. README.md lists the orders.
 */
#ifndef EM_ORDER_H
#define EM_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum em_verb {
    EM_UNPLUG, /* relay [dead] */
    EM_PLUG,   /* relay */
    EM_SILENT, /* relay */
    EM_STICK,  /* relay channel */
    EM_WELD,   /* relay channel */
    EM_BOUNCE, /* relay channel number */
    EM_HEAL,
    EM_KILL,  /* board */
    EM_FLOOD, /* board number */
    EM_RESET, /* board */
    EM_STRAP, /* board number (0 to 7) low|high */
    EM_FACTS, /* [board] */
    EM_VERBS
};

struct em_order {
    enum em_verb verb;
    uint32_t relay, board; /* from 1; 0: none was named */
    uint32_t channel;      /* from 1 */
    uint64_t number;
    bool flag; /* dead; high */
};

/* NULL, or what is wrong with it: a text of this file, nothing of the line in it. */
const char *em_order_parse(struct em_order *order, const char *line, size_t len);

#endif
