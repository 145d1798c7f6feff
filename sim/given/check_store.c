/* Does the given store hold this world's images, byte for byte, and serve ranges of them? */
#include "drivers/http.h"
#include "sim/given.h"
#include <arpa/inet.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { CONNECT_WITHIN_S = 15, STALL_S = 30, GOOD_FOR_S = 3600, DIGEST_BYTES = 32 };

/* One request, from `offset` on to the end of the object. */
struct ask {
    uint32_t offset, want_bytes;
    uint16_t status;
    uint32_t total_bytes, from;
    uint64_t bytes;
    EVP_MD_CTX *hash;
    bool over;
    char why[160]; /* it failed; "": it did not */
};

static void on_head(void *ctx, uint16_t status, uint32_t offset, uint32_t total_bytes)
{
    struct ask *ask = ctx;
    ask->status = status;
    ask->from = offset;
    ask->total_bytes = total_bytes;
}

static void on_data(void *ctx, const void *bytes, uint32_t len)
{
    struct ask *ask = ctx;
    ask->bytes += len;
    EVP_DigestUpdate(ask->hash, bytes, len);
}

static void on_end(void *ctx)
{
    ((struct ask *)ctx)->over = true;
}

static void on_error(void *ctx, const char *why)
{
    struct ask *ask = ctx;
    ask->over = true;
    snprintf(ask->why, sizeof ask->why, "%s", *why ? why : "the transfer broke off");
}

static const struct agent_transfer_events events = {
    .head = on_head, .data = on_data, .end = on_end, .error = on_error};

/* What is too long, or no image at all, is not read to its end. */
static bool is_enough(const struct ask *ask)
{
    return ask->over || ask->bytes > ask->want_bytes || (ask->status && ask->status >= 300);
}

static void fetch(const struct sim_given_check *check, struct agent_http *http, const char *url,
                  struct ask *ask)
{
    const struct sockaddr_in *at = &check->given->server[SIM_GIVEN_STORE].address;
    char ip[INET_ADDRSTRLEN] = "", connect_to[32];
    inet_ntop(AF_INET, &at->sin_addr, ip, sizeof ip);
    snprintf(connect_to, sizeof connect_to, "%s:%u", ip, ntohs(at->sin_port));
    const struct agent_request request = {
        .url = url, .offset = ask->offset, .connect_to = connect_to};
    struct agent_transfer *transfer = agent_http_get(http, &request, &events, ask);
    if (!transfer) {
        on_error(ask, "the request could not be made");
        return;
    }
    while (!is_enough(ask) && !*check->stop)
        ev_run(check->loop, EVRUN_ONCE);
    if (!ask->over)
        agent_http_cancel(transfer);
    if (*check->stop)
        snprintf(ask->why, sizeof ask->why, "interrupted");
}

static void hex(char out[2 * DIGEST_BYTES + 1], const unsigned char *digest)
{
    for (int i = 0; i < DIGEST_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* The bytes that came against those of the image; NULL: they are the same. */
static const char *compare(struct ask *ask, const struct sim_artifact *image, char *out, size_t len)
{
    unsigned char have[EVP_MAX_MD_SIZE] = {0}, want[EVP_MAX_MD_SIZE] = {0};
    char have_text[2 * DIGEST_BYTES + 1], want_text[2 * DIGEST_BYTES + 1];
    if (ask->bytes != ask->want_bytes) {
        snprintf(out, len, "%s%" PRIu64 " bytes; the scenario's image %s %u",
                 ask->bytes > ask->want_bytes ? "more than " : "",
                 ask->bytes > ask->want_bytes ? ask->want_bytes : ask->bytes,
                 ask->offset ? "has from there" : "has", ask->want_bytes);
        return out;
    }
    EVP_DigestFinal_ex(ask->hash, have, NULL);
    EVP_Digest(image->bytes + ask->offset, ask->want_bytes, want, NULL, EVP_sha256(), NULL);
    if (!memcmp(have, want, DIGEST_BYTES))
        return NULL;
    hex(have_text, have);
    hex(want_text, want);
    snprintf(out, len, "other bytes: SHA-256 %s, the scenario's image has %s", have_text,
             want_text);
    return out;
}

static const char *judge(struct ask *ask, const struct sim_artifact *image, char *out, size_t len)
{
    uint16_t good = ask->offset ? 206 : 200;
    if (*ask->why)
        return ask->why;
    if (ask->status == good && ask->from == ask->offset)
        return compare(ask, image, out, len);
    if (ask->offset && ask->status < 300)
        snprintf(out, len,
                 "a request for a range gets status %u from byte %u; accepted: 206 from byte %u, "
                 "or no download could be resumed",
                 ask->status, ask->from, ask->offset);
    else
        snprintf(out, len, "status %u%s; accepted: %u", ask->status,
                 ask->status == 403   ? " (is its secret that of --store-secret-file?)"
                 : ask->status == 404 ? " (is it there? `brickyard export` writes it)"
                                      : "",
                 good);
    return out;
}

static int ask_once(const struct sim_given_check *check, struct agent_http *http,
                    const struct sim_artifact *image, uint32_t offset, char *message, size_t len)
{
    char url[AGENT_URL_MAX], text[256];
    struct ask ask = {.offset = offset, .want_bytes = image->len - offset};
    if (!sim_given_url(check->given, image->from->version, time(NULL) + GOOD_FOR_S, url,
                       sizeof url)) {
        snprintf(message, len, "--store %s: an image's address would be longer than %d characters",
                 check->given->server[SIM_GIVEN_STORE].url, AGENT_URL_MAX - 1);
        return -1;
    }
    ask.hash = EVP_MD_CTX_new();
    if (!ask.hash || EVP_DigestInit_ex(ask.hash, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(ask.hash);
        snprintf(message, len, "no memory");
        return -1;
    }
    fetch(check, http, url, &ask);
    const char *wrong = judge(&ask, image, text, sizeof text);
    EVP_MD_CTX_free(ask.hash);
    if (wrong)
        snprintf(message, len, "the store, %.*s: %s", (int)strcspn(url, "?"), url, wrong);
    return wrong ? -1 : 0;
}

int sim_given_check_store(const struct sim_given_check *check, char *message, size_t len)
{
    const struct agent_http_config config = {.tls = check->tls,
                                             .connect_within_s = CONNECT_WITHIN_S,
                                             .stall_s = STALL_S,
                                             .header_bytes_max = 65536,
                                             .buffer_bytes = 65536};
    struct agent_http *http = NULL;
    int error = 0;
    if (agent_http_create(&http, check->loop, &config)) {
        snprintf(message, len, "no memory");
        return -1;
    }
    for (uint32_t i = 0; i < check->world->scn->firmwares && !error; i++) {
        const struct sim_artifact *image = &check->world->artifact[i];
        error = ask_once(check, http, image, 0, message, len);
        if (!error && image->len > 1)
            error = ask_once(check, http, image, image->len / 2, message, len);
    }
    agent_http_free(http);
    return error;
}
