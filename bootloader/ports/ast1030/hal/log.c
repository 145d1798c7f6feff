/* Lines of the console in the form of ota-agent's log: level=info device=pump-7 event=boot slot=A */
#include "board/hal.h"

static const char *device_id;

void board_log_device(const char *id)
{
    device_id = id;
}

static bool is_bare(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '"' || *c == '\\' || *c == '=')
            return false;
    return *text != '\0';
}

static void put_quoted(const char *text)
{
    board_printf("\"");
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            board_printf("\\");
        board_printf("%c", *c >= ' ' && *c <= '~' ? *c : '?');
    }
    board_printf("\"");
}

void board_log_text(const char *key, const char *text)
{
    board_printf(" %s=", key);
    if (is_bare(text))
        board_console_put(text);
    else
        put_quoted(text);
}

void board_log_number(const char *key, uint32_t number)
{
    board_printf(" %s=%u", key, (unsigned)number);
}

void board_log_begin(const char *level, const char *event)
{
    board_printf("level=%s", level);
    if (device_id)
        board_log_text("device", device_id);
    board_printf(" event=%s", event);
}

void board_log_end(void)
{
    board_console_put("\n");
}
