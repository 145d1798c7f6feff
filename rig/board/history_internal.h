/* The inside of a history, for its writer and its reader. */
#ifndef RIG_HISTORY_INTERNAL_H
#define RIG_HISTORY_INTERNAL_H

#include "rig/history.h"
#include "sim/flash.h"

enum { HISTORY_SECTOR = 4096, HISTORY_PAGE = 256 };

static const char rig_history_title[] = "brickyard-flash-history 1";

struct rig_history {
    FILE *to;
    struct sim_flash_base base; /* all FF */
    struct sim_flash flash;
    int64_t now_us; /* stands still: no operation takes time here */
};

/* That sector holds this. 1: it did not before; -1: it could not be written down. */
int rig_history_sector(struct rig_history *history, uint32_t addr, const uint8_t *bytes);
bool rig_history_tears(const struct rig_op *op, const struct rig_tear *tear);

#endif
