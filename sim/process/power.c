/* Power: SIGKILL, what it leaves in the file, the start after it; and ends that nobody ordered. */
#include "process_internal.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* Ends by itself in a row, without a word to the broker between them, which the oracle calls a boot
 * loop; and boots that found no slot. */
enum { SUDDEN_ENDS_MAX = 5, DEAD_BOOTS_MAX = 3, NO_BOOT_CODE = 3 };
static const int64_t RESTART_US = 1000000, DEFAULT_OFF_US = 30000000;

/* The unit that is in progress now, where the part would take as long as it was given. */
static uint32_t unit_now(const struct pw_device *dev)
{
    const struct pw_op *op = &dev->op;
    int64_t passed = pw_now_us(dev->pw) - op->seen_us;
    if (op->resumed || op->takes_us <= 0 || passed >= op->takes_us)
        return op->call.units - 1;
    return (uint32_t)(passed * op->call.units / op->takes_us);
}

/* The operation in progress, if there is one, is torn. */
static bool tear(struct pw_device *dev, enum scn_torn form, const struct sim_flash_cut *wanted)
{
    struct sim_flash_cut cut = {.unit = 0, .form = form};
    struct sim_rng reading;
    if (!dev->op.open)
        return false;
    if (wanted)
        cut = *wanted;
    else
        cut.unit = unit_now(dev);
    sim_rng_init(&reading, dev->pw->scn->seed, dev->number, SIM_RNG_UNSTABLE, dev->seen.cuts);
    dev->op.open = false;
    if (sim_processes_tear(&dev->flash, dev->flash_fd, &dev->op.call, &cut, &reading))
        snprintf(dev->pw->lost, sizeof dev->pw->lost, "%s/flash can't be written", dev->folder);
    uint32_t row = dev->booting ? SIM_CUT_BOOT : (uint32_t)dev->state;
    dev->pw->fleet.shard->cuts[row][pw_region(dev, dev->op.call.addr)][cut.form]++;
    dev->pw->counts.forms[cut.form]++;
    pw_note(dev, "%s at 0x%06x, unit %u, left %s (%s)",
            dev->op.call.kind == SIM_FLASH_ERASE ? "erase" : "program", dev->op.call.addr, cut.unit,
            scn_torn_name((int)cut.form), scn_region_name((int)pw_region(dev, dev->op.call.addr)));
    return true;
}

static void count(struct pw_device *dev, const struct sim_fault *fault, bool aimed)
{
    struct pw_counts *counts = &dev->pw->counts;
    if (aimed)
        counts->kills_at_operation++;
    else if (dev->pw->scn->fault[fault->fault].has_at)
        counts->kills_at_random++;
    else
        counts->kills_at_state++;
}

void pw_cut(struct pw_device *dev, struct sim_fault *fault, const struct sim_flash_cut *cut)
{
    int64_t off_us = fault->for_us > 0 ? fault->for_us : DEFAULT_OFF_US;
    dev->doom = NULL;
    pw_kill(dev);
    if (!cut)
        pw_catch_up(dev);
    if (!tear(dev, fault->form, cut)) {
        uint32_t row = dev->booting ? SIM_CUT_BOOT : (uint32_t)dev->state;
        dev->pw->fleet.shard->cuts[row][SIM_CUT_NO_OP][SCN_TORN_NOTHING]++;
        pw_note(dev, "cut between flash operations");
    }
    pw_compare(dev);
    count(dev, fault, cut != NULL);
    dev->seen.cuts++;
    dev->connected = false;
    dev->lost_us = pw_now_us(dev->pw);
    pw_fired(dev, fault);
    pw_preempt(dev);
    pw_after(dev, PW_TIMER_RESUME, SIM_NEVER);
    pw_after(dev, PW_TIMER_POWER, pw_now_us(dev->pw) + off_us);
}

void pw_power_on(struct pw_device *dev)
{
    struct sim_processes *pw = dev->pw;
    pw_after(dev, PW_TIMER_POWER, SIM_NEVER);
    if (dev->power != PW_OFF || pw->ended)
        return;
    pw->counts.power_ons += dev->spawned;
    pw_note(dev, "started");
    if (pw_spawn(dev, pw->lost, sizeof pw->lost))
        return;
    pw_reboots(dev);
    pw_arm(dev);
}

static void describe(const struct pw_device *dev, int status, char out[REP_TEXT_MAX])
{
    char how[64];
    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(how, sizeof how, "with exit code %d", WEXITSTATUS(status));
    /* What a sanitizer says first, else what was said last. */
    enum { ROOM = 140 };
    const char *said = dev->alarm[0] ? dev->alarm : dev->said[0] ? dev->said : "nothing";
    size_t len = strlen(said), from = !dev->alarm[0] && len > ROOM ? len - ROOM : 0;
    snprintf(out, REP_TEXT_MAX, "ota-agent ended by itself, %.60s; it said: %s%.*s", how,
             from ? "..." : "", ROOM, said + from);
}

static void no_boot(struct pw_device *dev)
{
    if (++dev->seen.dead_boots >= DEAD_BOOTS_MAX)
        pw_die(dev, REP_BRICK_NO_BOOT,
               pw_boots_again(dev) ? "the bootloader refuses a flash that holds a good slot"
                                   : "no slot verifies");
}

void pw_ended_by_itself(struct pw_device *dev, int status)
{
    struct sim_processes *pw = dev->pw;
    char what[REP_TEXT_MAX];
    bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    pw_catch_up(dev);
    if (dev->op.open)
        pw_take_file(dev);
    pw_compare(dev);
    dev->connected = false;
    dev->lost_us = pw_now_us(pw);
    dev->doom = NULL;
    pw_after(dev, PW_TIMER_RESUME, SIM_NEVER);
    if (pw->ended && (clean || (dev->booting && WIFSIGNALED(status))))
        return;
    pw->counts.sudden_ends++;
    describe(dev, status, what);
    pw_note(dev, "%s", what);
    if (!pw->started &&
        !dev->known) { /* nothing was done to it yet: it is not the device's fault */
        snprintf(pw->lost, sizeof pw->lost, "%s: before the campaign began, %s", dev->unit->id,
                 what);
        return;
    }
    pw_preempt(dev);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_BOOT_CODE)
        no_boot(dev);
    else
        pw_break(dev, REP_PROMISE_NO_BRICK, "%s", what);
    dev->seen.crashes_after_confirm += dev->seen.confirmed_us >= 0;
    if (dev->power != PW_DEAD && ++dev->seen.sudden_ends >= SUDDEN_ENDS_MAX)
        pw_die(dev, REP_BRICK_BOOT_LOOP, "it ends by itself after every start");
    if (dev->power != PW_DEAD && !pw->ended)
        pw_after(dev, PW_TIMER_POWER, pw_now_us(pw) + pw_own_us(pw, RESTART_US));
}
