/* The kernel's own words about a line; apart, because its header and the C library's exclude each
 * other. */
#include "kit.h"
#include <asm/termbits.h>
#include <sys/ioctl.h>

struct line line_of(int master)
{
    struct termios2 tio;
    cr_assert_eq(ioctl(master, TCGETS2, &tio), 0);
    return (struct line){
        .baud = tio.c_ospeed,
        .raw = !(tio.c_lflag & (ICANON | ECHO | ISIG)) && !(tio.c_oflag & OPOST) &&
               !(tio.c_iflag & (ICRNL | INLCR | ISTRIP)),
        .eight_bits = (tio.c_cflag & CSIZE) == CS8,
        .parity = tio.c_cflag & PARENB,
        .two_stop_bits = tio.c_cflag & CSTOPB,
        .hangup = tio.c_cflag & HUPCL,
        .flow_control = (tio.c_cflag & CRTSCTS) || (tio.c_iflag & (IXON | IXOFF)),
    };
}
