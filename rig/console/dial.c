/* Dialling in a thread: see dial.h. */
#include "dial.h"
#include "rig/port.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rig_dial {
    pthread_mutex_t lock; /* of what follows */
    bool over, abandoned;
    int fd;
    struct ev_loop *loop;
    ev_async *wake;
    uint16_t port;
    char host[]; /* not changed */
};

static void drop(struct rig_dial *dial)
{
    pthread_mutex_destroy(&dial->lock);
    free(dial);
}

static void *run(void *argument)
{
    struct rig_dial *dial = argument;
    char message[256];
    int fd;
    if (rig_port_tcp(&fd, dial->host, dial->port, RIG_DIAL_MS, message, sizeof message))
        fd = -1;
    pthread_mutex_lock(&dial->lock);
    bool abandoned = dial->abandoned;
    dial->fd = fd;
    dial->over = true;
    if (!abandoned)
        ev_async_send(dial->loop, dial->wake);
    pthread_mutex_unlock(&dial->lock);
    if (abandoned) {
        if (fd >= 0)
            close(fd);
        drop(dial);
    }
    return NULL;
}

/* Signals are the business of the program's own threads. */
static int start(struct rig_dial *dial)
{
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, NULL, run, dial);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        pthread_detach(thread);
    return failed;
}

struct rig_dial *rig_dial_begin(const char *host, uint16_t port, struct ev_loop *loop,
                                ev_async *wake)
{
    size_t len = strlen(host) + 1;
    struct rig_dial *dial = malloc(sizeof *dial + len);
    if (!dial)
        return NULL;
    *dial = (struct rig_dial){.fd = -1, .loop = loop, .wake = wake, .port = port};
    memcpy(dial->host, host, len);
    pthread_mutex_init(&dial->lock, NULL);
    if (start(dial)) {
        drop(dial);
        return NULL;
    }
    return dial;
}

bool rig_dial_take(struct rig_dial *dial, int *fd)
{
    pthread_mutex_lock(&dial->lock);
    bool over = dial->over;
    *fd = dial->fd;
    pthread_mutex_unlock(&dial->lock);
    if (over)
        drop(dial);
    return over;
}

void rig_dial_abandon(struct rig_dial *dial)
{
    if (!dial)
        return;
    pthread_mutex_lock(&dial->lock);
    bool over = dial->over;
    dial->abandoned = true;
    pthread_mutex_unlock(&dial->lock);
    if (!over)
        return;
    if (dial->fd >= 0)
        close(dial->fd);
    drop(dial);
}
