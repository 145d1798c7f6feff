#include "sweep.h"
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { VERSIONS = 4, IMAGE_BYTES = 208, BOOTS_MAX = 40 };

/* Progress of the story and what the checker counts. A snapshot is a copy of this and of the flash.
 */
struct facts {
    uint32_t goal;               /* the update that is wanted now, index into firmware */
    uint32_t confirms[VERSIONS]; /* boot_confirm was called on it: it may run for good */
    uint32_t trials[VERSIONS];   /* trial boots that began since the request */
    bool rollback_asked;         /* SWEEP_REPEAT: the ordered rollback was called */
    enum boot_reset reset;       /* of the next boot */
};

struct sweep {
    enum sweep_story story;
    struct device device;
    struct firmware firmware[VERSIONS];
    struct facts facts;
    char where[128]; /* the cuts so far: what a failure prints */
    uint64_t cuts, boots;
    struct nor chance; /* only its generator, which picks the second cuts that are run */
};

struct snapshot {
    struct nor nor;
    struct facts facts;
};

static void save(const struct sweep *sweep, struct snapshot *out)
{
    out->nor = sweep->device.nor;
    out->facts = sweep->facts;
}

static void load(struct sweep *sweep, const struct snapshot *in)
{
    sweep->device.nor = in->nor;
    sweep->facts = in->facts;
}

/* A mark never outlives its image: a slot that reads as confirmed holds a whole image that was. */
static void check_proofs(struct sweep *sweep)
{
    struct device *device = &sweep->device;
    for (int slot = 0; slot < BOOT_SLOTS; slot++) {
        struct boot_trailer trailer;
        bool proven = false;
        boot_trailer_read(&device->flash, &device->layout, slot, &trailer);
        for (int i = 0; i < VERSIONS; i++)
            proven |= sweep->facts.confirms[i] && device_holds(device, slot, &sweep->firmware[i]);
        cr_assert(proven || !trailer.confirmed, "slot %d: a mark without its image: %s", slot,
                  sweep->where);
    }
}

/* The checks of every boot, from outside: cells against known images, and the facts. */
static uint32_t check_boot(struct sweep *sweep, const struct boot_outcome *outcome)
{
    struct facts *facts = &sweep->facts;
    cr_assert_neq(outcome->slot, BOOT_SLOT_NONE, "brick: %s", sweep->where);
    uint32_t version = 0;
    while (version < VERSIONS &&
           !device_holds(&sweep->device, outcome->slot, &sweep->firmware[version]))
        version++;
    cr_assert_lt(version, VERSIONS, "slot %d is no whole image: %s", outcome->slot, sweep->where);
    if (outcome->trial) {
        facts->trials[version]++;
        cr_assert_leq(facts->trials[version], sweep->device.env.trial_boots,
                      "version %" PRIu32 " beyond its trial boots: %s", version, sweep->where);
    } else {
        cr_assert(facts->confirms[version], "version %" PRIu32 " runs unconfirmed: %s", version,
                  sweep->where);
    }
    cr_assert_eq(outcome->config_rebuilt, false, "config lost: %s", sweep->where);
    return version;
}

static void expect_ok(const struct sweep *sweep, int error, const char *what)
{
    cr_assert_eq(error, BOOT_OK, "%s: %s: %s", what, boot_error_name(error), sweep->where);
}

static void update(struct sweep *sweep, int running)
{
    struct device *device = &sweep->device;
    sweep->facts.trials[sweep->facts.goal] = 0;
    expect_ok(sweep, device_stage(device, running, &sweep->firmware[sweep->facts.goal]), "stage");
    expect_ok(sweep, boot_request_trial(&device->env, running), "request");
    sweep->facts.reset = BOOT_RESET_SOFTWARE;
}

