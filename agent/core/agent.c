#include "core.h"

/* The interface of agent.h: start, events in, actions out. */

static void read_running(struct agent *agent)
{
    const struct boot_env *env = agent->config->boot;
    uint8_t header[BOOT_IMAGE_HEADER_BYTES];
    struct boot_image image;
    if (env->flash->read(env->flash->ctx, env->layout->slot_addr[agent->boot.slot], header,
                         sizeof header) ||
        boot_image_decode(&image, header))
        return;
    agent_text_copy(agent->running_version, BOOT_VERSION_MAX, image.version);
    agent->running_known = true;
}

static void save_and_send(struct agent *agent)
{
    struct agent_journal *journal = &agent->journal;
    bool at_rest = agent->state == AGENT_IDLE && journal->outbox_count == 0;
    if (agent_journal_dirty(journal) || at_rest)
        agent_journal_commit(journal);
    if (!agent->reboot_sent)
        agent_outbox_send(agent);
}

/*
 * What was changed becomes durable before the actions are handed out. Acknowledgements alone wait
 * for the next record, unless there may be none for long. A journal that broke only now may end the
 * update.
 */
static void finish(struct agent *agent)
{
    bool sound = !agent->journal.broken;
    save_and_send(agent);
    if (!sound || !agent->journal.broken)
        return;
    agent_advance(agent);
    save_and_send(agent);
}

int agent_start(struct agent *agent, const struct agent_config *config,
                const struct agent_boot *boot, int64_t now_ms)
{
    const struct boot_env *env = config->boot;
    struct boot_config truth;
    int sector;
    AGENT_ASSERT(boot->slot == BOOT_SLOT_A || boot->slot == BOOT_SLOT_B);
    memset(agent, 0, sizeof *agent);
    agent->config = config;
    agent->boot = *boot;
    agent->now_ms = now_ms;
    agent->started_ms = now_ms;
    agent->deadline_ms = AGENT_NEVER;
    agent_journal_open(&agent->journal, env->flash, env->layout);
    /* seq has to grow even so: the service drops what it has seen. */
    if (agent->journal.lost)
        agent->journal.next_seq = (uint32_t)(now_ms / 1000);
    if (boot_config_read(env->flash, env->layout, &truth, &sector))
        memset(&truth, 0, sizeof truth);
    read_running(agent);
    agent->clear_faults = !boot->trial && truth.faulty_boots > 0;
    agent_journal_hold(&agent->journal);
    agent_resume(agent, &truth);
    agent_advance(agent);
    finish(agent);
    return agent->journal.broken ? AGENT_EFLASH : AGENT_OK;
}

static void mqtt(struct agent *agent, bool up)
{
    agent->mqtt_up = up;
    agent->sending_seq = 0;
    if (!up)
        return;
    agent->online = true;
    agent_health_seen(agent, AGENT_HEALTH_MQTT, true);
}

static void handle(struct agent *agent, const struct agent_event *event)
{
    switch (event->kind) {
    case AGENT_EV_MQTT_UP:
    case AGENT_EV_MQTT_DOWN:
        mqtt(agent, event->kind == AGENT_EV_MQTT_UP);
        break;
    case AGENT_EV_NOTIFICATION:
        agent_notified(agent, event->bytes, event->len);
        break;
    case AGENT_EV_COMMAND:
        agent_ordered(agent, event->bytes, event->len);
        break;
    case AGENT_EV_PUBLISHED:
        agent_outbox_published(agent, event->id);
        break;
    case AGENT_EV_HTTP_HEAD:
    case AGENT_EV_HTTP_DATA:
    case AGENT_EV_HTTP_END:
    case AGENT_EV_HTTP_ERROR:
        agent_download_event(agent, event);
        break;
    case AGENT_EV_DRIVERS:
        agent_health_seen(agent, AGENT_HEALTH_DRIVERS, event->ok);
        break;
    case AGENT_EV_CONFIG:
        agent_health_seen(agent, AGENT_HEALTH_CONFIG, event->ok);
        break;
    case AGENT_EV_TELEMETRY:
        agent_health_seen(agent, AGENT_HEALTH_TELEMETRY, true);
        break;
    case AGENT_EV_INTERLOCK:
        agent->interlock = event->ok;
        break;
    default: /* TIME: the steps look at the clock */
        break;
    }
}

/*
 * What is waited for is a time that passes, whatever the clock says: it is as far away as before.
 * What the calendar decides (deadline, window, deferral) the steps look up anew at each input.
 */
void agent_clock_set(struct agent *agent, int64_t from_ms, int64_t to_ms)
{
    int64_t by_ms = to_ms - from_ms;
    agent->started_ms += by_ms;
    if (agent->deadline_ms != AGENT_NEVER)
        agent->deadline_ms += by_ms;
    agent->now_ms += by_ms;
}

void agent_input(struct agent *agent, const struct agent_event *event, int64_t now_ms)
{
    if (agent->reboot_sent)
        return;
    if (now_ms < agent->now_ms) /* no time passes backwards: the clock was set */
        agent_clock_set(agent, agent->now_ms, now_ms);
    agent->now_ms = now_ms;
    agent_journal_hold(&agent->journal);
    handle(agent, event);
    agent_advance(agent);
    agent_clear_faults(agent);
    finish(agent);
}

/* Makes the action's text. False for a status that left the outbox meanwhile. */
static bool fill(struct agent *agent, struct agent_action *out)
{
    const struct agent_journal *journal = &agent->journal;
    const char *device_id = agent->config->device_id;
    out->payload = agent->payload;
    if (out->kind == AGENT_ACT_PUBLISH_PONG) {
        out->len =
            agent_pong_json(agent->payload, device_id, out->id, agent->now_ms, agent->pong_id);
        return true;
    }
    for (uint32_t i = 0; i < journal->outbox_count; i++) {
        if (journal->outbox[i].seq != out->id)
            continue;
        out->len = agent_status_json(agent->payload, &journal->outbox[i], device_id);
        return true;
    }
    return false;
}

bool agent_next(struct agent *agent, struct agent_action *out)
{
    while (agent->action_taken < agent->actions) {
        *out = agent->action[agent->action_taken++];
        bool texts = out->kind == AGENT_ACT_PUBLISH_STATUS || out->kind == AGENT_ACT_PUBLISH_PONG;
        if (!texts || fill(agent, out))
            return true;
    }
    agent->actions = 0;
    agent->action_taken = 0;
    return false;
}

int64_t agent_deadline(const struct agent *agent)
{
    int64_t faults_ms = agent_clear_faults_at(agent), send_ms = agent_outbox_at(agent);
    if (agent->reboot_sent)
        return AGENT_NEVER;
    int64_t first_ms = faults_ms < send_ms ? faults_ms : send_ms;
    return first_ms < agent->deadline_ms ? first_ms : agent->deadline_ms;
}

enum agent_state agent_state(const struct agent *agent)
{
    return agent->state;
}

const char *agent_running_version(const struct agent *agent)
{
    return agent->running_version;
}

const struct agent_notification *agent_pending(const struct agent *agent)
{
    bool none = agent->state == AGENT_IDLE || !agent->journal.has_update;
    return none ? NULL : &agent->journal.update;
}

uint32_t agent_received_bytes(const struct agent *agent)
{
    return agent->received_bytes;
}
