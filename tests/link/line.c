#include "line.h"
#include <string.h>

enum { HEAD_BYTES = 16 };

uint32_t line_random(struct line *line, uint32_t below)
{
    line->random = line->random * 6364136223846793005u + 1442695040888963407u;
    return below ? (uint32_t)((line->random >> 33) % below) : 0;
}

static bool strikes(struct line *line, uint32_t of_a_million)
{
    return of_a_million && line_random(line, 1000000) < of_a_million;
}

static void wrong(struct line *line, const char *what)
{
    if (!line->wrong)
        line->wrong = what;
}

static void begin(struct line *line, struct line_end *end)
{
    struct link_config config = {.session = end->session};
    end->life++;
    link_init(&end->channel, &config, line->now_ms);
    end->heard_any = false;
    end->fresh = true;
    end->connection = end->index = 0;
}

void line_init(struct line *line, uint64_t seed)
{
    memset(line, 0, sizeof *line);
    line->random = seed * 2654435761u + 1;
    line->bytes_per_ms = 250;
    line->delay_ms = 1;
    line->message_max = 3000;
    line->end[1].life = 1u << 30;
    for (int i = 0; i < 2; i++) {
        line->end[i].session = line->end[i].life + 1;
        begin(line, &line->end[i]);
    }
}

void line_reset_again(struct line *line, int which)
{
    begin(line, &line->end[which]);
}

void line_reset(struct line *line, int which)
{
    line->end[which].session = line->end[which].life + 1;
    line_reset_again(line, which);
}

static void put32(uint8_t *out, uint32_t value)
{
    memcpy(out, &value, 4);
}

static uint32_t get32(const uint8_t *in)
{
    uint32_t value;
    memcpy(&value, in, 4);
    return value;
}

static uint8_t content(uint32_t index, uint32_t at)
{
    return (uint8_t)((index * 7 + at) * ((at & 64) ? 0 : 1)); /* runs of zeros too */
}

static void send_messages(struct line *line, struct line_end *end)
{
    static uint8_t message[LINK_MESSAGE_MAX];
    while (link_is_up(&end->channel)) {
        uint32_t len = HEAD_BYTES + end->index * 997 % (line->message_max - HEAD_BYTES + 1);
        put32(message, end->life);
        put32(message + 4, end->connection);
        put32(message + 8, end->index);
        put32(message + 12, len);
        for (uint32_t i = HEAD_BYTES; i < len; i++)
            message[i] = content(end->index, i);
        if (!link_send(&end->channel, (uint8_t)(1 + end->index % 200), message, len))
            return;
        end->index++;
    }
}

/* Within a connection every message once, in order; nothing of an older one. */
static void check_order(struct line *line, const struct line_end *end, uint32_t life,
                        uint32_t connection, uint32_t index)
{
    if (end->fresh) {
        if (life < end->heard_life)
            wrong(line, "a message of a life before the last");
        if (end->heard_any && life == end->heard_life && connection <= end->heard_connection)
            wrong(line, "a message of a connection before");
        if (index)
            wrong(line, "the first message of a connection did not come");
    } else if (life != end->heard_life || connection != end->heard_connection) {
        wrong(line, "another connection without RESTARTED");
    } else if (index != end->heard_index) {
        wrong(line, index < end->heard_index ? "a message twice" : "a message is missing");
    }
}

static void check_message(struct line *line, struct line_end *end, const struct link_delivery *got)
{
    const uint8_t *bytes = got->bytes;
    if (got->len < HEAD_BYTES || get32(bytes + 12) != got->len) {
        wrong(line, "a message is not whole");
        return;
    }
    uint32_t life = get32(bytes), connection = get32(bytes + 4), index = get32(bytes + 8);
    for (uint32_t i = HEAD_BYTES; i < got->len; i++) {
        if (bytes[i] != content(index, i))
            wrong(line, "a message is changed");
    }
    if (got->kind != 1 + index % 200)
        wrong(line, "the kind is another");
    if (!line->stale_allowed)
        check_order(line, end, life, connection, index);
    end->fresh = false;
    end->heard_any = true;
    end->heard_life = life;
    end->heard_connection = connection;
    end->heard_index = index + 1;
    end->taken++;
    end->bytes_taken += got->len;
}

