/*
 * The orders of the control socket (status, pause, resume, rollback), each answered by a line of
 * JSON once it is committed; and `brickyard service --config FILE --order ORDER`, its other end.
 */
#include "daemon_kit/control.h"
#include "service.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { CLIENTS_MAX = 8, LINE_BYTES = 64, ANSWER_WITHIN_S = 30 };

/* Takes the reference. False: no memory, or no room. */
static bool put(char answer[AGENT_KIT_ANSWER_MAX], json_t *json)
{
    size_t len = json ? json_dumpb(json, answer, AGENT_KIT_ANSWER_MAX - 1, JSON_COMPACT) : 0;
    json_decref(json);
    if (!len || len >= AGENT_KIT_ANSWER_MAX)
        return false;
    answer[len] = '\0';
    return true;
}

static json_t *refusal(const char *why)
{
    return json_pack("{s:b, s:s}", "ok", 0, "error", why);
}

static json_t *status(const struct svc *svc)
{
    const char *phase;
    uint32_t cohort, confirmed, rolled_back, bricked;
    struct camp_counts counts;
    char now[AGENT_TIME_TEXT];
    camp_progress(svc->camp, &phase, &cohort, &confirmed, &rolled_back, &bricked);
    camp_counts(svc->camp, &counts);
    agent_time_text(now, svc_now_us(svc) / 1000);
    return json_pack(
        "{s:b, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I}", //
        "ok", 1, "campaign", svc->plan.scn->name, "state", svc_state_name(camp_state(svc->camp)),
        "now", now, "phase", phase, "cohort", (json_int_t)cohort, "confirmed",
        (json_int_t)confirmed, "rolled_back", (json_int_t)rolled_back, "presumed_bricked",
        (json_int_t)bricked, "connected", sim_desk_is_up(svc->desk), "outstanding",
        (json_int_t)sim_desk_outstanding(svc->desk), "statuses", (json_int_t)counts.statuses,
        "telemetry", (json_int_t)counts.telemetry, "late", (json_int_t)counts.late, "dropped",
        (json_int_t)counts.dropped);
}

/* As the table of sim/campaign/README.md, "The operator's orders", says. */
static bool makes_sense(enum camp_operator_action action, enum camp_state state)
{
    bool goes_on = state == CAMP_RUNNING || state == CAMP_OBSERVING;
    if (action == CAMP_OPERATOR_PAUSE)
        return goes_on;
    return state == CAMP_PAUSED || (goes_on && action == CAMP_OPERATOR_ROLLBACK);
}

static bool order(struct svc *svc, char answer[AGENT_KIT_ANSWER_MAX],
                  enum camp_operator_action action)
{
    enum camp_state before = camp_state(svc->camp);
    char why[96];
    if (!makes_sense(action, before)) {
        snprintf(why, sizeof why, "it makes no sense while the campaign is %s",
                 svc_state_name(before));
        return put(answer, refusal(why));
    }
    if (camp_operator(svc->camp, action, svc_now_us(svc)) || svc_tick(svc))
        return put(answer, refusal("it was not taken: see the service's log"));
    return put(answer, status(svc));
}

static bool obey(void *ctx, char answer[AGENT_KIT_ANSWER_MAX], const char *line, size_t len)
{
    static const struct {
        const char *name;
        enum camp_operator_action action;
    } table[] = {{"pause", CAMP_OPERATOR_PAUSE},
                 {"resume", CAMP_OPERATOR_RESUME},
                 {"rollback", CAMP_OPERATOR_ROLLBACK}};
    struct svc *svc = ctx;
    (void)len;
    if (!strcmp(line, "status"))
        return put(answer, status(svc));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(line, table[i].name))
            return order(svc, answer, table[i].action);
    return put(answer, refusal("no such order; accepted: status, pause, resume, rollback"));
}

/* The database is locked: a socket that is there already is that of a service that was killed. */
int svc_control_open(struct svc *svc, char message[SIM_SERVICE_MESSAGE_MAX])
{
    const struct agent_kit_control_config config = {
        .loop = svc->loop,
        .path = svc->settings->control,
        .clients = CLIENTS_MAX,
        .line_bytes = LINE_BYTES,
        .too_long = "{\"ok\":false,\"error\":\"the line is too long\"}",
        .obey = obey,
        .ctx = svc,
    };
    if (!agent_kit_control_open(&svc->control, &config))
        return 0;
    snprintf(message, SIM_SERVICE_MESSAGE_MAX, "%.200s: can't listen for orders: %s", config.path,
             strerror(errno));
    return -1;
}

int sim_service_order(const struct sim_service_settings *settings, const char *line)
{
    char answer[AGENT_KIT_ANSWER_MAX];
    if (strlen(line) + 1 >= LINE_BYTES || strchr(line, '\n')) {
        fprintf(stderr, "brickyard service: --order: accepted: status, pause, resume, rollback\n");
        return SIM_SERVICE_USAGE;
    }
    if (agent_kit_control_ask(answer, settings->control, line, ANSWER_WITHIN_S)) {
        fprintf(stderr, "brickyard service: %s: no answer%s%s; does the service run?\n",
                settings->control, errno ? ": " : "", errno ? strerror(errno) : "");
        return SIM_SERVICE_USAGE;
    }
    printf("%s\n", answer);
    return strncmp(answer, "{\"ok\":true", 10) ? SIM_SERVICE_USAGE : SIM_SERVICE_OK;
}
