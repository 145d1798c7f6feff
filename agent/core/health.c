#include "core.h"

/* The trial's five checks, and what follows from them. */

static const enum agent_reason reason_of[AGENT_HEALTH_CHECKS] = {
    [AGENT_HEALTH_MQTT] = AGENT_WHY_HEALTH_MQTT,
    [AGENT_HEALTH_DRIVERS] = AGENT_WHY_HEALTH_DRIVERS,
    [AGENT_HEALTH_CONFIG] = AGENT_WHY_HEALTH_CONFIG,
    [AGENT_HEALTH_TELEMETRY] = AGENT_WHY_HEALTH_TELEMETRY,
    [AGENT_HEALTH_HARD_FAULT] = AGENT_WHY_HEALTH_HARD_FAULT,
};

/*
 * The reason is durable before the trial ends, as the old firmware tells it after the reset. Should
 * the revert fail, the reset uses up a trial boot and the bootloader goes back in the end.
 */
void agent_health_fail(struct agent *agent, enum agent_reason why)
{
    agent_record(agent, why);
    agent_journal_commit(&agent->journal);
    boot_revert(agent->config->boot, agent->boot.slot);
    agent_reboot(agent);
}

/* A connection that comes later than allowed doesn't count, even if no TIME event came in between.
 */
void agent_health_seen(struct agent *agent, enum agent_health check, bool ok)
{
    int64_t since_ms = agent->now_ms - agent->started_ms;
    if (agent->state != AGENT_HEALTH_CHECK)
        return;
    if (!ok) {
        agent->health_failed[check] = true;
        agent_health_fail(agent, reason_of[check]);
    } else if (check != AGENT_HEALTH_MQTT || since_ms <= agent->config->mqtt_within_ms) {
        agent->health_seen[check] = true;
    }
}

/* When a check has failed if it was not seen. The first telemetry goes out with the connection,
 * which has its own time: no shorter fault-free time may ask for it before. */
static uint32_t limit_ms_of(const struct agent_config *config, int check)
{
    bool longer = check != AGENT_HEALTH_MQTT && config->fault_free_ms > config->mqtt_within_ms;
    return longer ? config->fault_free_ms : config->mqtt_within_ms;
}

/* The first check, in the order of the report, that is due and was not seen. */
static bool overdue(struct agent *agent, enum agent_reason *why)
{
    int64_t since_ms = agent->now_ms - agent->started_ms;
    for (int check = 0; check < AGENT_HEALTH_HARD_FAULT; check++) {
        if (agent->health_seen[check] || since_ms < limit_ms_of(agent->config, check))
            continue;
        agent->health_failed[check] = true;
        *why = reason_of[check];
        return true;
    }
    return false;
}

/* The next time at which a check that was not seen has failed, or all may have passed. */
static int64_t next_look_ms(const struct agent *agent, int64_t free_ms)
{
    int64_t next_ms = agent->now_ms < free_ms ? free_ms : INT64_MAX;
    for (int check = 0; check < AGENT_HEALTH_HARD_FAULT; check++) {
        int64_t at_ms = agent->started_ms + limit_ms_of(agent->config, check);
        if (!agent->health_seen[check] && at_ms < next_ms)
            next_ms = at_ms;
    }
    return next_ms;
}

static bool all_seen(const struct agent *agent)
{
    for (int check = 0; check < AGENT_HEALTH_HARD_FAULT; check++)
        if (!agent->health_seen[check])
            return false;
    return true;
}

bool agent_step_health(struct agent *agent)
{
    const struct agent_config *config = agent->config;
    int64_t free_ms = agent->started_ms + config->fault_free_ms;
    enum agent_reason why;
    if (overdue(agent, &why)) {
        agent_health_fail(agent, why);
        return false;
    }
    agent->deadline_ms = next_look_ms(agent, free_ms);
    if (agent->now_ms < free_ms || !all_seen(agent))
        return false;
    /* A config that can't be written now may be written soon; the watchdog bounds the trying. */
    if (boot_confirm(config->boot, agent->boot.slot)) {
        agent->deadline_ms = agent->now_ms + AGENT_CONFIRM_RETRY_MS;
        return false;
    }
    agent->health_seen[AGENT_HEALTH_HARD_FAULT] = true;
    agent_act(agent, &(struct agent_action){.kind = AGENT_ACT_CONFIRMED});
    agent_enter(agent, AGENT_CONFIRMED);
    return true;
}

/* An image that runs without an update (the bootloader left a broken one) is confirmed without
 * names. */
bool agent_step_confirmed(struct agent *agent)
{
    if (agent_runs_update(agent)) {
        agent_remember_installed(agent);
        agent_tell(agent, AGENT_ST_CONFIRMED, AGENT_WHY_NONE);
    } else {
        agent_journal_installed(&agent->journal, &(struct agent_installed){.version = ""});
        agent_tell_of(agent, AGENT_ST_CONFIRMED, AGENT_WHY_NONE, "", "");
    }
    agent_enter(agent, AGENT_IDLE);
    agent_record(agent, AGENT_WHY_NONE);
    return true;
}

int64_t agent_clear_faults_at(const struct agent *agent)
{
    if (!agent->clear_faults || !agent->mqtt_up)
        return AGENT_NEVER;
    return agent->started_ms + agent->config->fault_free_ms;
}

/* A confirmed image that was reset by faults before, and is healthy now, starts counting anew. */
void agent_clear_faults(struct agent *agent)
{
    if (agent->now_ms < agent_clear_faults_at(agent) || agent->reboot_sent)
        return;
    agent->clear_faults = false;
    boot_confirm(agent->config->boot, agent->boot.slot);
}
