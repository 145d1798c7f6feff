/*
 * The fault engine: turns the scenario's faults into instances on devices, and says when each
 * strikes. It touches nothing itself: the device model asks at its hook points (a flash call, a
 * state entered or left, an HTTP request, a boot, a moment in time) and carries out the answer, so
 * that a fault changes only flash operations, messages, time and declared firmware behaviour.
 *
 * An instance is scheduled (on a device), armed (its device got so far, and no other fault took the
 * moment away) and fired (the device model saw the effect and said so by sim_fault_fired).
 * Selection and details are pure functions of (seed, fault, device). The instances of one device
 * are used by one thread at a time; no locks.
 */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "sim/flash.h"
#include "sim/net.h"
#include "sim/roster.h"

/* A cell of the cut table: where in a device's life a flash operation happens. */
struct sim_fault_cell {
    enum scn_during during;
    enum scn_region region;
    enum sim_flash_op_kind op;
    uint32_t span; /* operations among which one is drawn; 0: the image's pages or sectors */
};
/* Every cell that a sound update or rollback visits (sim/faults/README.md); *count gets their
 * number. */
const struct sim_fault_cell *sim_fault_cells(uint32_t *count);
/* Where this address is while that slot runs (-1: the bootloader does; both are staging then). */
enum scn_region sim_fault_region(const struct boot_layout *layout, int running_slot, uint32_t addr);

struct sim_fault {
    uint32_t fault; /* place in the scenario */
    enum scn_fault_kind kind;
    bool armed;             /* now waiting for its moment */
    uint32_t left;          /* how often it still strikes */
    enum scn_during during; /* drawn from the cells for `any` */
    bool pinned;            /* region and op below were drawn from a cell */
    enum scn_region region;
    enum sim_flash_op_kind op;
    bool op_given; /* flash_write, flash_erase: op counts */
    uint32_t span; /* as in the cell */
    uint32_t skip; /* matching units to let pass before it strikes */
    enum scn_torn form;
    enum scn_how how; /* never ANY */
    int64_t at_us;    /* absolute; SIM_NEVER when it waits for a state */
    int64_t for_us;   /* outage, or time without power; SIM_NEVER: to the end of the run */
    bool taken;       /* a message on its way carries it */
    int64_t until_us; /* of one that lasts and was begun: its end; 0: not begun */
    uint32_t draw[2]; /* details: offsets of flipped bits and so on */
    uint32_t armed_count, fired_count, rounds;
};

struct sim_faults {
    const struct scn *scn;
    uint32_t devices;
    uint32_t *first; /* devices + 1 entries: fault[first[d] .. first[d + 1]) */
    struct sim_fault *fault;
    uint32_t
        image_units[2]; /* pages and sectors of the candidate image, by enum sim_flash_op_kind */
};

/* The faults of one device. */
struct sim_fault_set {
    const struct sim_faults *all;
    struct sim_fault *fault;
    uint32_t count, device;
};

/* image_bytes: of the candidate. 0 or -1 (no memory). */
int sim_faults_build(struct sim_faults *out, const struct sim_roster *roster, uint32_t image_bytes);
void sim_faults_free(struct sim_faults *faults);
struct sim_fault_set sim_faults_of(const struct sim_faults *faults, uint32_t device);

/* Its moment comes for certain, unless something else ends the state or the download before; then
 * it is disarmed, counts as not armed, and waits again. */
void sim_fault_arm(struct sim_fault *fault);
void sim_fault_disarm(struct sim_fault *fault);
/* Out of a list of faults that wait for their effect: the one that is named, which is not in it any
 * more; NULL: it was not in it. The order of the others may change. */
struct sim_fault *sim_fault_take(struct sim_fault **list, uint32_t *count,
                                 const struct sim_fault *which);
/* The device was cut or reset: whatever was armed on it is disarmed. */
void sim_fault_preempt(struct sim_fault_set *set);

/* A state was entered: instances that wait for it are armed. Returns an instance that acts at once
 * or after a time (flash damage, network drop; kind tells), NULL when none; call until NULL. */
struct sim_fault *sim_fault_enter(struct sim_fault_set *set, enum scn_during state);
/* A state is left while a power cut that was to strike in it is still armed: it strikes here. */
struct sim_fault *sim_fault_leave(struct sim_fault_set *set, enum scn_during state);
/* A device whose flash calls nobody sees entered a state: the power cut that waits for it, armed,
 * whatever region or operation it was to hit; NULL: none. It strikes at a moment of the caller's.
 */
struct sim_fault *sim_fault_moment(struct sim_fault_set *set, enum scn_during state);
/* A flash call begins. The instance that cuts it, with *cut filled, or NULL. */
struct sim_fault *sim_fault_flash(struct sim_fault_set *set, enum scn_during state,
                                  enum scn_region region, const struct sim_flash_call *call,
                                  struct sim_flash_cut *cut);
/* A download of the candidate is requested; a transfer of any file begins; a trial boots. The
 * instance that spoils it, or drops the network in it, or NULL; not armed yet. */
struct sim_fault *sim_fault_http(struct sim_fault_set *set);
struct sim_fault *sim_fault_transfer(struct sim_fault_set *set);
struct sim_fault *sim_fault_boot(struct sim_fault_set *set);
/* A message of the service to the device, at this time: the instance that spoils it, or NULL. */
struct sim_fault *sim_fault_message(struct sim_fault_set *set, int64_t now_us);
/* The earliest instance with a time of its own, not struck yet; NULL when none. */
struct sim_fault *sim_fault_next_timed(struct sim_fault_set *set);

/* The effect was seen: counts, and draws anew when it strikes more often. */
void sim_fault_fired(struct sim_fault_set *set, struct sim_fault *fault);

/* Sums over all devices for one fault of the scenario. */
void sim_faults_count(const struct sim_faults *faults, uint32_t fault, uint64_t *scheduled,
                      uint64_t *armed, uint64_t *fired);

#endif
