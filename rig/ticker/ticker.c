/*
 * A board program for calibration: a line on the console each millisecond, so that the last one
 * tells when the power was gone. 10 bytes: a UART of 115200 Bd could carry 11 in that time.
 */
#include "board/hal.h"

int main(void)
{
    board_time_start();
    board_console_start();
    board_log_begin("info", "ticker");
    board_log_end();
    for (uint32_t tick = board_ms();; tick++) {
        while ((int32_t)(tick - board_ms()) > 0)
            board_idle(tick);
        board_printf("t%07u\n", (unsigned)(tick % 10000000));
        if (tick % 128 == 0)
            board_watchdog_kick();
    }
}
