/* The two ends of the control socket: what the daemon answers, and `ota-agent --control ORDER`. */
#include "control.h"
#include "daemon_kit/control.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENTS_MAX = 4, ANSWER_WITHIN_S = 10 };

struct agent_control {
    struct agent_kit_control *socket;
    struct agent_device *device;
    const struct agent_log *log;
    uint32_t orders;
};

_Static_assert((int)AGENT_STATUS_TEXT <= (int)AGENT_KIT_ANSWER_MAX, "a status is an answer");

static bool obey(void *ctx, char answer[AGENT_KIT_ANSWER_MAX], const char *line, size_t len)
{
    struct agent_control *control = ctx;
    struct agent_order order;
    const char *wrong = agent_order_parse(&order, line, len, ++control->orders);
    if (wrong) {
        snprintf(answer, AGENT_KIT_ANSWER_MAX, "{\"ok\":false,\"error\":\"%s\"}", wrong);
        return true;
    }
    if (order.kind == AGENT_ORDER_STATUS) {
        agent_device_status(control->device, answer);
        return true;
    }
    AGENT_LOG(control->log, AGENT_LOG_INFO, "control", AGENT_TEXT("order", order.json));
    agent_device_command(control->device, order.json, (uint32_t)strlen(order.json));
    snprintf(answer, AGENT_KIT_ANSWER_MAX, "{\"ok\":true,\"state\":\"%s\"}",
             agent_state_name((int)agent_state(&control->device->agent)));
    return true;
}

int agent_control_open(struct agent_control **out, struct ev_loop *loop, const char *path,
                       struct agent_device *device, const struct agent_log *log, char *message,
                       size_t len)
{
    struct agent_control *control = calloc(1, sizeof *control);
    const struct agent_kit_control_config config = {
        .loop = loop,
        .path = path,
        .clients = CLIENTS_MAX,
        .line_bytes = AGENT_ORDER_LINE_MAX,
        .too_long = "{\"ok\":false,\"error\":\"line too long\"}",
        .obey = obey,
        .ctx = control,
    };
    *out = NULL;
    if (!control || agent_kit_control_open(&control->socket, &config)) {
        snprintf(message, len, "%s: can't listen: %s", path, strerror(errno));
        free(control);
        return -1;
    }
    control->device = device;
    control->log = log;
    *out = control;
    return 0;
}

void agent_control_close(struct agent_control *control)
{
    if (!control)
        return;
    agent_kit_control_close(control->socket);
    free(control);
}

int agent_control_ask(const char *path, const char *line)
{
    char answer[AGENT_KIT_ANSWER_MAX];
    if (strlen(line) + 1 >= AGENT_ORDER_LINE_MAX) {
        fprintf(stderr, "ota-agent: --control: too long; accepted: one order\n");
        return 1;
    }
    if (agent_kit_control_ask(answer, path, line, ANSWER_WITHIN_S)) {
        fprintf(stderr, "ota-agent: %s: no answer: %s; does the daemon run?\n", path,
                strerror(errno));
        return 1;
    }
    printf("%s\n", answer);
    return strncmp(answer, "{\"ok\":false", 11) ? 0 : 1;
}
