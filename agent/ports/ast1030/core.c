/* The core's driver: events in, actions carried out, its deadline. */
#include "device.h"

/* A deadline that stays in the past must not keep the board awake. */
enum { DEADLINE_LEAST_MS = 10, DEADLINE_MOST_MS = 60000 };

static const char *slot_name(const struct fw_device *device)
{
    return device->boot.slot == BOOT_SLOT_B ? "B" : "A";
}

static void confirmed(struct fw_device *device)
{
    FW_LOG(device, "info", "confirmed", FW_TEXT("version", agent_running_version(&device->agent)),
           FW_TEXT("slot", slot_name(device)));
    device->trial = false;
    device->settled_mono = fw_mono_ms();
    board_watchdog_kick();
}

static void perform(struct fw_device *device, const struct agent_action *action)
{
    switch (action->kind) {
    case AGENT_ACT_PUBLISH_STATUS:
        fw_mqtt_status(device, action);
        break;
    case AGENT_ACT_PUBLISH_PONG:
        fw_mqtt_pong(device, action);
        break;
    case AGENT_ACT_HTTP_GET:
        fw_http_get(device, action);
        break;
    case AGENT_ACT_HTTP_CANCEL:
        fw_http_cancel(device);
        break;
    case AGENT_ACT_CONFIRMED:
        confirmed(device);
        break;
    case AGENT_ACT_REBOOT:
        fw_core_reset(device);
    default:
        break;
    }
}

static void drain(struct fw_device *device)
{
    struct agent_action action;
    while (agent_next(&device->agent, &action))
        perform(device, &action);
}

void fw_core_input(struct fw_device *device, const struct agent_event *event)
{
    if (!device->running)
        return;
    agent_input(&device->agent, event, fw_utc_ms(device));
    drain(device);
}

uint32_t fw_core_wait_ms(const struct fw_device *device)
{
    int64_t left_ms = agent_deadline(&device->agent) - fw_utc_ms(device);
    if (left_ms < DEADLINE_LEAST_MS)
        return DEADLINE_LEAST_MS;
    return left_ms < DEADLINE_MOST_MS ? (uint32_t)left_ms : DEADLINE_MOST_MS;
}

void fw_core_time(struct fw_device *device)
{
    if (fw_utc_ms(device) >= agent_deadline(&device->agent))
        fw_core_input(device, &(struct agent_event){.kind = AGENT_EV_TIME});
}

/* The two checks that the application makes by itself, each after what the one before asked for. */
void fw_core_start(struct fw_device *device)
{
    device->started_mono = device->settled_mono = fw_mono_ms();
    int error =
        agent_start(&device->agent, &device->agent_config, &device->boot, fw_utc_ms(device));
    FW_LOG(device, error ? "error" : "info", "start",
           FW_TEXT("version", agent_running_version(&device->agent)),
           FW_TEXT("state", agent_state_name((int)agent_state(&device->agent))),
           FW_TEXT("journal", agent_error_name(error)));
    device->running = true;
    drain(device);
    bool drivers = device->app->drivers(), config = device->app->configure();
    fw_core_input(device, &(struct agent_event){.kind = AGENT_EV_DRIVERS, .ok = drivers});
    fw_core_input(device, &(struct agent_event){.kind = AGENT_EV_CONFIG, .ok = config});
}

void fw_core_reset(struct fw_device *device)
{
    FW_LOG(device, "info", "end", FW_TEXT("how", "software"),
           FW_NUMBER("operations", board_probe()->ended), FW_NUMBER("violations", 0));
    fw_keep_now(device);
    board_reset(BOARD_NOTE_SOFTWARE);
}
