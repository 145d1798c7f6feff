/* The log's lines: the hardware layer's form, with the time in front. */
#include "device.h"

enum { LINE_MAX = 255, TIME_MAX = 40, NUMBER_MAX = 24 };

static void put_number(struct agent_text *text, int64_t number)
{
    char reversed[NUMBER_MAX];
    uint32_t n = 0;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    if (number < 0)
        agent_text_char(text, '-');
    do {
        reversed[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    while (n)
        agent_text_char(text, reversed[--n]);
}

static void log_number(const char *key, int64_t number)
{
    char out[NUMBER_MAX + 1];
    struct agent_text text = {out, 0, NUMBER_MAX};
    put_number(&text, number);
    out[text.len] = '\0';
    board_log_text(key, out);
}

void fw_log(const struct fw_device *device, const char *level, const char *event,
            const struct fw_field *fields)
{
    char out[TIME_MAX + 1];
    struct agent_text time = {out, 0, TIME_MAX};
    agent_text_put(&time, "time=");
    agent_text_time(&time, fw_utc_ms(device));
    agent_text_char(&time, ' ');
    out[time.len] = '\0';
    board_console_put(out);
    board_log_device(device->factory.device_id);
    board_log_begin(level, event);
    for (; fields->key; fields++)
        if (fields->text)
            board_log_text(fields->key, fields->text);
        else
            log_number(fields->key, fields->number);
    board_log_end();
}

void fw_tell(struct fw_device *device)
{
    char out[LINE_MAX + 2];
    struct agent_text line = {out, 0, LINE_MAX};
    device->app->tell(&line);
    out[line.len] = '\n';
    out[line.len + 1] = '\0';
    board_console_put(out);
}
