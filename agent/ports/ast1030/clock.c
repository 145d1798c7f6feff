/*
 * UTC on a board without a battery: a guess at the start, right as soon as the line says so. The
 * guess never lies behind what the board has seen: the time kept over a reset, the newest status in
 * the journal, the release's date. What the agent times goes on when the clock is set; what the
 * calendar decides is looked up anew (agent_clock_set).
 */
#include "device.h"

/* A smaller step is the line's own delay. */
enum { STEP_LEAST_MS = 100 };
static const int64_t utc_least_ms = 1577836800000; /* 2020 */
static const int64_t utc_most_ms = 4102444800000;  /* 2100 */

uint64_t fw_mono_ms(void)
{
    return board_us() / 1000;
}

int64_t fw_utc_ms(const struct fw_device *device)
{
    return (int64_t)fw_mono_ms() + device->utc_minus_mono;
}

/* agent_start reads the journal again, into the same place. */
static int64_t journal_newest_ms(struct fw_device *device)
{
    struct agent_journal *journal = &device->agent.journal;
    int64_t newest_ms = 0;
    if (agent_journal_open(journal, device->env.flash, device->env.layout))
        return 0;
    for (uint32_t i = 0; i < journal->outbox_count; i++)
        if (journal->outbox[i].at_ms > newest_ms && journal->outbox[i].at_ms < utc_most_ms)
            newest_ms = journal->outbox[i].at_ms;
    return newest_ms;
}

void fw_clock_guess(struct fw_device *device)
{
    struct fw_keep keep;
    int64_t utc_ms = device->app->built_ms, newest_ms = journal_newest_ms(device);
    fw_keep_read(&keep);
    if (newest_ms > utc_ms)
        utc_ms = newest_ms;
    if (keep.utc_ms > utc_ms && keep.utc_ms < utc_most_ms)
        utc_ms = keep.utc_ms;
    device->utc_minus_mono = utc_ms - (int64_t)fw_mono_ms();
}

void fw_clock_set(struct fw_device *device, int64_t utc_ms)
{
    if (utc_ms < utc_least_ms || utc_ms > utc_most_ms) {
        FW_LOG(device, "warn", "time_refused", FW_NUMBER("utc_ms", utc_ms));
        return;
    }
    int64_t from_ms = fw_utc_ms(device), by_ms = utc_ms - from_ms;
    bool first = !device->time_known;
    device->time_known = true;
    if (by_ms > STEP_LEAST_MS || by_ms < -STEP_LEAST_MS) {
        device->utc_minus_mono += by_ms;
        FW_LOG(device, "info", "time_set", FW_NUMBER("by_ms", by_ms));
        if (device->running)
            agent_clock_set(&device->agent, from_ms, from_ms + by_ms);
        fw_core_input(device, &(struct agent_event){.kind = AGENT_EV_TIME});
    }
    if (first)
        fw_mqtt_time_known(device);
}
