/* When an instance strikes. */
#include "faults_internal.h"
#include "sim/queue.h"

void sim_fault_arm(struct sim_fault *fault)
{
    if (fault->armed)
        return;
    fault->armed = true;
    fault->armed_count++;
}

void sim_fault_disarm(struct sim_fault *fault)
{
    if (!fault->armed)
        return;
    fault->armed = false;
    fault->armed_count--;
}

struct sim_fault *sim_fault_take(struct sim_fault **list, uint32_t *count,
                                 const struct sim_fault *which)
{
    for (uint32_t i = 0; i < *count; i++) {
        struct sim_fault *fault = list[i];
        if (fault != which)
            continue;
        list[i] = list[--*count];
        return fault;
    }
    return NULL;
}

void sim_fault_preempt(struct sim_fault_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        struct sim_fault *fault = &set->fault[i];
        if (!fault->armed)
            continue;
        sim_fault_disarm(fault);
        fault->at_us = SIM_NEVER; /* only what waits for a state is armed beforehand */
    }
}

static bool waits_for(const struct sim_fault *fault, enum scn_during state)
{
    return fault->left > 0 && fault->at_us == SIM_NEVER && fault->during == state;
}

struct sim_fault *sim_fault_enter(struct sim_fault_set *set, enum scn_during state)
{
    for (uint32_t i = 0; i < set->count; i++) {
        struct sim_fault *fault = &set->fault[i];
        if (!waits_for(fault, state) || fault->armed)
            continue;
        if (fault->kind == SCN_FAULT_POWER_LOSS) {
            /* In Idle nothing need ever be written, and a download may end before its first byte:
             * there the operation itself arms it (in Idle the very one that is cut: no further one
             * need follow). */
            if (state != SCN_DURING_IDLE && fault->span != 0)
                sim_fault_arm(fault);
        } else if (fault->kind == SCN_FAULT_FLASH_DAMAGE ||
                   (fault->kind == SCN_FAULT_NETWORK_DROP && state != SCN_DURING_DOWNLOADING)) {
            sim_fault_arm(fault);
            return fault;
        }
    }
    return NULL;
}

struct sim_fault *sim_fault_leave(struct sim_fault_set *set, enum scn_during state)
{
    for (uint32_t i = 0; i < set->count; i++) {
        struct sim_fault *fault = &set->fault[i];
        if (fault->kind != SCN_FAULT_POWER_LOSS || !fault->armed || fault->during != state)
            continue;
        /* A download that is interrupted is resumed: what was to strike in it waits for that. */
        if (state != SCN_DURING_DOWNLOADING || fault->span != 0)
            return fault;
        sim_fault_disarm(fault);
    }
    return NULL;
}

struct sim_fault *sim_fault_moment(struct sim_fault_set *set, enum scn_during state)
{
    for (uint32_t i = 0; i < set->count; i++) {
        struct sim_fault *fault = &set->fault[i];
        if (fault->kind != SCN_FAULT_POWER_LOSS || !waits_for(fault, state))
            continue;
        sim_fault_arm(fault);
        return fault;
    }
    return NULL;
}

static bool hits(const struct sim_fault *fault, enum scn_region region,
                 const struct sim_flash_call *call)
{
    return (!fault->pinned || fault->region == region) &&
           (!fault->op_given || fault->op == call->kind);
}

struct sim_fault *sim_fault_flash(struct sim_fault_set *set, enum scn_during state,
                                  enum scn_region region, const struct sim_flash_call *call,
                                  struct sim_flash_cut *cut)
{
    for (uint32_t i = 0; i < set->count; i++) {
        struct sim_fault *fault = &set->fault[i];
        if (fault->kind != SCN_FAULT_POWER_LOSS || !waits_for(fault, state) ||
            !hits(fault, region, call))
            continue;
        bool now = fault->skip < call->units;
        if (now || state != SCN_DURING_IDLE)
            sim_fault_arm(fault);
        if (!now) {
            fault->skip -= call->units;
            continue;
        }
        *cut = (struct sim_flash_cut){.unit = fault->skip, .form = fault->form};
        return fault;
    }
    return NULL;
}

static struct sim_fault *first_of(struct sim_fault_set *set, enum scn_fault_kind kind)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->fault[i].kind == kind && set->fault[i].left > 0)
            return &set->fault[i];
    return NULL;
}

struct sim_fault *sim_fault_http(struct sim_fault_set *set)
{
    return first_of(set, SCN_FAULT_CORRUPT_DOWNLOAD);
}

struct sim_fault *sim_fault_transfer(struct sim_fault_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->fault[i].kind == SCN_FAULT_NETWORK_DROP &&
            waits_for(&set->fault[i], SCN_DURING_DOWNLOADING))
            return &set->fault[i];
    return NULL;
}

struct sim_fault *sim_fault_boot(struct sim_fault_set *set)
{
    return first_of(set, SCN_FAULT_BOOT_FAILURE);
}

struct sim_fault *sim_fault_message(struct sim_fault_set *set, int64_t now_us)
{
    const struct scn *scn = set->all->scn;
    for (uint32_t i = 0; i < set->count; i++) {
        struct sim_fault *fault = &set->fault[i];
        if (fault->kind == SCN_FAULT_MESSAGE && fault->left > 0 && !fault->taken &&
            now_us >= scn->start_us + scn->fault[fault->fault].at_us)
            return fault;
    }
    return NULL;
}

struct sim_fault *sim_fault_next_timed(struct sim_fault_set *set)
{
    struct sim_fault *first = NULL;
    for (uint32_t i = 0; i < set->count; i++) {
        struct sim_fault *fault = &set->fault[i];
        if (fault->left > 0 && fault->at_us != SIM_NEVER && (!first || fault->at_us < first->at_us))
            first = fault;
    }
    return first;
}

void sim_fault_fired(struct sim_fault_set *set, struct sim_fault *fault)
{
    sim_fault_arm(fault);
    fault->armed = fault->taken = false;
    fault->fired_count++;
    fault->left--;
    /* One with a time of its own strikes again a minute after it was over; others wait for their
     * state. */
    if (set->all->scn->fault[fault->fault].has_at && fault->left > 0 && fault->at_us != SIM_NEVER)
        fault->at_us += fault->for_us + 60000000;
    else
        fault->at_us = SIM_NEVER;
    if (fault->left > 0)
        sim_fault_draw(fault, set->all->scn, fault->fault, set->device, set->all->image_units);
}
