/* Any bytes as QEMU's side of QMP: every reply that is waited for comes once, or the connection is
 * lost once, and nothing else happens. The first byte says in what pieces they come. */
#include "rig/qmp.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned lost, replies;

static void on_lost(void *ctx, const char *why, bool ended)
{
    (void)ctx, (void)ended;
    if (!why || lost++)
        abort();
}

static void on_reply(void *ctx, const json_t *result, const char *error)
{
    (void)ctx;
    replies++;
    if (!result == !error)
        abort();
}

static void on_event(void *ctx, const char *name, const json_t *data, int64_t at_us)
{
    (void)ctx, (void)data;
    if (!name || at_us < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rig_qmp_events events = {.event = on_event, .lost = on_lost};
    static struct ev_loop *loop;
    struct rig_qmp *qmp;
    int pair[2];
    if (!loop)
        loop = ev_loop_new(EVFLAG_AUTO);
    lost = replies = 0;
    if (!size || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
        rig_qmp_open(&qmp, loop, pair[0], &events, NULL))
        return 0;
    unsigned sent = 0;
    for (int i = 0; i < 3; i++)
        sent += !rig_qmp_send(qmp, "query-status", NULL, on_reply, NULL);
    size_t piece = data[0] ? data[0] : size;
    for (size_t at = 1; at < size; at += piece)
        rig_qmp_feed(qmp, data + at, size - at < piece ? size - at : piece);
    if (replies > sent || (lost && replies != sent))
        abort();
    rig_qmp_close(qmp);
    close(pair[1]);
    return 0;
}