static void take_events(struct line *line, struct line_end *end)
{
    struct link_delivery got;
    while (line->now_ms >= end->slow_until_ms && link_next(&end->channel, &got)) {
        switch (got.event) {
        case LINK_EV_MESSAGE:
            check_message(line, end, &got);
            break;
        case LINK_EV_RESTARTED:
            end->restarts++;
            end->fresh = true;
            end->connection++;
            end->index = 0;
            break;
        case LINK_EV_UP:
            end->ups++;
            break;
        default:
            end->downs++;
        }
    }
}

static void enter(struct line_way *way, uint8_t byte, uint32_t due_ms)
{
    if (way->len == LINE_ROOM)
        return;
    uint32_t at = way->len++;
    for (; at && way->due_ms[at - 1] > due_ms; at--) {
        way->byte[at] = way->byte[at - 1];
        way->due_ms[at] = way->due_ms[at - 1];
    }
    way->byte[at] = byte;
    way->due_ms[at] = due_ms;
}

static void carry(struct line *line, struct line_way *way, const uint8_t *bytes, uint32_t len)
{
    uint32_t due_ms = line->now_ms + line->delay_ms;
    if (line->now_ms < line->cut_until_ms)
        return;
    if (strikes(line, line->faults.late))
        due_ms += line_random(line, 700);
    bool twice = strikes(line, line->faults.twice);
    uint32_t again_ms = due_ms + line_random(line, 4000);
    for (uint32_t i = 0; i < len; i++) {
        uint8_t byte = bytes[i];
        if (twice)
            enter(way, byte, again_ms);
        if (strikes(line, line->faults.insert))
            enter(way, (uint8_t)line_random(line, 256), due_ms);
        if (strikes(line, line->faults.flip))
            byte ^= (uint8_t)(1u << line_random(line, 8));
        if (!strikes(line, line->faults.lose))
            enter(way, byte, due_ms);
    }
}

static void arrive(struct line *line, struct line_way *way, struct line_end *to)
{
    uint32_t len = 0;
    while (len < way->len && way->due_ms[len] <= line->now_ms)
        len++;
    link_input(&to->channel, way->byte, len, line->now_ms);
    memmove(way->byte, way->byte + len, way->len - len);
    memmove(way->due_ms, way->due_ms + len, (way->len - len) * sizeof way->due_ms[0]);
    way->len -= len;
}

static void strike(struct line *line)
{
    if (strikes(line, line->faults.cut))
        line->cut_until_ms = line->now_ms + line_random(line, 9000);
    if (strikes(line, line->faults.reset))
        line_reset(line, (int)line_random(line, 2));
    if (strikes(line, line->faults.again))
        line_reset_again(line, (int)line_random(line, line->faults.again_ends));
    for (int i = 0; i < 2; i++) {
        if (strikes(line, line->faults.slow))
            line->end[i].slow_until_ms = line->now_ms + line_random(line, 3000);
    }
}

void line_step(struct line *line)
{
    strike(line);
    for (int i = 0; i < 2; i++) {
        struct line_end *end = &line->end[i];
        uint8_t bytes[LINE_STEP_MAX];
        send_messages(line, end);
        size_t len = link_output(&end->channel, bytes, line->bytes_per_ms, line->now_ms);
        end->bytes_out += (uint32_t)len;
        carry(line, &line->way[i], bytes, (uint32_t)len);
        arrive(line, &line->way[!i], end);
        take_events(line, end);
        if (len < line->bytes_per_ms && !link_wait_ms(&end->channel, line->now_ms) &&
            link_output(&end->channel, bytes, 0, line->now_ms))
            wrong(line, "output beyond its room");
    }
    line->now_ms++;
}

void line_run(struct line *line, uint32_t ms)
{
    for (uint32_t i = 0; i < ms && !line->wrong; i++)
        line_step(line);
}

bool line_settled(const struct line *line)
{
    const struct link_channel *a = &line->end[0].channel, *b = &line->end[1].channel;
    return link_is_up(a) && link_is_up(b) && a->mine == b->theirs && a->theirs == b->mine &&
           line->end[0].taken && line->end[1].taken;
}
