/* Any bytes into a channel which is up, in pieces; after them the other end is found again. The
 * first byte says how long the pieces are, and whether the frames' CRC is set right on the way. */
#include "boot/image.h"
#include "frame.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct link_channel a, b, made;
static uint8_t bytes[65536];

static void take_all(struct link_channel *channel)
{
    struct link_delivery got;
    while (link_next(channel, &got)) {
        if (got.event == LINK_EV_MESSAGE && got.len > LINK_MESSAGE_MAX)
            abort();
    }
}

static bool found(void)
{
    return link_is_up(&a) && link_is_up(&b) && a.mine == b.theirs && a.theirs == b.mine;
}

/* Until they have found each other, or the time is over. */
static void exchange(uint32_t from_ms, uint32_t ms)
{
    for (uint32_t now_ms = from_ms; now_ms < from_ms + ms && !found(); now_ms += 10) {
        link_input(&b, bytes, link_output(&a, bytes, sizeof bytes, now_ms), now_ms);
        link_input(&a, bytes, link_output(&b, bytes, sizeof bytes, now_ms), now_ms);
        take_all(&a);
        take_all(&b);
    }
}

/* The data as the plain bytes of one frame, which its CRC and the connection's names are put to. */
static void feed_frame(const uint8_t *data, size_t size, uint32_t now_ms)
{
    static uint8_t plain[LINK_FRAME_MAX];
    struct link_frame frame = {0};
    if (size < LINK_HEADER)
        return;
    frame.type = data[0], frame.flags = data[1], frame.kind = data[2], frame.credit = data[3];
    frame.from = data[4] & 1 ? a.theirs : data[4];
    frame.to = data[5] & 1 ? a.mine : data[5] & 2 ? a.offer : data[5];
    frame.seq = (uint16_t)(a.rx.next + (int8_t)data[6]);
    frame.ack = (uint16_t)(a.tx.base + (int8_t)data[7]);
    frame.taken = (uint16_t)((uint16_t)a.tx.taken + (int8_t)data[8]);
    frame.len = (uint16_t)((data[9] | data[10] << 8) % (LINK_PAYLOAD_MAX + 1));
    memcpy(plain, data, size < sizeof plain ? size : sizeof plain);
    frame.payload = plain;
    link_frame_put(&made, &frame);
    link_input(&a, made.out, made.out_len, now_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct link_config one = {.session = 1}, two = {.session = 2}, three = {.session = 3};
    uint32_t now_ms = 1000;
    size_t said = 0;
    if (!size)
        return 0;
    link_init(&a, &one, 0);
    link_init(&b, &two, 0);
    exchange(0, 100);
    if (!link_is_up(&a))
        abort();
    link_send(&a, 1, "hello", 5);
    size_t piece = data[0] % 64 + 11u;
    for (size_t at = 1; at < size; at += piece, now_ms += data[0]) {
        size_t some = size - at < piece ? size - at : piece;
        if (data[0] & 128)
            feed_frame(data + at, some, now_ms);
        else
            link_input(&a, data + at, some, now_ms);
        take_all(&a);
        said = link_output(&a, bytes, sizeof bytes, now_ms);
        if (said == sizeof bytes)
            abort(); /* it never stops */
        (void)link_wait_ms(&a, now_ms);
    }
    link_init(&b, &three, now_ms);
    exchange(now_ms, 20000);
    if (!found())
        abort();
    return 0;
}
