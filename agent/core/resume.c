#include "core.h"

/*
 * Where a boot finds the agent. The boot config and the running image are the truth; the journal
 * says what they are the outcome of. agent/DESIGN.md has the table.
 */

bool agent_runs_update(const struct agent *agent)
{
    const struct agent_journal *journal = &agent->journal;
    return journal->has_update && agent->running_known &&
           agent_text_equal(journal->update.manifest.version, agent->running_version);
}

static enum agent_reason reason_of(enum boot_cause cause)
{
    switch (cause) {
    case BOOT_CAUSE_TRIALS_USED:
        return AGENT_WHY_TRIALS_USED;
    case BOOT_CAUSE_TRIAL_WATCHDOG:
        return AGENT_WHY_WATCHDOG;
    case BOOT_CAUSE_TRIAL_HARD_FAULT:
        return AGENT_WHY_HEALTH_HARD_FAULT;
    case BOOT_CAUSE_TRIAL_INVALID:
    case BOOT_CAUSE_ACTIVE_INVALID:
        return AGENT_WHY_BOOT_VERIFY;
    case BOOT_CAUSE_ACTIVE_FAULTY:
        return AGENT_WHY_FAULTY_BOOTS;
    case BOOT_CAUSE_CONFIG_LOST:
        return AGENT_WHY_CONFIG_LOST;
    case BOOT_CAUSE_REQUESTED:
        return AGENT_WHY_OPERATOR;
    default:
        return AGENT_WHY_NONE;
    }
}

/* What this boot did itself comes first; then what the agent noted; then what an earlier boot
 * noted. */
static enum agent_reason why_left(const struct agent *agent, const struct boot_config *config)
{
    enum boot_cause now = agent->boot.cause;
    enum agent_reason noted = (enum agent_reason)agent->journal.why;
    if (now != BOOT_CAUSE_NONE && now != BOOT_CAUSE_REQUESTED && reason_of(now))
        return reason_of(now);
    if (noted)
        return noted;
    enum agent_reason earlier = reason_of((enum boot_cause)config->cause);
    return earlier ? earlier : AGENT_WHY_TRIALS_USED;
}

static bool trial_ended(enum boot_cause cause)
{
    return cause == BOOT_CAUSE_TRIALS_USED || cause == BOOT_CAUSE_TRIAL_WATCHDOG ||
           cause == BOOT_CAUSE_TRIAL_HARD_FAULT || cause == BOOT_CAUSE_TRIAL_INVALID;
}

static void rolled_back(struct agent *agent, enum agent_reason why, const char *campaign_id,
                        const char *firmware_id)
{
    agent_enter(agent, AGENT_ROLLED_BACK);
    agent_tell_of(agent, AGENT_ST_ROLLED_BACK, why, campaign_id, firmware_id);
    if (firmware_id[0])
        agent_journal_rolled_back(&agent->journal, firmware_id);
    agent_journal_step(&agent->journal, AGENT_ROLLED_BACK, (uint8_t)why, 0);
}

bool agent_step_rolled_back(struct agent *agent)
{
    agent_enter(agent, AGENT_IDLE);
    agent_record(agent, (enum agent_reason)agent->journal.why);
    return true;
}

/* A trial runs: its checks start anew, whatever the journal was about. */
static void resume_trial(struct agent *agent)
{
    const struct agent_notification *update = &agent->journal.update;
    bool ours = agent_runs_update(agent);
    if (agent->state != AGENT_HEALTH_CHECK) {
        if (!agent_transition_allowed(agent->state, AGENT_HEALTH_CHECK))
            agent->state = AGENT_IDLE;
        agent_enter(agent, AGENT_HEALTH_CHECK);
        agent_tell_of(agent, AGENT_ST_HEALTH_CHECK, AGENT_WHY_NONE, ours ? update->campaign_id : "",
                      ours ? update->manifest.firmware_id : "");
    }
    agent_record(agent, AGENT_WHY_NONE);
}

/* The update had come to Applying or further, and no trial runs. */
static void resume_applied(struct agent *agent, const struct boot_config *config)
{
    const struct agent_notification *update = &agent->journal.update;
    if (agent_runs_update(agent)) {
        agent_enter(agent, AGENT_CONFIRMED);
    } else if (agent->state == AGENT_APPLYING && !trial_ended(agent->boot.cause)) {
        agent_enter(agent, AGENT_WAITING_APPLY);
        agent_journal_permit(&agent->journal, true, 0);
        agent_record(agent, AGENT_WHY_NONE);
    } else {
        rolled_back(agent, why_left(agent, config), update->campaign_id,
                    update->manifest.firmware_id);
    }
}

/* Nothing was under way: did the bootloader, or an order, take the device back? */
static void resume_idle(struct agent *agent, const struct boot_config *config)
{
    struct agent_journal *journal = &agent->journal;
    struct agent_installed installed = journal->installed;
    bool left = installed.version[0] && agent->running_known &&
                !agent_text_equal(installed.version, agent->running_version);
    if (!left)
        return;
    rolled_back(agent, why_left(agent, config), installed.campaign_id, installed.firmware_id);
    agent_journal_installed(journal, &(struct agent_installed){.version = ""});
}

static void resume_staging(struct agent *agent)
{
    struct agent_journal *journal = &agent->journal;
    uint32_t size = journal->update.manifest.binary_size_bytes;
    uint32_t sector = agent->config->boot->layout->sector_bytes;
    if (agent->state == AGENT_VERIFIED)
        agent->state = AGENT_VERIFYING;
    if (agent_runs_update(agent))
        agent->state = AGENT_NOTIFIED;
    if (journal->durable_bytes > size ||
        (journal->durable_bytes < size && journal->durable_bytes % sector))
        agent_journal_progress(journal, 0);
    if (agent->state == AGENT_DOWNLOAD_FAILED)
        agent->deadline_ms = agent->now_ms + agent_backoff(agent, journal->attempts);
    agent_stage_rewind(agent);
}

void agent_resume(struct agent *agent, const struct boot_config *config)
{
    struct agent_journal *journal = &agent->journal;
    bool under_way = journal->has_update && journal->phase != AGENT_CONFIRMED &&
                     journal->phase != AGENT_ROLLED_BACK;
    agent->state = under_way ? (enum agent_state)journal->phase : AGENT_IDLE;
    agent->waiting_told = agent->state == AGENT_WAITING_APPLY; /* it was told with that record */
    if (agent->boot.trial)
        resume_trial(agent);
    else if (agent->state == AGENT_IDLE)
        resume_idle(agent, config);
    else if (agent->state == AGENT_APPLYING || agent->state == AGENT_REBOOTING ||
             agent->state == AGENT_HEALTH_CHECK)
        resume_applied(agent, config);
    else
        resume_staging(agent);
}
