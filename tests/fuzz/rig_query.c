/* Any bytes as a request's target: what is taken names something, within its bounds, and says the
 * same when it is written plainly and read again. */
#include "outlet.h"
#include "query.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static size_t escaped(char *out, const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += (size_t)sprintf(out + n, "%%%02X", (unsigned char)*text);
    return n;
}

static void again(const struct rig_query *query)
{
    static const char *const request[] = {"on", "off", "reboot"};
    char text[RIG_SERVER_URL_MAX], name[RIG_QUERY_NAME_MAX * 3 + 1], message[256];
    struct rig_query second;
    int n;
    escaped(name, *query->alias ? query->alias : query->hostname);
    n = snprintf(text, sizeof text, "/power/control/%s?%s=%s", request[query->request],
                 *query->alias ? "alias" : "hostname", name);
    if (query->port_given)
        n += snprintf(text + n, sizeof text - (size_t)n, "&port=%u", query->port);
    if (query->delay_given)
        n += snprintf(text + n, sizeof text - (size_t)n, "&delay=%u", query->delay_s);
    must(rig_query_parse(&second, text, (size_t)n, message, sizeof message) == RIG_QUERY_TAKEN);
    must(second.request == query->request && !strcmp(second.hostname, query->hostname) &&
         !strcmp(second.alias, query->alias) && second.port_given == query->port_given &&
         second.delay_given == query->delay_given && second.port == query->port &&
         second.delay_s == query->delay_s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rig_relay_driver driver = {.channel_first = 1, .channel_last = 8};
    static const struct rig_bench bench = {
        .name = "d",
        .controller = {{.name = "b", .driver = &driver}},
        .controllers = 1,
        .board = {{.name = "p", .power = {.channel = 1}, .reset = {.channel = 2}},
                  {.name = "q", .power = {.controller = -1}, .reset = {.controller = -1}}},
        .boards = 2,
    };
    struct rig_query query;
    struct rig_outlet outlet;
    char message[256] = "", *exact = malloc(size ? size : 1);
    must(exact);
    if (size)
        memcpy(exact, data, size);
    enum rig_query_outcome outcome = rig_query_parse(&query, exact, size, message, sizeof message);
    free(exact);
    must((outcome == RIG_QUERY_INVALID) == (*message != '\0'));
    if (outcome != RIG_QUERY_TAKEN)
        return 0;
    must((*query.hostname != '\0') != (*query.alias != '\0'));
    must(query.port <= 999999999 && query.delay_s <= RIG_SERVER_DELAY_MAX_S);
    again(&query);
    if (rig_outlet_find(&outlet, &bench, &query, message, sizeof message))
        must(!outlet.controller && outlet.channel >= 1 && outlet.channel <= 8);
    else
        must(*message);
    return 0;
}
