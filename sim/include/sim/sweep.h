/*
 * The sweep: an update, cut at every flash operation in every form, from copy-on-write snapshots,
 * with states that were seen before visited once. sim/sweep/README.md tells how it searches and
 * what it proves; sim/dut.h is the device that it runs.
 *
 * A result is a pure function of (scenario, device, options but jobs): the number of threads
 * changes neither a count nor a token.
 */
#ifndef SIM_SWEEP_H
#define SIM_SWEEP_H

#include "scn/scenario.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* How a power session is ended, or the flash damaged, by the sweep. The first seven are the torn
 * forms of enum scn_torn with the same names. */
enum sim_sweep_form {
    SIM_SWEEP_BEFORE,    /* power gone before the operation */
    SIM_SWEEP_NOTHING,   /* in it, without effect on the cells */
    SIM_SWEEP_PREFIX,    /* its first part is done */
    SIM_SWEEP_SUFFIX,    /* its last part is done */
    SIM_SWEEP_RANDOM,    /* random bits of it are done: sampled */
    SIM_SWEEP_UNSTABLE,  /* its bits read as before, as done, or in turns */
    SIM_SWEEP_AFTER,     /* power gone after it */
    SIM_SWEEP_PIN,       /* reset button before the operation */
    SIM_SWEEP_WATCHDOG,  /* watchdog reset before the operation */
    SIM_SWEEP_BROWN_OUT, /* this operation and some after it fail or tear, then the power goes */
    SIM_SWEEP_ROT,       /* while off: one bit flips */
    SIM_SWEEP_STUCK,     /* while off: a sector comes to ignore erase and program */
    SIM_SWEEP_WORN,      /* while off: a sector comes to refuse erase and program */
    SIM_SWEEP_FORMS
};
/* "before", "prefix", "reset_pin", ...; never NULL. */
const char *sim_sweep_form_name(int form);
/* Bit mask from "prefix,unstable"; false with the unknown word in *bad (bad_len bytes of text). */
bool sim_sweep_forms_parse(uint32_t *mask, const char *text, const char **bad, size_t *bad_len);

struct sim_stand;

struct sim_sweep_progress {
    const char *story;           /* what is being swept now */
    uint32_t layer;              /* cuts in the histories that are run now */
    uint64_t cuts, states, todo; /* todo: states of this layer that wait */
    double wall_s;
    uint64_t broken;
};

struct sim_sweep_options {
    const struct scn *scn;
    const char *dut_path; /* plugin, NULL: Brickyard's own bootloader and agent */
    uint32_t cuts;        /* cuts in one history, 1 or more */
    bool any;             /* any number of cuts, to the fixpoint; cuts is ignored */
    const char *stories;  /* names with commas between, NULL: all that the device can be told */
    uint32_t forms;       /* mask of 1 << enum sim_sweep_form; 0: all that apply */
    uint32_t jobs;
    /* Of sim_sweep_replay alone: where the device runs (sim/stand.h), which has to be the one that
     * dut_path names; NULL: in this process. */
    const struct sim_stand *stand;
    void (*progress)(void *ctx, const struct sim_sweep_progress *progress); /* may be NULL */
    void *ctx;
};

enum { SIM_SWEEP_BROKEN_MAX = 64, SIM_SWEEP_TOKEN_MAX = 1024 };

/* One kind of failure: the same promise broken in the same way, however often. */
struct sim_sweep_broken {
    const char *promise;             /* names of reports/: "no_brick", ... */
    char what[128];                  /* "no image boots", "1.10.0 runs beyond its trial boots" */
    char token[SIM_SWEEP_TOKEN_MAX]; /* of the history with the fewest cuts, the first in order */
    uint32_t cuts;                   /* in that history, 0 or more */
    uint64_t states;                 /* that fail so */
};

struct sim_sweep_result {
    char scenario[SCN_NAME_MAX], device[64];
    uint32_t image_bytes;
    uint32_t depth;      /* cuts in one history at most, 0: any number */
    uint64_t operations; /* flash operations (pages, sectors) of the clean runs */
    uint64_t histories;  /* runs from a cut to the end, or to a state that was seen before */
    uint64_t cuts;       /* executed, and the boot after it ran */
    /* Cuts that led to a state to which another cut leads, or no cut: in the last layer after their
     * boot (they are among `cuts`), in those before it, and with any number of cuts, right away
     * (they are not: they were not booted). */
    uint64_t merged;
    uint64_t states; /* different ones, just after the bootloader */
    uint64_t boots;
    bool fixpoint;  /* no new state is left for any number of cuts (of the finite forms) */
    uint32_t forms; /* mask of those that were asked for; of all that apply where none was */
    uint64_t form[SIM_SWEEP_FORMS]; /* cuts by form */
    uint64_t sampled_pairs;         /* ways to a state that were run on and compared with it */
    uint64_t unequal_pairs; /* of them: the canonical form is unsound, the run is not valid */
    uint64_t unfired;       /* planned cuts that did not fire: an error of the sweep */
    uint32_t unrepeated;    /* kinds of broken promises that their token did not break again */
    uint64_t sha256_bytes, ecdsa_verifies; /* really done */
    uint64_t memory_peak_bytes;
    double wall_s, cuts_per_s;
    uint32_t brokens;
    bool more_broken; /* than SIM_SWEEP_BROKEN_MAX kinds */
    struct sim_sweep_broken broken[SIM_SWEEP_BROKEN_MAX];
    int exit_code; /* CONTRACT.md: 0, 3, 4, 8 */
};

/* 0, or -1 with the reason in message: nothing was run (a plugin that does not load, a geometry
 * that the device refuses). */
int sim_sweep_run(const struct sim_sweep_options *options, struct sim_sweep_result *out,
                  char *message, size_t len);

/* The forms of a result. The summary has the verdict in its first line, and of each broken promise
 * the command that replays it; json has the keys of CONTRACT.md and more; junit has a case for each
 * promise, and one for the sweep itself. 0, or negative (rep/db.h) without memory or when writing
 * failed. */
void sim_sweep_print(FILE *out, const struct sim_sweep_result *result);
int sim_sweep_json(FILE *out, const struct sim_sweep_result *result);
int sim_sweep_junit(FILE *out, const struct sim_sweep_result *result);

/*
 * A token of a sweep, "sw1,...": the scenario with the hash of its content, the device, and the
 * history. sim_sweep_is_token looks at the first bytes only.
 */
struct sim_sweep_token {
    char hash[40];      /* of the scenario's content */
    char scenario[512]; /* path */
    char dut[256];      /* path of the plugin; "" : Brickyard's own */
    char history[512];  /* story, cuts and choices, opaque here */
};
bool sim_sweep_is_token(const char *text);
/* False when the text is no token of a sweep, or a part is unknown, missing, there twice or too
 * long.
 */
bool sim_sweep_token_read(struct sim_sweep_token *out, const char *text);
/* What does not fit len (very long paths) is "", never a part of a token. */
void sim_sweep_token_write(char *out, size_t len, const struct sim_sweep_token *token);

/* Runs that one history and tells it, step by step, with a map of the flash at each boot. Returns
 * the exit code (0: nothing was broken, 3, 4, 6; 8: the stand failed), or -1 with a message. */
int sim_sweep_replay(const struct sim_sweep_options *options, const struct sim_sweep_token *token,
                     FILE *out, char *message, size_t len);

#endif
