/* Serial ports and ptys: opened, taken, set to raw mode and to any rate. The kernel's termios2 is
 * used, because the C library's knows a fixed list of rates; the two headers exclude each other. */
#include "rig/port.h"
#include <asm/termbits.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { BAUD_MIN = 1200, BAUD_MAX = 921600, PTY_MAJOR_FIRST = 136, PTY_MAJOR_LAST = 143 };

static bool is_pty(int fd)
{
    struct stat st;
    return !fstat(fd, &st) && major(st.st_rdev) >= PTY_MAJOR_FIRST &&
           major(st.st_rdev) <= PTY_MAJOR_LAST;
}

/* Two ways, because TIOCEXCL does not stop root, and flock stops only who asks. On a pty whose
 * other side keeps it open TIOCEXCL would still hold after we closed it. */
static int take(int fd, const char *path, char *message, size_t len)
{
    if (flock(fd, LOCK_EX | LOCK_NB))
        return rig_port_say(errno == EWOULDBLOCK ? RIG_EBUSY : RIG_EOPEN, message, len,
                            "%s: %s; close the other program first", path,
                            errno == EWOULDBLOCK ? "somebody else has it open" : strerror(errno));
    if (!is_pty(fd))
        ioctl(fd, TIOCEXCL);
    return RIG_OK;
}

static void set_raw(struct termios2 *tio, const struct rig_serial *serial)
{
    tio->c_iflag = IGNBRK;
    tio->c_oflag = 0;
    tio->c_lflag = 0;
    tio->c_cflag = BOTHER | CS8 | CREAD | CLOCAL;
    tio->c_cflag |= (serial->two_stop_bits ? CSTOPB : 0) | (serial->no_hangup ? 0 : HUPCL);
    tio->c_ispeed = tio->c_ospeed = serial->baud;
    tio->c_cc[VMIN] = 1; /* 0 would make "nothing yet" look like "unplugged" */
    tio->c_cc[VTIME] = 0;
}

static int set_up(int fd, const struct rig_serial *serial, char *message, size_t len)
{
    struct termios2 tio;
    if (ioctl(fd, TCGETS2, &tio))
        return rig_port_say(RIG_EOPEN, message, len, "%s: not a serial port", serial->path);
    set_raw(&tio, serial);
    if (ioctl(fd, TCSETS2, &tio) || ioctl(fd, TCGETS2, &tio))
        return rig_port_say(RIG_EOPEN, message, len, "%s: can't be set up: %s", serial->path,
                            strerror(errno));
    uint32_t off =
        tio.c_ospeed > serial->baud ? tio.c_ospeed - serial->baud : serial->baud - tio.c_ospeed;
    if (off > serial->baud / 100 * 3)
        return rig_port_say(RIG_EOPEN, message, len, "%s: does %u baud instead of %u", serial->path,
                            tio.c_ospeed, serial->baud);
    ioctl(fd, TCFLSH, TCIFLUSH); /* not what a program before this one sent: it is on its way */
    return RIG_OK;
}

/* An FTDI adapter holds bytes back for 16 ms otherwise. Others don't know it: no error. */
static void set_prompt(int fd)
{
    struct serial_struct info;
    if (ioctl(fd, TIOCGSERIAL, &info))
        return;
    info.flags |= (int)ASYNC_LOW_LATENCY;
    ioctl(fd, TIOCSSERIAL, &info);
}

int rig_port_serial(int *fd, const struct rig_serial *serial, char *message, size_t len)
{
    assert(fd && serial && serial->path && message);
    *fd = -1;
    if (serial->baud < BAUD_MIN || serial->baud > BAUD_MAX)
        return rig_port_say(RIG_EOPEN, message, len, "%s: %u baud: only %d to %d", serial->path,
                            serial->baud, BAUD_MIN, BAUD_MAX);
    int opened = open(serial->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (opened < 0)
        return rig_port_say(errno == EBUSY ? RIG_EBUSY : RIG_EOPEN, message, len, "%s: %s",
                            serial->path, strerror(errno));
    int error = isatty(opened)
                    ? take(opened, serial->path, message, len)
                    : rig_port_say(RIG_EOPEN, message, len, "%s: not a serial port", serial->path);
    if (!error)
        error = set_up(opened, serial, message, len);
    if (error) {
        close(opened);
        return error;
    }
    set_prompt(opened);
    *fd = opened;
    return RIG_OK;
}
