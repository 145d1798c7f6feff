/* libcurl's multi socket interface on libev: its sockets, its timer, and what is done when it
 * returns. */
#include "http_core.h"
#include <stdlib.h>

struct http_socket {
    ev_io io; /* io.data: the struct agent_http */
};

static struct agent_transfer *transfer_of(CURL *easy)
{
    char *transfer = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    return (struct agent_transfer *)(void *)transfer;
}

static void free_cancelled(struct agent_http *http)
{
    for (struct agent_transfer *next, *transfer = http->all; transfer; transfer = next) {
        next = transfer->next;
        if (transfer->cancelled)
            http_transfer_free(transfer);
    }
    http->to_free = 0;
}

/* Outside of libcurl's callbacks: those that were cancelled inside go, those that ended are told.
 */
static void settle(struct agent_http *http)
{
    CURLMsg *message;
    int left;
    if (http->to_free)
        free_cancelled(http);
    while ((message = curl_multi_info_read(http->multi, &left))) {
        if (message->msg == CURLMSG_DONE)
            http_finish(transfer_of(message->easy_handle), message->data.result);
    }
}

static void run(struct agent_http *http, curl_socket_t socket, int events)
{
    int running;
    http->busy++;
    curl_multi_socket_action(http->multi, socket, events, &running);
    http->busy--;
    settle(http);
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    int mask =
        (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0);
    (void)loop;
    run(io->data, io->fd, mask); /* io may be gone now */
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    run(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
    struct agent_http *http = ctx;
    struct http_socket *socket = known;
    (void)easy;
    if (socket)
        ev_io_stop(http->loop, &socket->io);
    if (what == CURL_POLL_REMOVE) {
        free(socket);
        return 0;
    }
    if (!socket) {
        if (!(socket = calloc(1, sizeof *socket)))
            return -1;
        curl_multi_assign(http->multi, fd, socket);
    }
    ev_io_init(&socket->io, on_io, (int)fd,
               (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    socket->io.data = http;
    ev_io_start(http->loop, &socket->io);
    return 0;
}

static int on_timeout(CURLM *multi, long timeout_ms, void *ctx)
{
    struct agent_http *http = ctx;
    (void)multi;
    ev_timer_stop(http->loop, &http->timer);
    if (timeout_ms >= 0) {
        ev_timer_set(&http->timer, (double)timeout_ms / 1000, 0);
        ev_timer_start(http->loop, &http->timer);
    }
    return 0;
}

/* The next that is not added yet. An error's receiver may start and cancel others: the list is
 * looked through anew, and its newest are in front. */
static struct agent_transfer *waiting(struct agent_http *http)
{
    struct agent_transfer *transfer = http->to_add ? http->all : NULL;
    while (transfer && transfer->added)
        transfer = transfer->next;
    return transfer;
}

static struct agent_transfer *to_pause(struct agent_http *http)
{
    struct agent_transfer *transfer = http->all;
    while (transfer &&
           (!transfer->added || transfer->cancelled || transfer->paused == transfer->stopped))
        transfer = transfer->next;
    return transfer;
}

/* From the loop: going on calls the receiver, which may pause, cancel and start others. */
static void pause_all(struct agent_http *http)
{
    struct agent_transfer *transfer;
    http->to_pause = false;
    http->busy++;
    while ((transfer = to_pause(http))) {
        transfer->stopped = transfer->paused;
        curl_easy_pause(transfer->easy, transfer->paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
    }
    http->busy--;
}

static void on_kick(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct agent_http *http = timer->data;
    struct agent_transfer *transfer;
    (void)loop, (void)events;
    while ((transfer = waiting(http))) {
        http->busy++;
        transfer->added = true;
        http->to_add--;
        CURLMcode error = curl_multi_add_handle(http->multi, transfer->easy);
        http->busy--;
        if (error)
            http_finish(transfer, CURLE_OUT_OF_MEMORY);
    }
    if (http->to_pause)
        pause_all(http);
    settle(http);
}

void http_loop_kick(struct agent_http *http)
{
    if (!ev_is_active(&http->kick)) {
        ev_timer_set(&http->kick, 0, 0);
        ev_timer_start(http->loop, &http->kick);
    }
}

/* Not restarted with each byte: when it fires, it looks how long ago the last one came. */
static void on_stall(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct agent_transfer *transfer = timer->data;
    double silent = ev_now(loop) - transfer->last_byte;
    double allowed = transfer->http->config.stall_s;
    (void)events;
    if (transfer->paused)
        silent = 0;
    if (silent >= allowed) {
        transfer->fault = "no byte came for too long";
        http_finish(transfer, CURLE_OPERATION_TIMEDOUT);
        return;
    }
    ev_timer_set(timer, allowed - silent, 0);
    ev_timer_start(loop, timer);
}

void http_loop_stall(struct agent_transfer *transfer)
{
    struct ev_loop *loop = transfer->http->loop;
    transfer->last_byte = ev_now(loop);
    if (ev_is_active(&transfer->stall))
        return;
    ev_timer_init(&transfer->stall, on_stall, transfer->http->config.stall_s, 0);
    transfer->stall.data = transfer;
    ev_timer_start(loop, &transfer->stall);
}

int http_loop_init(struct agent_http *http)
{
    ev_init(&http->timer, on_timer);
    ev_init(&http->kick, on_kick);
    http->timer.data = http->kick.data = http;
    http->multi = curl_multi_init();
    if (!http->multi)
        return AGENT_DRIVERS_EMEMORY;
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    return AGENT_DRIVERS_OK;
}

void http_loop_stop(struct agent_http *http)
{
    curl_multi_cleanup(http->multi); /* may still ask for a timeout */
    ev_timer_stop(http->loop, &http->timer);
    ev_timer_stop(http->loop, &http->kick);
}
