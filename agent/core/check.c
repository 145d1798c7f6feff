#include "core.h"

/* A notification: is it news, and may this device install what it names? */

/* True when nothing can come of this update any more: the campaign's deadline has passed. */
bool agent_expired(struct agent *agent)
{
    return agent->journal.update.deadline_ms <= agent->now_ms;
}

/*
 * An older version runs only as the rollback version that a campaign names: the manifest names
 * itself and is forced, or the update that brought the running version named it. The security
 * counter still applies when the image is verified.
 */
static bool older_allowed(const struct agent *agent, const struct agent_notification *candidate)
{
    const struct agent_manifest *to = &candidate->manifest;
    const struct agent_installed *now = &agent->journal.installed;
    if (candidate->force && agent_text_equal(to->rollback_version, to->version))
        return true;
    return now->version[0] && agent_text_equal(now->version, agent->running_version) &&
           agent_text_equal(now->rollback_version, to->version);
}

static int check_version(const struct agent *agent, const struct agent_notification *candidate)
{
    int order;
    if (agent_text_equal(candidate->manifest.version, agent->running_version))
        return AGENT_CHECK_INSTALLED;
    if (agent_version_compare(&order, candidate->manifest.version, agent->running_version))
        return AGENT_WHY_MANIFEST;
    if (order > 0 || (order < 0 && older_allowed(agent, candidate)))
        return AGENT_WHY_NONE;
    return AGENT_WHY_VERSION;
}

static int check_key(const struct boot_env *env, const char *cert_id)
{
    struct boot_config config;
    int sector;
    if (!boot_keys_find(env->keys, cert_id))
        return AGENT_WHY_KEY;
    if (boot_config_read(env->flash, env->layout, &config, &sector))
        return AGENT_WHY_FLASH;
    return boot_config_is_revoked(&config, cert_id, false) ? AGENT_WHY_REVOKED : AGENT_WHY_NONE;
}

int agent_check(struct agent *agent, const struct agent_notification *candidate)
{
    const struct boot_env *env = agent->config->boot;
    const struct agent_manifest *manifest = &candidate->manifest;
    if (candidate->deadline_ms <= agent->now_ms)
        return AGENT_WHY_DEADLINE;
    if (!agent_text_equal(manifest->device_type, env->device_type))
        return AGENT_WHY_DEVICE_TYPE;
    if (boot_hw_revision_compare(env->hw_revision, manifest->min_hw_revision) < 0)
        return AGENT_WHY_HW_REVISION;
    int version = check_version(agent, candidate);
    if (version)
        return version;
    if (manifest->binary_size_bytes > boot_layout_image_max(env->layout))
        return AGENT_WHY_TOO_LARGE;
    if (manifest->binary_size_bytes <= BOOT_IMAGE_HEADER_BYTES)
        return AGENT_WHY_SIZE;
    if (!candidate->force && agent->journal.rolled_back_id[0] &&
        agent_text_equal(manifest->firmware_id, agent->journal.rolled_back_id))
        return AGENT_WHY_ROLLED_BACK_BEFORE;
    /* What can't be noted is not begun: a trial that nobody remembers could be repeated for ever.
     */
    if (agent->journal.broken)
        return AGENT_WHY_FLASH;
    return check_key(env, manifest->signing_cert_id);
}

bool agent_step_notified(struct agent *agent)
{
    agent_enter(agent, AGENT_CHECKING);
    return true;
}

void agent_remember_installed(struct agent *agent)
{
    const struct agent_notification *update = &agent->journal.update;
    struct agent_installed installed;
    agent_text_copy(installed.campaign_id, AGENT_ID_MAX, update->campaign_id);
    agent_text_copy(installed.firmware_id, AGENT_ID_MAX, update->manifest.firmware_id);
    agent_text_copy(installed.version, BOOT_VERSION_MAX, update->manifest.version);
    agent_text_copy(installed.rollback_version, BOOT_VERSION_MAX,
                    update->manifest.rollback_version);
    agent_journal_installed(&agent->journal, &installed);
}

/* The service may have lost our word: an image that runs here is confirmed again, under this
 * campaign. */
static void already_installed(struct agent *agent)
{
    agent_remember_installed(agent);
    agent_tell(agent, AGENT_ST_CONFIRMED, AGENT_WHY_NONE);
    agent_enter(agent, AGENT_IDLE);
    agent_record(agent, AGENT_WHY_NONE);
}

