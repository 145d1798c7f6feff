/* The lab on the ast1030-evb board: its NOR driver, BearSSL, and the OTA line as the lab's line. */
#include "board/hal.h"
#include "boot/bearssl.h"
#include "lab.h"

enum { IMAGE_MAX = BOARD_SLOT_BYTES, RAM_MAX = 96 * 1024, WAIT_MS = 1000 };
/* Left in SRAM by this program; all zero after a power cut. */
enum { BEEN_HERE = 0x4C414221 };

static struct {
    struct lab_board lab;
    struct boot_bearssl bearssl;
    struct boot_crypto crypto;
    _Alignas(16) uint8_t ram[RAM_MAX];
    uint8_t image[IMAGE_MAX];
} board;

#ifdef LAB_CANARY
/* A driver with a fault, which the lab's own test has to see found (tests/lab/canary.c). */
extern const struct boot_flash lab_canary;
static const struct boot_flash *const nor = &lab_canary;
#else
static const struct boot_flash *const nor = &board_flash;
#endif

/* What nor.c calls here instead of board_wait_us: the part's busy times are left out, for time is
 * the host's, and the emulation is never busy. That it is not is still asked of its status. */
void lab_wait_us(uint32_t us);
void lab_wait_us(uint32_t us)
{
    (void)us;
}

/* The device writes a few words with newlib's snprintf, which brings a heap along. There is none.
 */
void *_sbrk(ptrdiff_t bytes);
void *_sbrk(ptrdiff_t bytes)
{
    (void)bytes;
    return (void *)-1;
}

/* The line has no repetition: what the driver gave up on after its 20 ms (a host that is busy
 * elsewhere) is said again. */
static void send(void *ctx, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    (void)ctx;
    for (size_t at = 0; at < len;)
        at += board_link_write(from + at, len - at);
}

static size_t receive(void *ctx, void *out, size_t max)
{
    size_t got;
    (void)ctx;
    while ((got = board_link_read(out, max)) == 0)
        board_idle(board_ms() + WAIT_MS);
    return got;
}

static void reset(void *ctx)
{
    (void)ctx;
    board_reset(BOARD_NOTE_SOFTWARE);
}

int main(void)
{
    volatile struct board_mailbox *mailbox = board_mailbox();
    static struct lab_body body;
    board_time_start();
    board_console_start();
    board_nor_start();
    board_link_start();
    bool cold = mailbox->magic != BEEN_HERE;
    if (!cold && mailbox->note == BOARD_NOTE_HARD_FAULT)
        board_printf("lab: hard fault at 0x%x, status 0x%x\n", (unsigned)mailbox->fault_pc,
                     (unsigned)mailbox->fault_status);
    mailbox->magic = BEEN_HERE;
    mailbox->note = BOARD_NOTE_NONE;
    boot_bearssl_port(&board.bearssl, &board.crypto);
    body = (struct lab_body){.flash = nor,
                             .sector_bytes = BOARD_NOR_SECTOR,
                             .page_bytes = BOARD_NOR_PAGE,
                             .crypto = &board.crypto,
                             .send = send,
                             .receive = receive,
                             .reset = reset,
                             .cold = cold,
                             .ram = board.ram,
                             .ram_max = sizeof board.ram,
                             .image = board.image,
                             .image_max = sizeof board.image};
    lab_board_run(&board.lab, &body);
    return 0;
}
