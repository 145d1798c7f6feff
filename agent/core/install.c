#include "core.h"

/* From the last byte to the reset: verify, close the slot, wait for a good moment, ask for a trial.
 */

static const enum agent_reason reason_of[BOOT_VERDICT_KINDS] = {
    [BOOT_VERDICT_VALID] = AGENT_WHY_NONE,
    [BOOT_VERDICT_EMPTY] = AGENT_WHY_HEADER,
    [BOOT_VERDICT_HEADER] = AGENT_WHY_HEADER,
    [BOOT_VERDICT_DEVICE_TYPE] = AGENT_WHY_DEVICE_TYPE,
    [BOOT_VERDICT_HW_REVISION] = AGENT_WHY_HW_REVISION,
    [BOOT_VERDICT_COUNTER] = AGENT_WHY_COUNTER,
    [BOOT_VERDICT_KEY] = AGENT_WHY_KEY,
    [BOOT_VERDICT_REVOKED] = AGENT_WHY_REVOKED,
    [BOOT_VERDICT_SIGNATURE] = AGENT_WHY_SIGNATURE,
};

static void manifest_trailer(const struct agent_manifest *manifest, struct boot_trailer *out)
{
    memset(out, 0, sizeof *out);
    out->signed_image = true;
    out->image_bytes = manifest->binary_size_bytes;
    out->signature_bytes = manifest->signature_bytes;
    memcpy(out->signature, manifest->signature, sizeof out->signature);
    agent_text_copy(out->cert_id, BOOT_CERT_ID_MAX, manifest->signing_cert_id);
}

/* The manifest is not signed: what it says has to be what the signed header says. */
static bool contradicts(const struct agent_manifest *manifest, const struct boot_image *image)
{
    return !agent_text_equal(manifest->version, image->version) ||
           !agent_text_equal(manifest->device_type, image->device_type) ||
           !agent_text_equal(manifest->min_hw_revision, image->min_hw_revision);
}

static enum agent_reason verify(struct agent *agent)
{
    const struct boot_env *env = agent->config->boot;
    const struct agent_manifest *manifest = &agent->journal.update.manifest;
    uint8_t hash[BOOT_SHA256_BYTES] = {0};
    struct boot_config config;
    struct boot_trailer trailer;
    struct boot_image image;
    int sector;
    if (boot_config_read(env->flash, env->layout, &config, &sector))
        return AGENT_WHY_FLASH;
    manifest_trailer(manifest, &trailer);
    struct boot_limits limits = {config.security_counter, &config, false};
    enum boot_verdict verdict =
        boot_verify(env, agent_other_slot(agent), &trailer, &limits, &image, hash);
    bool damaged = memcmp(hash, manifest->checksum_sha256, sizeof hash) != 0;
    if (verdict == BOOT_VERDICT_SIGNATURE && damaged)
        return AGENT_WHY_CHECKSUM;
    if (verdict != BOOT_VERDICT_VALID)
        return reason_of[verdict];
    if (damaged)
        return AGENT_WHY_CHECKSUM;
    return contradicts(manifest, &image) ? AGENT_WHY_CONTRADICTION : AGENT_WHY_NONE;
}

static void fail(struct agent *agent, enum agent_reason why)
{
    agent_enter(agent, AGENT_VERIFY_FAILED);
    agent_tell(agent, AGENT_ST_VERIFY_FAILED, why);
    agent_record(agent, why);
}

bool agent_step_verifying(struct agent *agent)
{
    enum agent_reason why = verify(agent);
    if (why)
        fail(agent, why);
    else
        agent_enter(agent, AGENT_VERIFIED);
    return true;
}

/* Settled first, as in open_stage: the trailer is erased here, and a torn record may say at the
 * next boot that it was written. */
bool agent_step_verified(struct agent *agent)
{
    struct boot_trailer trailer;
    manifest_trailer(&agent->journal.update.manifest, &trailer);
    int error = agent_journal_settle(&agent->journal);
    agent_journal_hold(&agent->journal);
    if (error || boot_stage_finish(agent->config->boot, agent->boot.slot, &trailer)) {
        fail(agent, AGENT_WHY_FLASH);
        return true;
    }
    agent_tell(agent, AGENT_ST_VERIFIED, AGENT_WHY_NONE);
    agent_enter(agent, AGENT_WAITING_APPLY);
    agent_record(agent, AGENT_WHY_NONE);
    return true;
}

