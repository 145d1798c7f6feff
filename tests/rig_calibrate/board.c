#include "board.h"
#include "rig/port.h"
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct life {
    struct board *board;
    int64_t on_us, next_us, off_us, framed_us, last_us; /* off_us 0: no cut is under way */
    int64_t lines;                                      /* of one that falls mute */
    uint8_t frame[4];
    size_t len;
};

static void take_frame(struct life *life, int64_t now_us)
{
    static const uint8_t on[4] = {0xA0, 1, 1, 0xA2}, off[4] = {0xA0, 1, 0, 0xA1};
    struct board_facts *facts = life->board->facts;
    life->len = 0;
    if (!memcmp(life->frame, on, 4)) {
        facts->ons++;
        facts->powered = true;
        life->off_us = 0;
        life->on_us = now_us;
        life->lines = 0;
        life->next_us = now_us + life->board->tick_us;
    } else if (!memcmp(life->frame, off, 4)) {
        facts->offs++;
        life->framed_us = now_us;
        if (facts->powered && !life->board->stuck)
            life->off_us = now_us + life->board->hold_us[facts->offs % 2];
    }
}

/* Something came: frames are read whole, byte by byte. */
static void hear(struct life *life)
{
    uint8_t bytes[64];
    ssize_t got = read(life->board->relay.master, bytes, sizeof bytes);
    for (ssize_t i = 0; i < got; i++) {
        life->frame[life->len++] = bytes[i];
        if (life->len == sizeof life->frame)
            take_frame(life, rig_port_now_us());
    }
}

static void lose_power(struct life *life)
{
    struct board_facts *facts = life->board->facts;
    if (facts->offs <= BOARD_CUTS_MAX)
        facts->latency_us[facts->offs - 1] = life->last_us - life->framed_us;
    facts->powered = false;
    life->off_us = 0;
}

static const char *next_text(struct life *life, int64_t now_us)
{
    static const int64_t MUTE_AFTER_US = 400000, ROUND_US = 1500000;
    const struct board *board = life->board;
    const char *text = board->text ? board->text : "tick\n";
    uint32_t mute_on = board->mute_on, ons = board->facts->ons;
    if (!mute_on || ons < mute_on || ons > mute_on + 2)
        return text;
    int64_t on_for_us = now_us - life->on_us, rounds = on_for_us / ROUND_US + 1;
    if (on_for_us % ROUND_US < MUTE_AFTER_US)
        return "x";
    if (life->lines == rounds)
        return "";
    life->lines = rounds;
    return text;
}

static void live(struct life *life)
{
    struct board *board = life->board;
    int64_t now_us = rig_port_now_us();
    const char *text = next_text(life, now_us);
    if (life->off_us && now_us >= life->off_us)
        lose_power(life);
    if (board->facts->powered && board->tick_us && now_us >= life->next_us) {
        if (write(board->console.master, text, strlen(text)) > 0)
            life->last_us = rig_port_now_us();
        life->next_us = now_us + board->tick_us;
    }
    struct pollfd on = {.fd = board->relay.master, .events = POLLIN};
    int64_t wait_us = board->facts->powered && board->tick_us ? life->next_us - now_us : 20000;
    if (life->off_us && life->off_us - now_us < wait_us)
        wait_us = life->off_us - now_us;
    struct timespec wait = {0, wait_us > 0 ? wait_us * 1000 : 0};
    if (ppoll(&on, 1, &wait, NULL) == 1)
        hear(life);
}

void board_start(struct board *board)
{
    kit_line_open(&board->relay, "relay");
    kit_line_open(&board->console, "con");
    kit_write("desk.yaml", "bench: desk\n"
                           "controllers: {r: {driver: lcus, device: relay}}\n"
                           "boards: [{name: a, console: {serial: con},\n"
                           "  power: {controller: r, channel: 1, off_at_least: 200ms}}]\n");
    board->facts =
        mmap(NULL, sizeof *board->facts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(board->facts != MAP_FAILED);
    board->pid = fork();
    cr_assert_geq(board->pid, 0);
    if (board->pid)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (struct life life = {.board = board};;)
        live(&life);
}

void board_stop(struct board *board)
{
    if (board->pid <= 0)
        return;
    kill(board->pid, SIGKILL);
    waitpid(board->pid, NULL, 0);
    board->pid = 0;
}
