/*
 * Time. A 32-bit timer that counts down at 1 MHz and is never set again says what time it is, so
 * that no late interrupt loses any; SysTick is only the alarm that ends a WFI, set for each wait.
 */
#include "board/hal.h"
#include "registers.h"

/* The Aspeed timer controller, timer 1: status, reload; control has 4 bits for each timer. */
enum { TIMER_REGS = 0x7E782000, TIMER_STATUS = 0x00, TIMER_RELOAD = 0x04, TIMER_CONTROL = 0x30 };
enum { TIMER_ENABLE = 1, TIMER_1MHZ = 2 };

/* SysTick runs with the core, 200 MHz, and has 24 bits: 83 ms at most. */
enum { ALARM_PER_US = 200, ALARM_US_MAX = 80000 };
enum { ALARM_ON = 7 /* core clock, interrupt, enable */ };

static struct {
    uint64_t us;
    uint32_t last;       /* of the counter */
    volatile bool woken; /* an interrupt came since board_idle last returned */
} now;

static uint32_t counter(void)
{
    return ~*board_reg(TIMER_REGS + TIMER_STATUS);
}

void board_time_start(void)
{
    *board_reg(TIMER_REGS + TIMER_CONTROL) = 0;
    *board_reg(TIMER_REGS + TIMER_RELOAD) = UINT32_MAX;
    *board_reg(TIMER_REGS + TIMER_STATUS) = UINT32_MAX;
    *board_reg(TIMER_REGS + TIMER_CONTROL) = TIMER_ENABLE | TIMER_1MHZ;
    now.us = 0;
    now.last = counter();
    board_unmask(0);
}

/* Called at least every 80 ms by whoever waits; the counter wraps after 71 minutes. */
uint64_t board_us(void)
{
    uint32_t masked = board_mask();
    uint32_t count = counter();
    uint32_t passed = count - now.last;
    /* Half the range: a counter that was read a moment too early, not 35 minutes too late. */
    if (passed < UINT32_MAX / 2) {
        now.us += passed;
        now.last = count;
    }
    uint64_t us = now.us;
    board_unmask(masked);
    return us;
}

uint32_t board_ms(void)
{
    return (uint32_t)(board_us() / 1000);
}

void board_time_wake(void)
{
    now.woken = true;
}

void board_time_interrupt(void)
{
    *board_scs(BOARD_SYST_CSR) = 0;
}

/* Sleeps for at most us, or until an interrupt. Interrupts are masked by the caller: one that comes
 * before the WFI stays pending and ends it at once. */
static void sleep_masked(uint64_t us)
{
    uint32_t ticks = (uint32_t)(us < ALARM_US_MAX ? us : ALARM_US_MAX) * ALARM_PER_US;
    *board_scs(BOARD_SYST_RVR) = ticks - 1;
    *board_scs(BOARD_SYST_CVR) = 0;
    *board_scs(BOARD_SYST_CSR) = ALARM_ON;
    board_wfi();
}

/* The pending interrupts are served between two rounds. */
void board_idle(uint32_t until_ms)
{
    for (;;) {
        uint32_t masked = board_mask();
        int32_t left_ms = (int32_t)(until_ms - board_ms());
        if (now.woken || left_ms <= 0) {
            now.woken = false;
            board_unmask(masked);
            return;
        }
        sleep_masked((uint64_t)left_ms * 1000 - board_us() % 1000);
        board_unmask(masked);
    }
}

void board_wait_us(uint32_t us)
{
    uint64_t until = board_us() + us;
    for (;;) {
        uint32_t masked = board_mask();
        uint64_t at = board_us();
        if (at < until)
            sleep_masked(until - at);
        board_unmask(masked);
        if (at >= until)
            return;
    }
}
