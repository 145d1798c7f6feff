/*
 * A pty that stands for a device's port: raw, under a stable name (a symbolic link), on a libev
 * loop. The rig opens, closes and opens it again, as it does a serial port; this side stays.
 *
 *   - Nobody has it open: what is written is lost, as on a wire that nobody listens to. Who opens
 * it next finds nothing old, and no exclusive mode of a rig that was killed.
 *   - Somebody has it open and does not read: out_max bytes wait, what is more is lost and counted.
 *   - config.room says how much the device takes now: what is more waits in the pty, and the rig's
 *     write waits in the end.
 *
 * One thread. NULL is misuse unless a line allows it. A pty whose other end is closed is readable
 * (EIO) for ever: so it is watched edge-triggered, by a descriptor of its own.
 */
#ifndef EM_PORT_H
#define EM_PORT_H

#include <ev.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct em_port;

struct em_hub { /* all ports of an emulator */
    struct ev_loop *loop;
    ev_timer again; /* runs while a port waits for room */
    struct em_port *first;
};

struct em_port_config { /* copied, path too */
    const char *path;   /* of the symbolic link */
    size_t out_max;
    void (*input)(void *ctx, const void *bytes, size_t len);
    size_t (*room)(void *ctx);  /* NULL: always enough */
    void (*drained)(void *ctx); /* nothing waits any more: more may be written. May be NULL */
    void *ctx;
};

struct em_port {
    struct em_hub *hub;
    struct em_port *next;
    struct em_port_config config;
    char path[PATH_MAX], name[64]; /* the link, and the pty that it leads to */
    int fd;                        /* -1: unplugged */
    int epoll;                     /* watches fd, edge-triggered */
    ev_io happens;                 /* and is watched by the loop */
    bool open;                     /* somebody had it open when it was looked at */
    bool waits;                    /* for room: bytes may be there */
    uint8_t *out;
    size_t at, have;
    uint64_t bytes_in, bytes_out, dropped;
};

void em_hub_open(struct em_hub *hub, struct ev_loop *loop);
void em_hub_close(struct em_hub *hub); /* after its ports; zeroed: allowed */

/* An old link of that name is replaced, any other file is not. 0, or -1 with errno. */
int em_port_open(struct em_port *port, struct em_hub *hub, const struct em_port_config *config);
void em_port_close(struct em_port *port); /* removes the link; also one never opened (zeroed) */

void em_port_unplug(struct em_port *port); /* the pty hangs up, the link is removed */
int em_port_plug(struct em_port *port);    /* 0, or -1 with errno; plugged already: 0 */

void em_port_write(struct em_port *port, const void *bytes, size_t len);
size_t em_port_waiting(const struct em_port *port); /* bytes that wait for the reader */
bool em_port_is_open(struct em_port *port);         /* has somebody opened it? */

#endif