bool agent_step_checking(struct agent *agent)
{
    int why = agent_check(agent, &agent->journal.update);
    if (why == AGENT_CHECK_INSTALLED) {
        already_installed(agent);
    } else if (why) {
        agent_tell(agent, AGENT_ST_REFUSED, (enum agent_reason)why);
        agent_enter(agent, AGENT_IDLE);
        agent_record(agent, (enum agent_reason)why);
    } else {
        agent_enter(agent, AGENT_DOWNLOAD_SCHEDULED);
        agent_tell(agent, AGENT_ST_SCHEDULED, AGENT_WHY_NONE);
        agent_record(agent, AGENT_WHY_NONE);
    }
    return true;
}

/* The journal's record comes before anything else: a notification is delivered once. */
static void begin(struct agent *agent, const struct agent_notification *candidate)
{
    agent_download_cancel(agent);
    agent_enter(agent, AGENT_NOTIFIED);
    agent->stage_open = false;
    agent->waiting_told = false;
    agent_journal_begin_update(&agent->journal, candidate);
    agent_stage_rewind(agent);
    agent_tell(agent, AGENT_ST_NOTIFIED, AGENT_WHY_NONE);
    agent_journal_commit(&agent->journal);
    agent_journal_hold(&agent->journal);
}

static bool same_update(const struct agent_manifest *a, const struct agent_manifest *b)
{
    return agent_text_equal(a->firmware_id, b->firmware_id) &&
           agent_text_equal(a->version, b->version) &&
           a->binary_size_bytes == b->binary_size_bytes &&
           !memcmp(a->checksum_sha256, b->checksum_sha256, BOOT_SHA256_BYTES) &&
           agent_text_equal(a->signing_cert_id, b->signing_cert_id) &&
           a->signature_bytes == b->signature_bytes &&
           !memcmp(a->signature, b->signature, a->signature_bytes);
}

/* The update under way, told again: only its address, its deadline and its urgency can be news. */
static void revise(struct agent *agent, const struct agent_notification *candidate)
{
    const struct agent_notification *update = &agent->journal.update;
    bool moved = !agent_text_equal(candidate->manifest.binary_url, update->manifest.binary_url);
    if (!moved && candidate->force == update->force &&
        candidate->deadline_ms == update->deadline_ms &&
        agent_text_equal(candidate->campaign_id, update->campaign_id))
        return;
    agent_journal_revise(&agent->journal, candidate);
    if (!moved)
        return;
    if (agent->state == AGENT_DOWNLOADING) {
        agent_download_cancel(agent);
        agent_stage_rewind(agent);
    } else if (agent->state == AGENT_DOWNLOAD_FAILED) {
        agent->deadline_ms = agent->now_ms;
    }
}

/* Another firmware while one is under way: taken only when it could be installed. */
static void replace(struct agent *agent, const struct agent_notification *candidate)
{
    int why = agent_check(agent, candidate);
    enum agent_status status = why > 0 ? AGENT_ST_REFUSED : AGENT_ST_CONFIRMED;
    if (!why)
        begin(agent, candidate);
    else
        agent_tell_of(agent, status, why > 0 ? (enum agent_reason)why : AGENT_WHY_NONE,
                      candidate->campaign_id, candidate->manifest.firmware_id);
}

/* A message that is none gets one answer at a time, so that a flood of them wears no flash. */
static void unreadable(struct agent *agent)
{
    const struct agent_journal *journal = &agent->journal;
    for (uint32_t i = 0; i < journal->outbox_count; i++)
        if (journal->outbox[i].reason == AGENT_WHY_MANIFEST && !journal->outbox[i].firmware_id[0])
            return;
    agent_tell_of(agent, AGENT_ST_REFUSED, AGENT_WHY_MANIFEST, "", "");
}

void agent_notified(struct agent *agent, const char *json, uint32_t len)
{
    struct agent_notification candidate;
    bool staging = agent_staging(agent);
    if (agent->state != AGENT_IDLE && !staging)
        return;
    if (agent_notification_parse(&candidate, json, len))
        unreadable(agent);
    else if (!staging)
        begin(agent, &candidate);
    else if (same_update(&candidate.manifest, &agent->journal.update.manifest))
        revise(agent, &candidate);
    else
        replace(agent, &candidate);
}

void agent_abandon(struct agent *agent, enum agent_reason why)
{
    agent_download_cancel(agent);
    agent_tell(agent, AGENT_ST_REFUSED, why);
    agent_enter(agent, AGENT_IDLE);
    agent_record(agent, why);
}
