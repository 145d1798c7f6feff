#include "core.h"

/* Commands from ota/command: approval, deferral, retry, rollback, ping, revocation of a key. */

static void apply(struct agent *agent)
{
    if (agent_staging(agent))
        agent_journal_permit(&agent->journal, true, 0);
}

static void defer(struct agent *agent, uint32_t defer_s)
{
    if (!agent_staging(agent))
        return;
    agent_journal_permit(&agent->journal, agent->journal.approved,
                         agent->now_ms + (int64_t)defer_s * 1000);
    agent->waiting_told = false;
}

/* Would the bootloader boot the other slot? Else the order could only end in a reset, unanswered.
 */
static bool fallback_verifies(const struct agent *agent)
{
    const struct boot_env *env = agent->config->boot;
    struct boot_config config;
    struct boot_trailer trailer;
    int sector, slot = agent_other_slot(agent);
    if (boot_config_read(env->flash, env->layout, &config, &sector) ||
        boot_trailer_read(env->flash, env->layout, slot, &trailer))
        return false;
    struct boot_limits limits = {config.security_counter, &config, true};
    return boot_verify(env, slot, &trailer, &limits, NULL, NULL) == BOOT_VERDICT_VALID;
}

/*
 * A boot tells that an image was left by comparing versions, so the journal has to name what runs:
 * a factory image, or one that an earlier rollback came back to, has no campaign that would.
 */
static void name_running(struct agent *agent)
{
    struct agent_installed running = {.version = ""};
    if (!agent->running_known ||
        agent_text_equal(agent->journal.installed.version, agent->running_version))
        return;
    agent_text_copy(running.version, BOOT_VERSION_MAX, agent->running_version);
    agent_journal_installed(&agent->journal, &running);
}

/* No image was confirmed in the other slot, or it is none any more: the device stays, and says so.
 */
static void leave_running(struct agent *agent)
{
    const struct agent_installed *installed = &agent->journal.installed;
    struct agent_journal *journal = &agent->journal;
    uint8_t before = journal->why;
    name_running(agent);
    agent_journal_step(journal, journal->phase, AGENT_WHY_OPERATOR, journal->attempts);
    agent_journal_commit(journal);
    agent_journal_hold(journal);
    if (!fallback_verifies(agent) || boot_revert(agent->config->boot, agent->boot.slot)) {
        agent_journal_step(journal, journal->phase, before, journal->attempts);
        agent_tell_of(agent, AGENT_ST_REFUSED, AGENT_WHY_OPERATOR, installed->campaign_id,
                      installed->firmware_id);
        return;
    }
    agent->reverting = true;
    agent_enter(agent, AGENT_REBOOTING);
    agent_tell_of(agent, AGENT_ST_REBOOTING, AGENT_WHY_OPERATOR, installed->campaign_id,
                  installed->firmware_id);
}

static void rollback(struct agent *agent)
{
    if (agent->state == AGENT_IDLE)
        leave_running(agent);
    else if (agent->state == AGENT_HEALTH_CHECK)
        agent_health_fail(agent, AGENT_WHY_OPERATOR);
    else if (agent_staging(agent) || (agent->state == AGENT_REBOOTING && !agent->reverting &&
                                      !boot_stage_begin(agent->config->boot, agent->boot.slot)))
        agent_abandon(agent, AGENT_WHY_OPERATOR);
}

static void ping(struct agent *agent, const struct agent_command *command)
{
    agent->pong_seq++;
    agent_text_copy(agent->pong_id, AGENT_COMMAND_ID_MAX, command->command_id);
    agent_act(agent, &(struct agent_action){.kind = AGENT_ACT_PUBLISH_PONG, .id = agent->pong_seq});
}

/* A key can't revoke itself, and a revoked one revokes nothing. Nobody is told: the keys tell. */
static void revoke(struct agent *agent, const struct agent_command *command)
{
    static const char prefix[] = "revoke_key:";
    const struct boot_env *env = agent->config->boot;
    const struct boot_crypto *crypto = env->crypto;
    const struct boot_key *signer = boot_keys_find(env->keys, command->signing_cert_id);
    uint8_t hash[BOOT_SHA256_BYTES];
    struct boot_config config;
    uint32_t len = 0;
    int sector;
    if (!signer || agent_text_equal(command->cert_id, command->signing_cert_id) ||
        boot_config_read(env->flash, env->layout, &config, &sector) ||
        boot_config_is_revoked(&config, command->signing_cert_id, false))
        return;
    while (command->cert_id[len])
        len++;
    crypto->sha256_begin(crypto->ctx);
    crypto->sha256_update(crypto->ctx, prefix, sizeof prefix - 1);
    crypto->sha256_update(crypto->ctx, command->cert_id, len);
    crypto->sha256_final(crypto->ctx, hash);
    if (!crypto->ecdsa_verify(crypto->ctx, signer->public_key, hash, command->signature,
                              command->signature_bytes))
        boot_revoke(env, command->cert_id);
}

void agent_ordered(struct agent *agent, const char *json, uint32_t len)
{
    struct agent_command command;
    if (agent_command_parse(&command, json, len))
        return;
    switch (command.kind) {
    case AGENT_CMD_APPLY:
        apply(agent);
        break;
    case AGENT_CMD_DEFER:
        defer(agent, command.defer_s);
        break;
    case AGENT_CMD_RETRY:
        if (agent->state == AGENT_DOWNLOAD_FAILED)
            agent->deadline_ms = agent->now_ms;
        break;
    case AGENT_CMD_ROLLBACK:
        rollback(agent);
        break;
    case AGENT_CMD_PING:
        ping(agent, &command);
        break;
    case AGENT_CMD_REVOKE_KEY:
        revoke(agent, &command);
        break;
    default:
        break;
    }
}
