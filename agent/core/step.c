#include "core.h"

/*
 * The transition table: one row for each state, with the states that may follow it. The drawing in
 * agent/DESIGN.md is compared with this table by a test. Edges marked "boot" are taken by
 * agent_start only: the power went, or the agent asked for a reset, and another image may be
 * running now.
 */
#define TO(state) (1u << (state))
static const uint16_t edges[AGENT_STATES] = {
    [AGENT_IDLE] = TO(AGENT_NOTIFIED) | TO(AGENT_REBOOTING) /* ordered rollback */ |
                   TO(AGENT_HEALTH_CHECK) | TO(AGENT_ROLLED_BACK) /* boot */,
    [AGENT_NOTIFIED] = TO(AGENT_CHECKING),
    [AGENT_CHECKING] = TO(AGENT_DOWNLOAD_SCHEDULED) | TO(AGENT_IDLE),
    [AGENT_DOWNLOAD_SCHEDULED] = TO(AGENT_DOWNLOADING) | TO(AGENT_NOTIFIED) | TO(AGENT_IDLE),
    [AGENT_DOWNLOADING] =
        TO(AGENT_DOWNLOAD_FAILED) | TO(AGENT_VERIFYING) | TO(AGENT_NOTIFIED) | TO(AGENT_IDLE),
    [AGENT_DOWNLOAD_FAILED] = TO(AGENT_DOWNLOADING) | TO(AGENT_NOTIFIED) | TO(AGENT_IDLE),
    [AGENT_VERIFYING] = TO(AGENT_VERIFIED) | TO(AGENT_VERIFY_FAILED),
    [AGENT_VERIFIED] = TO(AGENT_WAITING_APPLY) | TO(AGENT_VERIFY_FAILED),
    [AGENT_VERIFY_FAILED] = TO(AGENT_IDLE),
    [AGENT_WAITING_APPLY] = TO(AGENT_APPLYING) | TO(AGENT_NOTIFIED) | TO(AGENT_IDLE) |
                            TO(AGENT_HEALTH_CHECK) /* boot */,
    [AGENT_APPLYING] = TO(AGENT_REBOOTING) | TO(AGENT_VERIFY_FAILED) | TO(AGENT_WAITING_APPLY) |
                       TO(AGENT_HEALTH_CHECK) | TO(AGENT_CONFIRMED) |
                       TO(AGENT_ROLLED_BACK) /* boot, the last four */,
    [AGENT_REBOOTING] = TO(AGENT_IDLE) /* withdrawn by order */ | TO(AGENT_HEALTH_CHECK) |
                        TO(AGENT_CONFIRMED) | TO(AGENT_ROLLED_BACK) /* boot */,
    [AGENT_HEALTH_CHECK] = TO(AGENT_CONFIRMED) | TO(AGENT_ROLLED_BACK) /* boot */,
    [AGENT_CONFIRMED] = TO(AGENT_IDLE),
    [AGENT_ROLLED_BACK] = TO(AGENT_IDLE),
};

/* What is tried in a state whenever something happened; NULL: nothing by itself. */
static bool (*const steps[AGENT_STATES])(struct agent *agent) = {
    [AGENT_NOTIFIED] = agent_step_notified,
    [AGENT_CHECKING] = agent_step_checking,
    [AGENT_DOWNLOAD_SCHEDULED] = agent_step_scheduled,
    [AGENT_DOWNLOADING] = agent_step_downloading,
    [AGENT_DOWNLOAD_FAILED] = agent_step_download_failed,
    [AGENT_VERIFYING] = agent_step_verifying,
    [AGENT_VERIFIED] = agent_step_verified,
    [AGENT_VERIFY_FAILED] = agent_step_verify_failed,
    [AGENT_WAITING_APPLY] = agent_step_waiting_apply,
    [AGENT_APPLYING] = agent_step_applying,
    [AGENT_REBOOTING] = agent_step_rebooting,
    [AGENT_HEALTH_CHECK] = agent_step_health,
    [AGENT_CONFIRMED] = agent_step_confirmed,
    [AGENT_ROLLED_BACK] = agent_step_rolled_back,
};

bool agent_transition_allowed(enum agent_state from, enum agent_state to)
{
    if ((unsigned)from >= AGENT_STATES || (unsigned)to >= AGENT_STATES)
        return false;
    return (edges[from] & TO(to)) != 0;
}

void agent_enter(struct agent *agent, enum agent_state to)
{
    enum agent_state from = agent->state;
    AGENT_ASSERT(agent_transition_allowed(from, to));
    agent->state = to;
    agent->deadline_ms = AGENT_NEVER;
    if (agent->config->on_state)
        agent->config->on_state(agent->config->ctx, from, to);
}

void agent_record(struct agent *agent, enum agent_reason why)
{
    struct agent_journal *journal = &agent->journal;
    agent_journal_step(journal, (uint8_t)agent->state, (uint8_t)why, journal->attempts);
}

/* An update is not carried on without a journal, as long as it can be given up. */
static bool step(struct agent *agent)
{
    if (agent->journal.broken && agent_staging(agent)) {
        agent_abandon(agent, AGENT_WHY_FLASH);
        return true;
    }
    return steps[agent->state] && steps[agent->state](agent);
}

void agent_advance(struct agent *agent)
{
    while (!agent->reboot_sent && step(agent)) {
    }
}

void agent_act(struct agent *agent, const struct agent_action *action)
{
    AGENT_ASSERT(agent->actions < AGENT_ACTIONS_MAX);
    agent->action[agent->actions++] = *action;
}

/* What was acknowledged is recorded first, so that less is repeated after the boot. */
void agent_reboot(struct agent *agent)
{
    if (agent->reboot_sent)
        return;
    agent_journal_commit(&agent->journal);
    agent_act(agent, &(struct agent_action){.kind = AGENT_ACT_REBOOT});
    agent->reboot_sent = true;
    agent->deadline_ms = AGENT_NEVER;
}
