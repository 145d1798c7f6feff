/*
 * The control socket: a Unix stream socket of mode 0600. A line is an order (status, pause, resume,
 * rollback), and is answered by a line of JSON once it is committed.
 */
#include "service.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS_MAX = 8, IDLE_S = 10, LINE_MAX_BYTES = 64 };

struct client {
    struct svc_control *control;
    int fd; /* -1: free */
    ev_io readable;
    ev_timer idle;
    char line[LINE_MAX_BYTES];
    size_t len;
};

struct svc_control {
    struct svc *svc;
    int fd;
    ev_io acceptable;
    struct client client[CLIENTS_MAX];
};

static void hang_up(struct client *client)
{
    if (client->fd < 0)
        return;
    ev_io_stop(client->control->svc->loop, &client->readable);
    ev_timer_stop(client->control->svc->loop, &client->idle);
    close(client->fd);
    client->fd = -1;
}

/* An answer fits every socket's buffer; who does not take it is hung up on. */
static bool answer(const struct client *client, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (!text)
        return false;
    size_t len = strlen(text);
    text[len] = '\n';
    bool taken = send(client->fd, text, len + 1, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)(len + 1);
    free(text);
    return taken;
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
    char now[SVC_TIME_TEXT];
    camp_progress(svc->camp, &phase, &cohort, &confirmed, &rolled_back, &bricked);
    camp_counts(svc->camp, &counts);
    svc_time_text(now, svc_now_us(svc));
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

static bool order(struct client *client, enum camp_operator_action action)
{
    struct svc *svc = client->control->svc;
    enum camp_state before = camp_state(svc->camp);
    char why[96];
    if (!makes_sense(action, before)) {
        snprintf(why, sizeof why, "it makes no sense while the campaign is %s",
                 svc_state_name(before));
        return answer(client, refusal(why));
    }
    if (camp_operator(svc->camp, action, svc_now_us(svc)) || svc_tick(svc))
        return answer(client, refusal("it was not taken: see the service's log"));
    return answer(client, status(svc));
}

static bool obey(struct client *client, const char *line)
{
    static const struct {
        const char *name;
        enum camp_operator_action action;
    } table[] = {{"pause", CAMP_OPERATOR_PAUSE},
                 {"resume", CAMP_OPERATOR_RESUME},
                 {"rollback", CAMP_OPERATOR_ROLLBACK}};
    if (!strcmp(line, "status"))
        return answer(client, status(client->control->svc));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(line, table[i].name))
            return order(client, table[i].action);
    return answer(client, refusal("no such order; accepted: status, pause, resume, rollback"));
}

static void obey_lines(struct client *client)
{
    char *newline;
    while (client->fd >= 0 && (newline = memchr(client->line, '\n', client->len))) {
        size_t used = (size_t)(newline - client->line) + 1;
        *newline = '\0';
        if (!obey(client, client->line)) {
            hang_up(client);
            return;
        }
        client->len -= used;
        memmove(client->line, client->line + used, client->len);
    }
    if (client->len == sizeof client->line) {
        answer(client, refusal("the line is too long"));
        hang_up(client);
    }
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    struct client *client = io->data;
    (void)events;
    ssize_t got = read(client->fd, client->line + client->len, sizeof client->line - client->len);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        hang_up(client);
        return;
    }
    client->len += (size_t)got;
    ev_timer_again(loop, &client->idle);
    obey_lines(client);
}

static void on_idle(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    hang_up(timer->data);
}

static void on_acceptable(struct ev_loop *loop, ev_io *io, int events)
{
    struct svc_control *control = io->data;
    struct client *client = NULL;
    (void)events;
    int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    for (int i = 0; fd >= 0 && i < CLIENTS_MAX && !client; i++)
        if (control->client[i].fd < 0)
            client = &control->client[i];
    if (!client) {
        if (fd >= 0)
            close(fd);
        return;
    }
    client->fd = fd;
    client->len = 0;
    ev_io_init(&client->readable, on_readable, fd, EV_READ);
    client->readable.data = client;
    ev_io_start(loop, &client->readable);
    ev_timer_again(loop, &client->idle);
}

/* Bound under a mask, so that the socket never stands open to others. The database is locked: a
 * socket that is there already is that of a service that was killed. */
static int listen_at(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct stat found;
    strcpy(at.sun_path, path); /* its length was checked with the settings */
    if (!lstat(path, &found) && S_ISSOCK(found.st_mode))
        unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    mode_t mask = umask(0177);
    int error = bind(fd, (const struct sockaddr *)&at, sizeof at) || listen(fd, CLIENTS_MAX);
    int reason = errno;
    umask(mask);
    if (!error)
        return fd;
    close(fd);
    errno = reason;
    return -1;
}

int svc_control_open(struct svc_control **out, struct svc *svc,
                     char message[SIM_SERVICE_MESSAGE_MAX])
{
    struct svc_control *control = calloc(1, sizeof *control);
    *out = NULL;
    if (!control || (control->fd = listen_at(svc->settings->control)) < 0) {
        snprintf(message, SIM_SERVICE_MESSAGE_MAX, "%.200s: can't listen for orders: %s",
                 svc->settings->control, strerror(errno));
        free(control);
        return -1;
    }
    control->svc = svc;
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &control->client[i];
        client->control = control;
        client->fd = -1;
        ev_init(&client->idle, on_idle);
        client->idle.repeat = IDLE_S;
        client->idle.data = client;
    }
    ev_io_init(&control->acceptable, on_acceptable, control->fd, EV_READ);
    control->acceptable.data = control;
    ev_io_start(svc->loop, &control->acceptable);
    *out = control;
    return 0;
}

void svc_control_close(struct svc_control *control)
{
    if (!control)
        return;
    for (int i = 0; i < CLIENTS_MAX; i++)
        hang_up(&control->client[i]);
    ev_io_stop(control->svc->loop, &control->acceptable);
    close(control->fd);
    unlink(control->svc->settings->control);
    free(control);
}