/* What the trial image's agent does, by story. */
static void act_in_trial(struct sweep *sweep, int running, uint32_t version)
{
    bool last_update = sweep->facts.goal == VERSIONS - 1;
    if (sweep->story == SWEEP_WATCHDOG && !last_update) {
        sweep->facts.reset = BOOT_RESET_WATCHDOG;
    } else if (sweep->story == SWEEP_REFUSE && !last_update) {
        expect_ok(sweep, boot_revert(&sweep->device.env, running), "revert");
        sweep->facts.reset = BOOT_RESET_SOFTWARE;
    } else if (sweep->story != SWEEP_EXHAUST || last_update) {
        sweep->facts.confirms[version]++;
        expect_ok(sweep, boot_confirm(&sweep->device.env, running), "confirm");
        sweep->facts.reset = BOOT_RESET_SOFTWARE;
    }
}

/* True when the goal was reached and the next one, if any, was set. */
static bool goal_reached(struct sweep *sweep, uint32_t version)
{
    struct facts *facts = &sweep->facts;
    if (facts->goal == VERSIONS - 1 || sweep->story == SWEEP_CONFIRM ||
        sweep->story == SWEEP_REPEAT)
        return version == facts->goal;
    return facts->trials[facts->goal] > 0;
}

/* One power session of a confirmed image. True when the story is over. */
static bool act(struct sweep *sweep, int running, uint32_t version)
{
    struct facts *facts = &sweep->facts;
    if (!goal_reached(sweep, version) && !facts->rollback_asked) {
        update(sweep, running);
        return false;
    }
    if (sweep->story != SWEEP_REPEAT || facts->goal == VERSIONS - 1)
        return true;
    if (facts->goal == 1) {
        facts->goal = 2;
        return false;
    }
    /* The ordered rollback from update 2 to update 1. */
    if (version == 1)
        return true;
    facts->rollback_asked = true;
    expect_ok(sweep, boot_revert(&sweep->device.env, running), "rollback");
    facts->reset = BOOT_RESET_SOFTWARE;
    return false;
}

/* One boot and what the booted image does. True when the story is over. */
static bool power_session(struct sweep *sweep)
{
    struct device *device = &sweep->device;
    struct boot_outcome outcome;
    enum boot_reset reset = sweep->facts.reset;
    sweep->facts.reset = BOOT_RESET_POWER_ON;
    device->nor.protect_from = device->nor.protect_to = 0;
    expect_ok(sweep, boot_run(&device->env, reset, &outcome), "boot");
    sweep->boots++;
    check_proofs(sweep);
    uint32_t version = check_boot(sweep, &outcome);
    device->nor.protect_from = device->layout.slot_addr[outcome.slot];
    device->nor.protect_to = boot_layout_trailer(&device->layout, outcome.slot);
    if (!outcome.trial)
        return act(sweep, outcome.slot, version);
    act_in_trial(sweep, outcome.slot, version);
    return false;
}

static void check_discipline(const struct sweep *sweep)
{
    const struct nor *nor = &sweep->device.nor;
    const struct boot_layout *layout = &sweep->device.layout;
    cr_assert_null(nor->violation, "%s: %s", nor->violation, sweep->where);
    static uint8_t blank[NOR_BYTES];
    memset(blank, 0xFF, sizeof blank);
    cr_assert_eq(memcmp(nor->cell, blank, layout->config_addr), 0, "%s", sweep->where);
    cr_assert_eq(memcmp(nor->cell + layout->data_addr, blank, NOR_BYTES - layout->data_addr), 0,
                 "%s", sweep->where);
}

/* Lives until the story is over; a cut starts the next power session, or ends this life if it may.
 */
static void live(struct sweep *sweep, bool stop_at_cut)
{
    jmp_buf power_lost;
    volatile uint32_t boots = 0;
    sweep->device.nor.power_lost = &power_lost;
    if (setjmp(power_lost)) {
        sweep->facts.reset = BOOT_RESET_POWER_ON;
        if (stop_at_cut)
            return;
    }
    do {
        boots = boots + 1;
        cr_assert_lt(boots, BOOTS_MAX, "no end: %s", sweep->where);
    } while (!power_session(sweep));
    check_discipline(sweep);
}

