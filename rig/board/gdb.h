/*
 * GDB's remote serial protocol, the client's side, on a socket and a libev loop: packets,
 * checksums, acknowledgements, write watchpoints, memory, step, continue, interrupt. Requests may
 * follow each other without waiting; replies come in order. What comes is not trusted.
 *
 * Acknowledgements: QEMU 7.2 knows no QStartNoAckMode, takes the `$` of the next packet for one,
 * and stops the machine at any byte that it gets while it runs. So a reply is acknowledged only
 * when no request was sent behind its own.
 */
#ifndef RIG_GDB_H
#define RIG_GDB_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rig_gdb;

enum { RIG_GDB_PACKET_MAX = 4096, RIG_GDB_WAITING_MAX = 16, RIG_GDB_READ_MAX = 1024 };
enum { RIG_GDB_WRITE_MAX = 16 };
enum { RIG_GDB_QUIT = 3, RIG_GDB_TRAP = 5, RIG_GDB_ALARM = 14 };

struct rig_gdb_stop {
    unsigned signal; /* as gdb numbers them: TRAP, QUIT: QEMU's guest reset, ALARM: its watchdog */
    bool watch;      /* a write watchpoint, at addr */
    uint32_t addr;
};

struct rig_gdb_events {
    void (*stopped)(void *ctx, const struct rig_gdb_stop *stop);
    void (*lost)(void *ctx, const char *why, bool ended); /* once; as in rig/qmp.h */
};

/* bytes NULL: refused. */
typedef void rig_gdb_bytes(void *ctx, const uint8_t *bytes, size_t len);

/* Owns fd, also when it fails. 0, or -1: no memory. */
int rig_gdb_open(struct rig_gdb **out, struct ev_loop *loop, int fd,
                 const struct rig_gdb_events *events, void *ctx);
void rig_gdb_close(struct rig_gdb *gdb); /* NULL allowed; no callback comes after it */
bool rig_gdb_is_lost(const struct rig_gdb *gdb);
int rig_gdb_fd(const struct rig_gdb *gdb); /* -1: lost */
void rig_gdb_work(struct rig_gdb *gdb);    /* reads what is there */

/* A write watchpoint set or taken away. A stub that refuses it ends the connection. */
void rig_gdb_watch(struct rig_gdb *gdb, uint32_t addr, uint32_t len, bool set);
/* len: up to RIG_GDB_READ_MAX. */
void rig_gdb_read(struct rig_gdb *gdb, uint32_t addr, uint32_t len, rig_gdb_bytes *got, void *ctx);
/* len: up to RIG_GDB_WRITE_MAX. A stub that refuses it ends the connection. */
void rig_gdb_write(struct rig_gdb *gdb, uint32_t addr, const uint8_t *bytes, uint32_t len);
void rig_gdb_step(struct rig_gdb *gdb); /* `stopped` follows */
void rig_gdb_continue(struct rig_gdb *gdb);
void rig_gdb_interrupt(struct rig_gdb *gdb); /* while it runs; `stopped` follows */
void rig_gdb_flush(struct rig_gdb *gdb);     /* requests go out with this, in one piece */

/* As if it came over the socket. */
void rig_gdb_feed(struct rig_gdb *gdb, const void *bytes, size_t len);

#endif
