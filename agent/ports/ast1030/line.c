/*
 * The OTA line: bytes of the UART through the channel to messages and back. A message is taken only
 * when the one before was worked off, so that a board that writes flash stops its gateway by the
 * channel's credit. What has to leave waits in a slot of its kind until the channel takes it.
 */
#include "device.h"
#include <string.h>

enum { PIECE_BYTES = 512, LINE_RETRY_MS = 200, LINE_SILENCE_MS = 5000 };
/* Of one turn of the loop, which has others to serve: a pump, a watchdog. */
enum { TURN_BYTES = 8192, TURN_MESSAGES = 4, TURN_MS = 20 };

static uint32_t now32(void)
{
    return (uint32_t)fw_mono_ms();
}

/* Another one than the last: chance, and the one that a reset left behind. */
static uint32_t new_session(struct fw_device *device)
{
    struct fw_keep keep;
    uint32_t session;
    fw_keep_read(&keep);
    do
        session = fw_random(device) ^ (uint32_t)board_us();
    while (!session || session == keep.session);
    keep.session = session;
    fw_keep_write(&keep);
    return session;
}

void fw_line_start(struct fw_device *device)
{
    const struct link_config config = {new_session(device), LINE_RETRY_MS, LINE_SILENCE_MS};
    board_link_start();
    link_init(&device->channel, &config, now32());
}

bool fw_post(struct fw_device *device, enum fw_post_slot slot, const struct link_message *message)
{
    struct fw_post *post = &device->post[slot];
    post->kind = (uint8_t)message->kind;
    post->len = link_encode(post->bytes, sizeof post->bytes, message);
    return post->len != 0;
}

/* False: no more has come. */
static bool receive(struct fw_device *device)
{
    uint8_t piece[PIECE_BYTES];
    for (uint32_t bytes = 0; bytes < TURN_BYTES; bytes += PIECE_BYTES) {
        size_t len = board_link_read(piece, sizeof piece);
        if (!len)
            return false;
        link_input(&device->channel, piece, len, now32());
    }
    return true;
}

static void hello(struct fw_device *device)
{
    const char *id = device->factory.device_id;
    fw_post(device, FW_POST_HELLO,
            &(struct link_message){.kind = LINK_HELLO,
                                   .flags = device->app->wants_mqtt,
                                   .bytes = (const uint8_t *)id,
                                   .len = (uint32_t)strlen(id)});
}

static void lost(struct fw_device *device, const char *why)
{
    FW_LOG(device, "warn", "line_down", FW_TEXT("reason", why));
    for (int slot = 0; slot < FW_POSTS; slot++)
        device->post[slot].len = 0;
    fw_mqtt_lost(device, why);
    fw_http_lost(device, why);
}

static void message(struct fw_device *device, const struct link_delivery *delivery)
{
    struct link_message said;
    if (!link_decode(&said, delivery->kind, delivery->bytes, delivery->len)) {
        FW_LOG(device, "warn", "line_refused", FW_NUMBER("kind", delivery->kind),
               FW_NUMBER("bytes", delivery->len));
        return;
    }
    if (said.kind == LINK_TIME)
        fw_clock_set(device, said.utc_ms);
    else if (said.kind >= LINK_HEAD && said.kind <= LINK_ERROR)
        fw_http_message(device, &said);
    else
        fw_mqtt_message(device, &said);
}

/* One event; false: none. */
static bool take(struct fw_device *device)
{
    struct link_delivery delivery;
    switch (link_next(&device->channel, &delivery)) {
    case LINK_EV_NONE:
        return false;
    case LINK_EV_UP:
        FW_LOG(device, "info", "line_up", FW_NUMBER("overruns", board_link_overruns()));
        hello(device);
        break;
    case LINK_EV_RESTARTED:
        lost(device, "the gateway began anew");
        break;
    case LINK_EV_DOWN:
        lost(device, "the line is silent");
        break;
    case LINK_EV_MESSAGE:
        message(device, &delivery);
        break;
    }
    return true;
}

static void send_out(struct fw_device *device)
{
    uint8_t piece[PIECE_BYTES];
    size_t len;
    for (int slot = 0; slot < FW_POSTS; slot++) {
        struct fw_post *post = &device->post[slot];
        if (!post->len)
            continue;
        if (!link_send(&device->channel, post->kind, post->bytes, post->len))
            break;
        post->len = 0;
    }
    while ((len = link_output(&device->channel, piece, sizeof piece, now32())) > 0)
        board_link_write(piece, len);
}

/* Acknowledgements leave between two messages, each of which may take a sector's erase. */
bool fw_line_serve(struct fw_device *device)
{
    uint64_t until_ms = fw_mono_ms() + TURN_MS;
    uint32_t events = 0;
    bool bytes, taken;
    do {
        bytes = receive(device);
        send_out(device);
        taken = take(device);
    } while (taken && ++events < TURN_MESSAGES && fw_mono_ms() < until_ms);
    fw_http_due(device);
    send_out(device);
    return bytes || taken;
}

uint32_t fw_line_wait_ms(const struct fw_device *device)
{
    return link_wait_ms(&device->channel, now32());
}
