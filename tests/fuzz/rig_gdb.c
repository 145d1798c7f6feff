/* Any bytes as a gdbstub's side: no more answers than questions, lost at most once. */
#include "gdb.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned lost, answers;

static void on_lost(void *ctx, const char *why, bool ended)
{
    (void)ctx, (void)ended;
    if (!why || lost++)
        abort();
}

static void on_stop(void *ctx, const struct rig_gdb_stop *stop)
{
    (void)ctx;
    if (stop->signal > 255)
        abort();
}

static void on_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
    (void)ctx;
    answers++;
    if (bytes ? len != 8 : len != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rig_gdb_events events = {on_stop, on_lost};
    static struct ev_loop *loop;
    struct rig_gdb *gdb;
    int pair[2];
    if (!loop)
        loop = ev_loop_new(EVFLAG_AUTO);
    lost = answers = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
        rig_gdb_open(&gdb, loop, pair[0], &events, NULL))
        return 0;
    rig_gdb_watch(gdb, 0x18810, 4, true);
    for (uint32_t i = 0; i < 4; i++)
        rig_gdb_read(gdb, i, 8, on_bytes, NULL);
    rig_gdb_flush(gdb);
    rig_gdb_feed(gdb, data, size);
    if (answers > 4)
        abort();
    rig_gdb_close(gdb);
    close(pair[1]);
    return 0;
}
