/* Telemetry: what the process measures of itself, at each connection and then in intervals. */
#include "device_internal.h"
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int64_t cpu_ms(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* Of one CPU, since the last telemetry. */
static int64_t cpu_permille(struct agent_device *device)
{
    int64_t cpu = cpu_ms(), since_ms = agent_time_since_ms();
    int64_t spent = cpu - device->cpu_ms, passed = since_ms - device->cpu_since_ms;
    device->cpu_ms = cpu;
    device->cpu_since_ms = since_ms;
    return passed > 0 ? spent * 1000 / passed : 0;
}

static int64_t memory_kb(void)
{
    long long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%lld %lld", &pages, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* 0: not measured. */
static int64_t energy_mw(const struct agent_device *device)
{
    long long microwatts = 0;
    FILE *file = device->config->energy_file ? fopen(device->config->energy_file, "re") : NULL;
    if (!file)
        return 0;
    if (fscanf(file, "%lld", &microwatts) != 1 || microwatts < 0)
        microwatts = 0;
    fclose(file);
    return microwatts / 1000;
}

static void telemetry_due(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    device_telemetry_send(timer->data);
}

void device_telemetry_init(struct agent_device *device)
{
    ev_init(&device->telemetry_timer, telemetry_due);
    device->telemetry_timer.data = device;
    device->cpu_since_ms = agent_time_since_ms();
    device->cpu_ms = cpu_ms();
}

/*
 * On a slow link the next one is sent before the last is acknowledged. What is waited for is the
 * first that is under way: a later one would never be the last for long enough. It alone tells the
 * faults; until its fate is known the others tell none.
 */
void device_telemetry_send(struct agent_device *device)
{
    char at[AGENT_TIME_TEXT], version[2 * BOOT_VERSION_MAX + 3], text[512];
    uint32_t untold = device->faults - device->faults_sent;
    if (!device->running || device->stopping || device->config->no_telemetry ||
        !agent_mqtt_is_up(device->mqtt))
        return;
    agent_time_text(at, device_utc_ms(device));
    device_json_string(version, sizeof version, agent_running_version(&device->agent));
    int len = snprintf(text, sizeof text,
                       "{\"device_id\":\"%s\",\"seq\":%u,\"at\":\"%s\",\"version\":%s,"
                       "\"energy_mw\":%lld,\"memory_kb\":%lld,\"cpu_permille\":%lld,"
                       "\"resets_total\":%u,\"resets\":%u}",
                       device->agent_config.device_id, ++device->telemetry_seq, at, version,
                       (long long)energy_mw(device), (long long)memory_kb(),
                       (long long)cpu_permille(device), device->config->faults_total, untold);
    uint32_t token = device_publish(device, device->telemetry_topic, text, (uint32_t)len, 1, false);
    if (!device->telemetry_token) {
        device->telemetry_token = token;
        device->faults_sent = token ? untold : 0;
    }
    device_after(device, &device->telemetry_timer, device->config->telemetry_every_ms);
}

void device_telemetry_lost(struct agent_device *device)
{
    ev_timer_stop(device->config->loop, &device->telemetry_timer);
    device->telemetry_token = device->faults_sent = 0;
}

void device_telemetry_acked(struct agent_device *device)
{
    if (device->faults_sent) {
        device->config->hooks.told(device->config->ctx, device->faults_sent);
        device->faults -= device->faults_sent;
        device->faults_sent = 0;
    }
    if (device->telemetry_acked)
        return;
    device->telemetry_acked = true;
    device_input(device, &(struct agent_event){.kind = AGENT_EV_TELEMETRY});
}
