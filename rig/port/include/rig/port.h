/*
 * Byte streams to hardware: serial ports, ptys, TCP, Unix sockets. What relay drivers, consoles and
 * OTA lines open alike. Descriptors are non-blocking and close-on-exec, owned by the caller.
 * Deadlines are milliseconds of CLOCK_MONOTONIC from the call. NULL is misuse unless a line allows
 * it. Any thread; a descriptor by one at a time.
 */
#ifndef RIG_PORT_H
#define RIG_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Errors of everything below rig/relay and rig/port; 0 is OK. What state a relay is in after one is
 * not known, except after EOPEN, EBUSY and EUNSUPPORTED: nothing was sent then. */
enum rig_error {
    RIG_OK = 0,
    RIG_EOPEN = -1,        /* can't be opened: no such device, nobody listens, wrong kind */
    RIG_EBUSY = -2,        /* somebody else has it */
    RIG_ESILENT = -3,      /* no answer in time */
    RIG_EANSWER = -4,      /* an answer that is none of this protocol, or to something else */
    RIG_EREFUSED = -5,     /* it understood, and says no: password, range, an error of its own */
    RIG_EGONE = -6,        /* unplugged, or the connection was closed in the middle */
    RIG_EREADBACK = -7,    /* it took the command, and reads back another state */
    RIG_EUNSUPPORTED = -8, /* this kind of hardware can't */
    RIG_EFAILED = -9, /* controller: its state is unknown since an error; switch it off first */
    RIG_EMEMORY = -10,
    RIG_ERRORS = 11 /* how many, RIG_OK included */
};
const char *rig_error_name(int error); /* "silent"; NULL: none of them */
/* Writes what was wrong into message (cut to len) and returns `error`, which is to be handed on. */
int rig_port_say(int error, char *message, size_t len, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

struct rig_serial {
    const char *path;   /* a tty or a pty's name */
    uint32_t baud;      /* 1200 to 921600; a pty takes any */
    bool two_stop_bits; /* else 8N1 in any case, no flow control */
    bool no_hangup;     /* HUPCL is cleared: closing it does not drop DTR and RTS */
};
/* Raw mode; taken for this opening alone (flock; TIOCEXCL unless it is a pty, where it would
 * outlast the opening): EBUSY when somebody has it, also this process. EOPEN: no tty, or a rate
 * that the hardware does not do to within 3 %. What had come before is thrown away. Opening raises
 * DTR and RTS for a moment: Linux offers no way around. */
int rig_port_serial(int *fd, const struct rig_serial *serial, char *message, size_t len);
/* Host name or address; each address is tried, with an equal share of the time that is left.
 * timeout_ms for all of them; looking a name up is not counted in. ESILENT: no answer in time. */
int rig_port_tcp(int *fd, const char *host, uint16_t port, uint32_t timeout_ms, char *message,
                 size_t len);
int rig_port_unix(int *fd, const char *path, char *message, size_t len);

/* Any stream's descriptor, blocking or not; none of these raises SIGPIPE.
 * All of it, or ESILENT (the other side does not read) or EGONE. */
int rig_port_write(int fd, const void *bytes, size_t len, uint32_t timeout_ms);
/* Exactly len bytes, or ESILENT (*got of them came) or EGONE. */
int rig_port_read(int fd, void *bytes, size_t len, size_t *got, uint32_t timeout_ms);
/* Up to and with `end`, at most room - 1 bytes, NUL-terminated. EANSWER: longer than that. */
int rig_port_read_until(int fd, char *text, size_t room, char end, uint32_t timeout_ms);
/* Throws away what has come, 64 KiB at most. EGONE where the other side has gone. */
int rig_port_drain(int fd);

int64_t rig_port_now_us(void); /* CLOCK_MONOTONIC */

#endif