/* The record names the state before the erasing begins, so that a cut repeats the erasing. */
bool agent_step_verify_failed(struct agent *agent)
{
    struct agent_journal *journal = &agent->journal;
    agent_journal_commit(journal);
    agent_journal_hold(journal);
    agent_stage_erase(agent);
    agent->stage_open = false;
    agent_journal_progress(journal, 0);
    agent_stage_rewind(agent);
    agent_enter(agent, AGENT_IDLE);
    agent_record(agent, (enum agent_reason)journal->why);
    return true;
}

/*
 * A forced update overrides the window and the approval, never a running process or a deferral. No
 * trial begins without a network: it could only fail, as MQTT is one of its checks.
 */
static bool may_apply(const struct agent *agent, int64_t *next_ms)
{
    const struct agent_config *config = agent->config;
    const struct agent_journal *journal = &agent->journal;
    *next_ms = AGENT_NEVER;
    if (agent->interlock)
        return false;
    if (journal->not_before_ms > agent->now_ms) {
        *next_ms = journal->not_before_ms;
        return false;
    }
    if (!journal->update.force) {
        if (config->approval && !journal->approved)
            return false;
        if (!agent_window_open(&config->window, &config->zone, agent->now_ms, next_ms))
            return false;
    }
    return agent->mqtt_up;
}

static void wait_apply(struct agent *agent, int64_t next_ms)
{
    const struct agent_journal *journal = &agent->journal;
    bool deferred = journal->not_before_ms > agent->now_ms;
    agent->deadline_ms =
        next_ms < journal->update.deadline_ms ? next_ms : journal->update.deadline_ms;
    if (!agent->waiting_told)
        agent_tell(agent, AGENT_ST_WAITING_APPLY, deferred ? AGENT_WHY_DEFERRED : AGENT_WHY_NONE);
    agent->waiting_told = true;
}

/* The record comes first: a trial which the journal doesn't know of could not be told apart later.
 * Without a journal no trial is asked for. */
static bool note_applying(struct agent *agent)
{
    struct agent_journal *journal = &agent->journal;
    agent_tell(agent, AGENT_ST_APPLYING, AGENT_WHY_NONE);
    agent_journal_step(journal, AGENT_APPLYING, AGENT_WHY_NONE, journal->attempts);
    agent_journal_commit(journal);
    agent_journal_hold(journal);
    return !journal->broken;
}

bool agent_step_waiting_apply(struct agent *agent)
{
    int64_t next_ms;
    if (agent_expired(agent)) {
        agent_abandon(agent, AGENT_WHY_DEADLINE);
        return true;
    }
    if (!may_apply(agent, &next_ms)) {
        wait_apply(agent, next_ms);
        return false;
    }
    if (note_applying(agent))
        agent_enter(agent, AGENT_APPLYING);
    else
        agent_abandon(agent, AGENT_WHY_FLASH);
    return true;
}

bool agent_step_applying(struct agent *agent)
{
    if (boot_request_trial(agent->config->boot, agent->boot.slot)) {
        fail(agent, AGENT_WHY_FLASH);
        return true;
    }
    agent_enter(agent, AGENT_REBOOTING);
    agent_tell(agent, AGENT_ST_REBOOTING, AGENT_WHY_NONE);
    agent_record(agent, AGENT_WHY_NONE);
    return true;
}

/*
 * The network went before the reset: the trial waits for it, until the deadline. A confirmed
 * fallback has no checks to pass and needs none.
 */
static bool offline(struct agent *agent)
{
    agent->deadline_ms = AGENT_NEVER;
    if (agent->mqtt_up || agent->reverting)
        return false;
    if (!agent_expired(agent))
        agent->deadline_ms = agent->journal.update.deadline_ms;
    else if (!boot_stage_begin(agent->config->boot, agent->boot.slot))
        agent_abandon(agent, AGENT_WHY_DEADLINE);
    return true;
}

/* The service gets the chance to hear of it; a process that began meanwhile is not interrupted. */
bool agent_step_rebooting(struct agent *agent)
{
    int64_t latest_ms = agent->now_ms + AGENT_REBOOT_WAIT_MS, before_ms = agent->deadline_ms;
    if (offline(agent) || agent->interlock)
        return agent->state != AGENT_REBOOTING;
    /* What is later was a deadline of waiting for the network. */
    agent->deadline_ms = before_ms < latest_ms ? before_ms : latest_ms;
    if (agent->journal.outbox_count == 0 || agent->now_ms >= agent->deadline_ms)
        agent_reboot(agent);
    return false;
}
