/* What a burn-in works with: the command line as read, the bench, its scenarios, its identity. */
#ifndef RIG_BURNIN_WORK_H
#define RIG_BURNIN_WORK_H

#include "cycle.h"
#include "sum.h"

enum { BI_SETS_MAX = 32, BI_OK = 0, BI_USAGE = 1, BI_INFRASTRUCTURE_EXIT = 8 };

/* As given; NULL or 0: not. Texts are owned, bi_asked_free. */
struct bi_asked {
    char *bench, *for_text, *cycles, *db, *json, *junit, *seed, *devices, *aim, *aimed_cuts;
    int resume, keep_going, quiet;
    char *set[BI_SETS_MAX];
    uint32_t sets;
    char *scenario[BI_SCENARIOS_MAX];
    uint32_t scenarios;
};
/* An exit code; --help ends the process. */
int bi_asked_read(struct bi_asked *out, int argc, char **argv);
void bi_asked_free(struct bi_asked *asked);

struct bi_work {
    struct rig_bench *bench;
    char *wiring;
    struct scn *scn[BI_SCENARIOS_MAX];
    struct rig_aim aim;
    bool aims;
    uint32_t aimed_cuts;
    struct bi_identity identity;
    struct bi_sum sum;
};
/* Everything read and checked; nothing was run or written. An exit code, with the reason said. */
int bi_work_open(struct bi_work *out, const struct bi_asked *asked);
void bi_work_close(struct bi_work *work);
/* Whether a scenario's image is still the one that the burn-in was begun with. */
bool bi_work_image_is_same(const struct bi_work *work, uint32_t scenario, char *message,
                           size_t len);

/* "brickyard rig burnin: ..." on standard error; returns code. */
int bi_say(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
