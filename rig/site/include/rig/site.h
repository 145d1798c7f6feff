/*
 * The ground (sim/ground.h) of boards on a bench, reached only from outside: power by a relay,
 * console, OTA line, and the broker. Real boards, or those of brickyard-emulator: it can't tell.
 * It is sim/stepped with free bodies (sim/body.h).
 *
 * The i-th device of the scenario gets the first board of the bench that fits it (device type,
 * hardware revision) and is not taken. Each board's lock is held, its factory flash is written by
 * the bench's flashing command before the start, and all are switched off at the end. What can't be
 * told from a relay, a console or a host that fails is an infrastructure error: the run ends with
 * exit code 8 and says what was wrong, and no device is blamed.
 *
 * One thread, beside those of the controllers. NULL is misuse unless a line allows it.
 */
#ifndef RIG_SITE_H
#define RIG_SITE_H

#include "rig/aim.h"
#include "rig/benchfile.h"
#include "sim/ground.h"

struct rig_site;

struct rig_site_config { /* borrowed until free */
    const struct scn *scn;
    const struct rig_bench *bench;
    const char *what_for;      /* for the locks: "brickyard run" */
    const char *folder;        /* transcripts; made. NULL: STATE/runs/TIME-PID */
    const struct rig_aim *aim; /* cuts of the rig's own, beside the scenario's; NULL: none */
    uint32_t aimed_cuts;       /* of each board */
    uint32_t listen_ms;        /* so long a board may say nothing of its boot; 0: 30 s */
};

/* 0 or -1 (no memory). */
int rig_site_create(struct rig_site **out, const struct rig_site_config *config);
void rig_site_free(struct rig_site *site); /* NULL allowed */
const struct sim_ground *rig_site_ground(struct rig_site *site);

/* What of a scenario no board on a bench can be made to do. 0, or -1 with where, what, and what is
 * accepted. */
int rig_site_refuse(const struct scn *scn, char *message, size_t len);

/* What of a built world this bench can't do: a device without a board that fits, a board without
 * what a campaign needs. Nothing is opened or locked. 0, or -1 as above. */
int rig_site_refuse_bench(const struct rig_bench *bench, const struct sim_world *world,
                          char *message, size_t len);

enum rig_site_reset {
    RIG_SITE_WATCHDOG,
    RIG_SITE_SOFTWARE,
    RIG_SITE_HARD_FAULT,
    RIG_SITE_PIN,
    RIG_SITE_RESETS
};

/* Of the run, also after the ground was closed. */
struct rig_site_facts {
    uint64_t offs, ons, resets[RIG_SITE_RESETS], lines;
    struct rig_precision precision; /* of the rig's own cuts */
    struct rig_precision recorded;  /* of those of emulated boards, by the emulator's record */
    struct rig_histogram boot;      /* from "power is on" to the firmware's first line */
    struct rig_histogram send;      /* from asking for "off" at once to the command's first byte */
    struct rig_histogram aim_send;  /* own cuts: that byte, after when it was to be sent */
    struct rig_histogram latency; /* from that byte to the last word, of boards that talked without
                                     a pause; kept for later aims too */
    bool interrupted; /* SIGINT or SIGTERM came, also where the run came to its end all the same */
};
void rig_site_facts(const struct rig_site *site, struct rig_site_facts *out);

/* Of one board, by the number of its device. Only while the ground is open: false else. */
struct rig_site_board {
    const char *name; /* the bench's; lives as long as the bench */
    uint64_t resets[RIG_SITE_RESETS];
    struct rig_histogram boot;
};
bool rig_site_board(const struct rig_site *site, uint32_t device, struct rig_site_board *out);

#endif
