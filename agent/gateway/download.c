/* One download at a time, held back by the board's pace. */
#include "inside.h"
#include <string.h>

static void on_head(void *ctx, uint16_t status, uint32_t offset, uint32_t total_bytes)
{
    struct gateway *gateway = ctx;
    struct gateway_download *download = &gateway->download;
    download->head = true;
    download->status = status;
    download->offset = offset;
    download->total = total_bytes;
    gateway_note(gateway, "http %u, from %u of %u", status, offset, total_bytes);
    gateway_pump(gateway);
}

static void fail(struct gateway *gateway, const char *why)
{
    struct gateway_download *download = &gateway->download;
    gateway_text(download->why, sizeof download->why, why);
    download->transfer = NULL;
    download->failed = true;
    gateway_note(gateway, "http error: %s", why);
}

static void on_data(void *ctx, const void *bytes, uint32_t len)
{
    struct gateway *gateway = ctx;
    struct gateway_download *download = &gateway->download;
    if (download->at) {
        download->len -= download->at;
        memmove(download->buffer, download->buffer + download->at, download->len);
        download->at = 0;
    }
    if (len > sizeof download->buffer - download->len) { /* it was paused at half of it */
        agent_http_cancel(download->transfer);
        fail(gateway, "more at once than the gateway keeps");
    } else {
        memcpy(download->buffer + download->len, bytes, len);
        download->len += len;
        if (download->len >= GATEWAY_PAUSE_AT && !download->paused) {
            download->paused = true;
            agent_http_pause(download->transfer, true);
        }
    }
    gateway_pump(gateway);
}

static void on_end(void *ctx)
{
    struct gateway *gateway = ctx;
    gateway->download.transfer = NULL;
    gateway->download.ended = true;
    gateway_pump(gateway);
}

static void on_error(void *ctx, const char *why)
{
    fail(ctx, why);
    gateway_pump(ctx);
}

void gateway_download_cancel(struct gateway *gateway)
{
    struct gateway_download *download = &gateway->download;
    if (download->transfer)
        agent_http_cancel(download->transfer);
    download->transfer = NULL;
    download->wanted = download->head = download->ended = download->failed = false;
    download->paused = false;
    download->at = download->len = 0;
}

void gateway_download_get(struct gateway *gateway, const struct link_message *message)
{
    static const struct agent_transfer_events events = {on_head, on_data, on_end, on_error};
    static const char https[] = "https://";
    const struct gateway_config *config = gateway->config;
    struct gateway_download *download = &gateway->download;
    char url[LINK_URL_MAX + 1];
    gateway_download_cancel(gateway);
    memcpy(url, message->bytes, message->len);
    url[message->len] = '\0';
    download->wanted = true;
    download->id = message->id;
    if (strncmp(url, https, sizeof https - 1)) {
        gateway_note(gateway, "refused: %s", url);
        fail(gateway, "not an https URL");
        return;
    }
    gateway_note(gateway, "get %s from %u", url, message->offset);
    const struct agent_request request = {
        .url = url,
        .offset = message->offset,
        .bind_address = config->bind_address,
        .connect_to = config->http_connect_to,
        .identity = config->http_identity,
        .clock = config->clock,
    };
    download->transfer = agent_http_get(config->http, &request, &events, gateway);
    if (!download->transfer)
        fail(gateway, "not an https URL, or no memory");
}

static bool say_data(struct gateway *gateway)
{
    struct gateway_download *download = &gateway->download;
    while (download->at < download->len) {
        uint32_t len = download->len - download->at;
        if (len > GATEWAY_CHUNK)
            len = GATEWAY_CHUNK;
        if (!gateway_send(gateway, &(struct link_message){.kind = LINK_DATA,
                                                          .id = download->id,
                                                          .bytes = download->buffer + download->at,
                                                          .len = len}))
            break;
        download->at += len;
    }
    if (download->paused && download->transfer &&
        download->len - download->at <= GATEWAY_GO_ON_AT) {
        download->paused = false;
        agent_http_pause(download->transfer, false);
    }
    return download->at == download->len;
}

void gateway_download_say(struct gateway *gateway)
{
    struct gateway_download *download = &gateway->download;
    const struct link_message head = {.kind = LINK_HEAD,
                                      .id = download->id,
                                      .status = download->status,
                                      .offset = download->offset,
                                      .total = download->total};
    const struct link_message end = {.kind = LINK_END, .id = download->id};
    const struct link_message error = {.kind = LINK_ERROR,
                                       .id = download->id,
                                       .bytes = (const uint8_t *)download->why,
                                       .len = (uint32_t)strlen(download->why)};
    if (!download->wanted)
        return;
    if (download->head && !gateway_send(gateway, &head))
        return;
    download->head = false;
    if (!say_data(gateway) || !(download->ended || download->failed))
        return;
    if (gateway_send(gateway, download->failed ? &error : &end))
        gateway_download_cancel(gateway);
}
