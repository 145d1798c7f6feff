/* The gateway of a board in a run: the run's broker and store, the board's own name and address. */
#include "rig/factory.h"
#include "sim/servers.h"
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { RECONNECT_FIRST_MS = 500, RECONNECT_MAX_MS = 5000, CONNECT_WITHIN_S = 30 };
/* An unreachable board is a brick after 100 s (sim/fleet/collect.c); a connection that hangs is
 * given up after CONNECT_WITHIN_S. At the end a board that has just booted is not through with it
 * yet. */
enum { OWES_MS_MAX = 60000, OWES_AT_END_MS_MAX = 10000 };
enum { HEADER_BYTES_MAX = 65536, TRANSFER_BYTES = 8192 };

/* The boards' clock; ctx: struct sim_body_run. */
static int64_t utc_ms(void *run)
{
    const struct sim_body_run *given = run;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + given->clock_offset_ms;
}

static uint32_t seconds(int64_t us)
{
    return (uint32_t)(us / 1000000);
}

int rig_factory_http(struct agent_http **out, const struct sim_body_run *run, char *message,
                     size_t len)
{
    const struct agent_http_config http = {.tls = run->tls,
                                           .connect_within_s = CONNECT_WITHIN_S,
                                           .stall_s = seconds(run->world->scn->device.stall_us),
                                           .header_bytes_max = HEADER_BYTES_MAX,
                                           .buffer_bytes = TRANSFER_BYTES};
    if (!agent_http_create(out, run->loop, &http))
        return 0;
    snprintf(message, len, "no memory for downloads");
    return -1;
}

void rig_factory_gateway(struct gateway_config *out, char connect_to[RIG_FACTORY_CONNECT_TO_MAX],
                         const struct sim_body_device *given, struct agent_http *http)
{
    const struct agent_clock clock = {utc_ms, (void *)given->run};
    snprintf(connect_to, RIG_FACTORY_CONNECT_TO_MAX, "127.0.0.1:%u", given->store_port);
    *out = (struct gateway_config){
        .loop = given->run->loop,
        .device_id = given->unit->id,
        .http = http,
        .http_connect_to = connect_to,
        .bind_address = given->address,
        .mqtt = {.tls = given->run->tls,
                 .host = "127.0.0.1",
                 .server_name = SIM_BROKER_NAME,
                 .bind_address = given->address,
                 .client_id = given->unit->id,
                 .user = given->unit->id,
                 .secret = given->secret,
                 .one_of_many = true,
                 .port = given->broker_port,
                 .keepalive_s = (uint16_t)seconds(given->run->world->scn->device.keepalive_us),
                 .connect_within_s = CONNECT_WITHIN_S,
                 .clock = clock},
        .reconnect_first_ms = RECONNECT_FIRST_MS,
        .reconnect_max_ms = RECONNECT_MAX_MS,
        .clock = clock,
    };
}

void rig_factory_clock(char out[RIG_FACTORY_CLOCK_MAX], int64_t ms_ago)
{
    time_t at = time(NULL) - (time_t)(ms_ago / 1000);
    struct tm tm;
    gmtime_r(&at, &tm);
    strftime(out, RIG_FACTORY_CLOCK_MAX, "%H:%M:%S UTC", &tm);
}

bool rig_factory_gateway_failed(const struct gateway *gateway, int64_t open_ms, bool at_end,
                                char *why, size_t len)
{
    const char *last;
    char since[RIG_FACTORY_CLOCK_MAX];
    int64_t ms = gateway_owes_ms(gateway, &last);
    ms = ms < open_ms ? ms : open_ms;
    if (ms < (at_end ? OWES_AT_END_MS_MAX : OWES_MS_MAX))
        return false;
    rig_factory_clock(since, ms);
    snprintf(why, len,
             "its gateway (in this process, pid %d) has had no connection to the broker for "
             "%" PRId64 " s, since %s, though the board asks for one (%s): look at the broker, and "
             "at this host's network, descriptors and memory",
             (int)getpid(), ms / 1000, since, *last ? last : "it hangs");
    return true;
}
