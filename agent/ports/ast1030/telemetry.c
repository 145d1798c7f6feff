/* Telemetry: what the board measures of itself and what the application adds. */
#include "device.h"

enum { TELEMETRY_MAX = 1200, CPU_LEAST_US = 1000000 };

/* Awake, of the time since the last telemetry; 0: not measured, in less than a second (the start
 * alone would be taken for the load). */
static uint32_t cpu_permille(struct fw_device *device)
{
    uint64_t now_us = board_us(), passed = now_us - device->cpu_since_us;
    if (passed < CPU_LEAST_US)
        return 0;
    uint64_t idle = device->idle_us - device->cpu_idle_us;
    device->cpu_since_us = now_us;
    device->cpu_idle_us = device->idle_us;
    return passed && idle < passed ? (uint32_t)((passed - idle) * 1000 / passed) : 0;
}

static void put_member(struct agent_text *json, const char *key, uint32_t number)
{
    agent_text_put(json, key);
    agent_text_number(json, number, 1);
}

static void build(struct fw_device *device, struct agent_text *json, uint32_t untold)
{
    uint32_t cpu = cpu_permille(device);
    agent_text_put(json, "{\"device_id\":\"");
    agent_text_escaped(json, device->factory.device_id);
    put_member(json, "\",\"seq\":", ++device->telemetry_seq);
    agent_text_put(json, ",\"at\":\"");
    agent_text_time(json, fw_utc_ms(device));
    agent_text_put(json, "\",\"version\":\"");
    agent_text_escaped(json, agent_running_version(&device->agent));
    put_member(json, "\",\"energy_mw\":", device->app->energy_mw(cpu));
    put_member(json, ",\"memory_kb\":", (fw_memory_bytes() + 1023) / 1024);
    put_member(json, ",\"cpu_permille\":", cpu);
    put_member(json, ",\"resets_total\":", fw_keep_faults(device));
    put_member(json, ",\"resets\":", untold);
    device->app->measure(json);
    agent_text_char(json, '}');
}

static void post(struct fw_device *device)
{
    char text[TELEMETRY_MAX];
    struct agent_text json = {text, 0, sizeof text};
    uint32_t untold = device->faults - device->faults_sent, token = ++device->token;
    build(device, &json, untold);
    if (!device->telemetry_token) {
        device->telemetry_token = token;
        device->faults_sent = untold;
    }
    fw_post(device, FW_POST_TELEMETRY,
            &(struct link_message){.kind = LINK_PUBLISH,
                                   .topic = LINK_TOPIC_TELEMETRY,
                                   .token = token,
                                   .bytes = (const uint8_t *)text,
                                   .len = json.len});
}

/*
 * As in agent/daemon: the first one under way is waited for, and it alone tells the faults. One
 * that still waits for room on the line would be replaced by the next, and never be answered.
 */
void fw_telemetry_send(struct fw_device *device)
{
    if (!device->app->sends_telemetry || !device->mqtt_up)
        return;
    device->telemetry_mono = fw_mono_ms() + device->factory.telemetry_every_ms;
    if (!device->post[FW_POST_TELEMETRY].len)
        post(device);
}

void fw_telemetry_due(struct fw_device *device)
{
    if (device->telemetry_mono && fw_mono_ms() >= device->telemetry_mono)
        fw_telemetry_send(device);
}

uint32_t fw_telemetry_wait_ms(const struct fw_device *device)
{
    uint64_t now = fw_mono_ms();
    if (!device->telemetry_mono)
        return UINT32_MAX;
    return device->telemetry_mono > now ? (uint32_t)(device->telemetry_mono - now) : 0;
}

void fw_telemetry_acked(struct fw_device *device)
{
    if (device->faults_sent) {
        device->faults -= device->faults_sent;
        fw_keep_told(device, device->faults_sent);
        device->faults_sent = 0;
    }
    if (device->telemetry_acked)
        return;
    device->telemetry_acked = true;
    fw_core_input(device, &(struct agent_event){.kind = AGENT_EV_TELEMETRY});
}
