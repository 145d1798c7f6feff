/* The console on UART5 (16550, a register each four bytes), and formatted output to it. */
#include "board/hal.h"
#include "registers.h"
#include "uart.h"
#include <stdarg.h>

enum { LINE_MAX = 255 };

struct line {
    uint32_t len;
    char text[LINE_MAX + 1];
};

void board_console_start(void)
{
    board_uart_start(BOARD_UART_CONSOLE_REGS);
}

static void put_char(char c)
{
    static bool stuck;
    board_uart_put(BOARD_UART_CONSOLE_REGS, &stuck, (uint8_t)c);
}

void board_console_put(const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            put_char('\r');
        put_char(*text);
    }
}

static void add(struct line *line, char c)
{
    if (line->len < LINE_MAX)
        line->text[line->len++] = c;
}

static void add_text(struct line *line, const char *text)
{
    while (*text)
        add(line, *text++);
}

static void add_number(struct line *line, uint32_t value, uint32_t base, int width, char pad)
{
    char digit[10];
    int count = 0;
    do {
        digit[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    for (int i = count; i < width; i++)
        add(line, pad);
    while (count)
        add(line, digit[--count]);
}

static void add_signed(struct line *line, int value, int width, char pad)
{
    uint32_t size = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    if (value < 0)
        add(line, '-');
    add_number(line, size, 10, width, pad);
}

/* One conversion behind its '%'; returns the character behind it. */
static const char *convert(struct line *line, const char *at, va_list *list)
{
    char pad = *at == '0' ? '0' : ' ';
    int width = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        width = width < LINE_MAX ? width * 10 + (*at - '0') : width;
    switch (*at) {
    case 's':
        add_text(line, va_arg(*list, const char *));
        break;
    case 'c':
        add(line, (char)va_arg(*list, int));
        break;
    case 'd':
        add_signed(line, va_arg(*list, int), width, pad);
        break;
    case 'u':
        add_number(line, va_arg(*list, uint32_t), 10, width, pad);
        break;
    case 'x':
        add_number(line, va_arg(*list, uint32_t), 16, width, pad);
        break;
    default:
        add(line, *at ? *at : '%');
    }
    return *at ? at + 1 : at;
}

void board_printf(const char *format, ...)
{
    struct line line = {0};
    va_list list;
    va_start(list, format);
    while (*format) {
        if (*format != '%')
            add(&line, *format++);
        else
            format = convert(&line, format + 1, &list);
    }
    va_end(list);
    line.text[line.len] = '\0';
    board_console_put(line.text);
}