/* After everything a further good update succeeds. */
static void live_on(struct sweep *sweep)
{
    sweep->facts.goal = VERSIONS - 1;
    sweep->facts.rollback_asked = false;
    live(sweep, false);
}

static void begin(struct sweep *sweep, enum sweep_story story, bool openssl)
{
    memset(sweep, 0, sizeof *sweep);
    sweep->story = story;
    device_init(&sweep->device, 0x5EED + (uint64_t)story);
    if (openssl)
        device_use_openssl(&sweep->device);
    for (int i = 0; i < VERSIONS; i++) {
        char version[] = "1.0.0";
        version[2] = (char)('0' + i);
        firmware_make(&sweep->firmware[i], &sweep->device, version, (uint32_t)i, IMAGE_BYTES, 0);
    }
    device_install(&sweep->device, BOOT_SLOT_A, &sweep->firmware[0], 1);
    device_config(&sweep->device, BOOT_SLOT_A, 0);
    sweep->facts = (struct facts){.goal = 1, .confirms = {1}};
}

/* Sets the story back to a snapshot, with one cut ahead. */
static void aim(struct sweep *sweep, const struct snapshot *from, uint64_t op, enum nor_form form)
{
    static const char *const name[NOR_FORMS] = {"nothing", "prefix",   "suffix",
                                                "random",  "unstable", "after"};
    struct nor *nor = &sweep->device.nor;
    size_t len = strlen(sweep->where);
    snprintf(sweep->where + len, sizeof sweep->where - len, "; cut at op %" PRIu64 ", %s", op,
             name[form]);
    load(sweep, from);
    nor->ops = 0;
    nor->cut_at = op;
    nor->form = form;
    nor->random += op * NOR_FORMS + (uint64_t)form;
    sweep->cuts++;
}

/* NOR_AFTER is NOR_NOTHING of the next operation, so only the last operation needs it. */
static bool is_repeated(uint64_t op, uint64_t ops, int form)
{
    return form == NOR_AFTER && op + 1 < ops;
}

/* Lives to the end from the snapshot without a cut, then on. Returns the operations up to the end.
 */
static uint64_t live_clean(struct sweep *sweep, const struct snapshot *from)
{
    load(sweep, from);
    sweep->device.nor.ops = 0;
    live(sweep, false);
    uint64_t ops = sweep->device.nor.ops;
    live_on(sweep);
    return ops;
}

static void second_cuts(struct sweep *sweep, const struct snapshot *after, uint64_t ops,
                        uint32_t stride)
{
    size_t len = strlen(sweep->where);
    for (uint64_t op = 0; op < ops; op++) {
        for (int form = 0; form < NOR_FORMS; form++) {
            if (is_repeated(op, ops, form) || nor_random(&sweep->chance) % stride)
                continue;
            aim(sweep, after, op, (enum nor_form)form);
            live(sweep, false);
            /* Unstable reads may have made this life shorter than the one that was counted. */
            sweep->device.nor.cut_at = UINT64_MAX;
            live_on(sweep);
            sweep->where[len] = 0;
        }
    }
}

void sweep_run(enum sweep_story story, int depth, bool openssl, uint32_t stride)
{
    static struct sweep sweep;
    static struct snapshot start, after;
    begin(&sweep, story, openssl);
    save(&sweep, &start);
    uint64_t ops = live_clean(&sweep, &start);
    for (uint64_t op = 0; op < ops; op++) {
        for (int form = 0; form < NOR_FORMS; form++) {
            if (is_repeated(op, ops, form))
                continue;
            aim(&sweep, &start, op, (enum nor_form)form);
            live(&sweep, true);
            save(&sweep, &after);
            uint64_t ops_after = live_clean(&sweep, &after);
            if (depth == 2)
                second_cuts(&sweep, &after, ops_after, stride);
            sweep.where[0] = 0;
        }
    }
    printf("story %d: %" PRIu64 " operations, %" PRIu64 " cuts, %" PRIu64 " boots\n", (int)story,
           ops, sweep.cuts, sweep.boots);
    fflush(stdout);
    device_free(&sweep.device);
}
