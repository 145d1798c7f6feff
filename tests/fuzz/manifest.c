/*
 * Every text that reaches the agent from outside: messages, versions, zones, windows. The bytes are
 * read as each of them, and as lines of "version, version, zone, window". Beyond memory, which the
 * sanitizers watch, what is accepted must keep the promises of the headers.
 */
#include "agent/agent.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Accepted, or refused with an error of the header and nothing left behind. */
static void require_outcome(int error, const void *out, size_t bytes)
{
    const uint8_t *at = out;
    require(error == AGENT_OK || error == AGENT_EFORMAT || error == AGENT_EMISSING ||
            error == AGENT_ERANGE);
    for (size_t i = 0; error && i < bytes; i++)
        require(at[i] == 0);
}

static void feed_messages(const uint8_t *data, size_t size)
{
    static struct agent_notification notification;
    static struct agent_command command;
    int error = agent_notification_parse(&notification, (const char *)data, (uint32_t)size);
    require_outcome(error, &notification, sizeof notification);
    if (!error) {
        require(notification.manifest.binary_size_bytes > 0 && notification.campaign_id[0]);
        require(notification.manifest.signature_bytes > 0 &&
                notification.manifest.signature_bytes <= BOOT_SIGNATURE_MAX);
    }
    error = agent_command_parse(&command, (const char *)data, (uint32_t)size);
    require_outcome(error, &command, sizeof command);
    require(error || (unsigned)command.kind < AGENT_CMD_KINDS);
}

static void feed_versions(const char *a, const char *b)
{
    int forth = 0, back = 0;
    int error = agent_version_compare(&forth, a, b);
    require(error == agent_version_compare(&back, b, a));
    require(forth == -back && forth >= -1 && forth <= 1);
    require(!agent_version_compare(&forth, a, a) || error);
    require(forth == 0 || error == AGENT_OK);
}

static void feed_window(const char *zone_text, const char *window_text)
{
    static const int64_t moments_ms[] = {0, 1774746000000, 1792890000000, 1767225599999};
    struct agent_zone zone;
    struct agent_window window;
    int error = agent_zone_parse(&zone, zone_text);
    require(error == AGENT_OK || error == AGENT_ERANGE);
    error = agent_window_parse(&window, window_text);
    require(error == AGENT_OK || error == AGENT_ERANGE);
    for (size_t i = 0; i < sizeof moments_ms / sizeof *moments_ms; i++) {
        int64_t next_ms = 0;
        int32_t offset_s = agent_zone_offset(&zone, moments_ms[i] / 1000);
        require(offset_s == zone.offset_s || offset_s == zone.dst_offset_s);
        bool open = agent_window_open(&window, &zone, moments_ms[i], &next_ms);
        require(next_ms > moments_ms[i]);
        require(agent_window_open(&window, &zone, next_ms - 1, NULL) == open);
        require(agent_window_open(&window, &zone, next_ms, NULL) != open);
    }
}

/* Ends the line and returns the next one; the last line is followed by empty ones. */
static char *next_line(char *line)
{
    char *end = strchr(line, '\n');
    if (!end)
        return line + strlen(line);
    *end = '\0';
    return end + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    feed_messages(data, size);
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    feed_versions(text, "1.0.0-rc.1");
    feed_window(text, "daily 01:00-05:00 local");
    feed_window("CET-1CEST,M3.5.0,M10.5.0/3", text);
    char *second = next_line(text);
    char *third = next_line(second);
    char *fourth = next_line(third);
    next_line(fourth);
    feed_versions(text, second);
    feed_window(third, fourth);
    free(text);
    return 0;
}
