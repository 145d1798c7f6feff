/* What an operator is told, as one line of JSON. */
#include "device_internal.h"
#include <string.h>

void device_json_string(char *out, size_t size, const char *text)
{
    size_t len = 0;
    out[len++] = '"';
    for (; *text && len + 3 < size; text++) {
        if (*text == '"' || *text == '\\')
            out[len++] = '\\';
        out[len++] = (unsigned char)*text >= ' ' ? *text : '?';
    }
    out[len++] = '"';
    out[len] = '\0';
}

static void put_pending(const struct agent_device *device, char *out, size_t size)
{
    char campaign[2 * AGENT_ID_MAX + 3], firmware[2 * AGENT_ID_MAX + 3];
    char version[2 * BOOT_VERSION_MAX + 3];
    const struct agent_notification *pending =
        device->running ? agent_pending(&device->agent) : NULL;
    if (!pending) {
        snprintf(out, size, "null");
        return;
    }
    device_json_string(campaign, sizeof campaign, pending->campaign_id);
    device_json_string(firmware, sizeof firmware, pending->manifest.firmware_id);
    device_json_string(version, sizeof version, pending->manifest.version);
    snprintf(out, size, "{\"campaign_id\":%s,\"firmware_id\":%s,\"version\":%s}", campaign,
             firmware, version);
}

void agent_device_status(const struct agent_device *device, char out[AGENT_STATUS_TEXT])
{
    char pending[320], version[2 * BOOT_VERSION_MAX + 3];
    const struct agent *agent = &device->agent;
    put_pending(device, pending, sizeof pending);
    device_json_string(version, sizeof version, agent_running_version(agent));
    snprintf(out, AGENT_STATUS_TEXT,
             "{\"device_id\":\"%s\",\"state\":\"%s\",\"version\":%s,\"slot\":\"%s\","
             "\"trial\":%s,\"connected\":%s,\"pending\":%s,\"received_bytes\":%u}",
             device->agent_config.device_id, agent_state_name((int)agent_state(agent)), version,
             device->config->boot.slot == BOOT_SLOT_B ? "B" : "A", device->trial ? "true" : "false",
             agent_mqtt_is_up(device->mqtt) ? "true" : "false", pending,
             agent_received_bytes(agent));
}
