/* Downloads: an HTTP server at the message level, and the ways in which it may be spoiled. The
 * bytes are spoiled above TCP and TLS, where the device sees them. */
#include "device_internal.h"
#include <string.h>

enum { PIECE_BYTES = 4096, ENDLESS_BYTES = 65536 };

static const struct sim_artifact *find(const struct sim_world *world, const char *url)
{
    for (uint32_t i = 0; i < world->scn->firmwares; i++)
        if (!strcmp(world->artifact[i].url, url))
            return &world->artifact[i];
    return NULL;
}

/* Any other file of the store: the one that was there before. */
static const struct sim_artifact *other(const struct sim_world *world)
{
    return &world->artifact[world->candidate == 0 && world->scn->firmwares > 1 ? 1 : 0];
}

static void choose_spot(struct sim_device *dev, struct sim_fault *fault)
{
    struct sim_http *http = &dev->http;
    uint32_t left = http->end - http->offset;
    http->spoiled = fault;
    http->spoil_at = http->offset + (left ? fault->draw[0] % left : 0);
    if (fault->how == SCN_HOW_DISCONNECT) /* between two pieces, before the last one */
        http->spoil_at -= http->spoil_at % PIECE_BYTES;
}

static void spoil(struct sim_device *dev, struct sim_fault *fault)
{
    struct sim_http *http = &dev->http;
    choose_spot(dev, fault);
    switch (fault->how) {
    case SCN_HOW_HTTP_403:
        http->status = 403;
        break;
    case SCN_HOW_HTTP_404:
        http->status = 404;
        break;
    case SCN_HOW_HTTP_500:
        http->status = 500;
        break;
    case SCN_HOW_HTTP_416:
        http->status = 416;
        break;
    case SCN_HOW_TRUNCATED:
        http->end = http->spoil_at;
        break;
    case SCN_HOW_WRONG_LENGTH:
        http->total += 1 + fault->draw[1] % 4096;
        break;
    case SCN_HOW_STALE_FILE:
        http->artifact = other(dev->world);
        http->total = http->end = http->artifact->len;
        if (http->offset > http->end)
            http->offset = http->end;
        break;
    case SCN_HOW_ENDLESS:
        http->total = 0; /* chunked: no length was declared */
        http->end += ENDLESS_BYTES;
        break;
    default:
        break;
    }
}

static struct sim_fault *spoiler(struct sim_device *dev, const struct sim_artifact *artifact)
{
    bool candidate = artifact == &dev->world->artifact[dev->world->candidate];
    return candidate ? sim_fault_http(&dev->faults) : NULL;
}

/* The store's own files are asked for by sockets; what it is to do to them is this device's fault.
 */
static void get_by_wire(struct sim_device *dev, const char *url)
{
    struct sim_http *http = &dev->http;
    struct sim_fault *fault = http->artifact ? spoiler(dev, http->artifact) : NULL;
    if (fault)
        choose_spot(dev, fault);
    dev->wire->get(dev->wire_ctx, url, http->offset, fault);
}

void dev_http_get(struct sim_device *dev, const char *url, uint32_t offset)
{
    dev_http_lost(dev);
    const struct sim_artifact *artifact = find(dev->world, url);
    dev->http =
        (struct sim_http){.active = true, .artifact = artifact, .status = offset ? 206 : 200};
    dev_log(dev, SIM_EV_HTTP_GET, offset, 0, "%s from byte %u", url, offset);
    if (!artifact) {
        dev->http.status = 404;
    } else {
        dev->http.offset = offset < artifact->len ? offset : artifact->len;
        dev->http.end = dev->http.total = artifact->len;
        if (offset > artifact->len)
            dev->http.status = 416;
    }
    if (dev->wire) {
        get_by_wire(dev, url);
        return;
    }
    struct sim_fault *fault = artifact ? spoiler(dev, artifact) : NULL;
    if (fault)
        spoil(dev, fault);
    /* TCP and TLS take two round trips before the request, which takes one. */
    dev->timer[TIMER_HTTP] = dev->now_us + 2 * dev_delay_us(dev, 300) + 4 * dev->link->latency_us +
                             4 * dev_slow_us(dev, 0, true);
}

void dev_http_spoiled(struct sim_device *dev)
{
    struct sim_fault *fault = dev->http.spoiled;
    dev->http.spoiled = NULL;
    dev->http.tasted = false;
    if (fault)
        dev_fired(dev, fault);
}

/* A fault whose effect has begun has struck; one that the transfer's end took away waits for the
 * next. */
void dev_http_lost(struct sim_device *dev)
{
    struct sim_http *http = &dev->http;
    if (http->tasted)
        dev_http_spoiled(dev);
    if (http->spoiled)
        sim_fault_disarm(http->spoiled);
    if (http->drop)
        sim_fault_disarm(http->drop);
    http->spoiled = http->drop = NULL;
    if (dev->wire && http->active)
        dev->wire->cancel(dev->wire_ctx);
    http->active = false;
    dev->timer[TIMER_HTTP] = SIM_NEVER;
}

static void arm_spoiled(struct sim_device *dev)
{
    struct sim_fault *fault = dev->http.spoiled;
    if (!fault)
        return;
    sim_fault_arm(fault);
    dev_log(dev, SIM_EV_FAULT_ARMED, fault->fault, fault->how, "corrupt download: %s",
            scn_how_name((int)fault->how));
}

/* The answer has come: what is to happen to this transfer is certain, if nothing else ends it. */
void dev_http_answered(struct sim_device *dev)
{
    struct sim_http *http = &dev->http;
    arm_spoiled(dev);
    http->drop =
        http->status < 400 && http->offset < http->end ? sim_fault_transfer(&dev->faults) : NULL;
    if (!http->drop)
        return;
    /* Between two pieces, before the last one: the transfer is interrupted, however fast it is. */
    uint32_t at = http->offset + http->drop->draw[0] % (http->end - http->offset);
    http->drop_at = at - at % PIECE_BYTES;
    sim_fault_arm(http->drop);
    dev_log(dev, SIM_EV_FAULT_ARMED, http->drop->fault, at, "network drop at byte %u", at);
}

void dev_http_drop(struct sim_device *dev)
{
    struct sim_fault *drop = dev->http.drop;
    dev->http.drop = NULL;
    dev_link_drop(dev, SIM_OUT_LINK, drop);
}

static void finish(struct sim_device *dev, enum agent_event_kind kind)
{
    dev_http_lost(dev);
    dev_log(dev, kind == AGENT_EV_HTTP_END ? SIM_EV_HTTP_END : SIM_EV_HTTP_ERROR, dev->http.offset,
            0, "at byte %u", dev->http.offset);
    dev_agent_input(dev, &(struct agent_event){.kind = kind});
}

/* The client gives up before there is a head that it could use. */
static bool head_never_comes(const struct sim_http *http)
{
    return http->spoiled && (http->spoiled->how == SCN_HOW_REDIRECT_LOOP ||
                             http->spoiled->how == SCN_HOW_HUGE_HEADERS);
}

static void head(struct sim_device *dev)
{
    struct sim_http *http = &dev->http;
    http->headed = true;
    if (head_never_comes(http)) {
        arm_spoiled(dev);
        dev_http_spoiled(dev);
        finish(dev, AGENT_EV_HTTP_ERROR);
        return;
    }
    dev_http_answered(dev);
    dev_log(dev, SIM_EV_HTTP_HEAD, http->status, http->total, "%u, %u bytes", http->status,
            http->total);
    enum scn_how how = http->spoiled ? http->spoiled->how : SCN_HOW_ANY;
    if (http->status >= 400 || how == SCN_HOW_WRONG_LENGTH || how == SCN_HOW_STALE_FILE)
        dev_http_spoiled(dev);
    if (http->status >= 400)
        http->active = false;
    else
        dev->timer[TIMER_HTTP] = dev->now_us;
    dev_agent_input(dev, &(struct agent_event){.kind = AGENT_EV_HTTP_HEAD,
                                               .http_status = http->status,
                                               .offset = http->offset,
                                               .total_bytes = http->total});
}

/* The piece as the spoiled server sends it. */
static void spoil_piece(struct sim_device *dev, enum scn_how how, uint8_t *piece, uint32_t len)
{
    struct sim_http *http = &dev->http;
    const struct sim_artifact *artifact = http->artifact;
    const struct sim_artifact *wrong = other(dev->world);
    uint32_t hit = http->spoil_at - http->offset; /* wraps to a large number when it lies before */
    uint32_t real = http->offset < artifact->len ? artifact->len - http->offset : 0;
    real = real < len ? real : len;
    if (real > 0)
        memcpy(piece, artifact->bytes + http->offset, real);
    memset(piece + real, 0x1F, len - real); /* beyond the file: an endless body */
    uint32_t from = hit < len ? hit : http->offset >= http->spoil_at ? 0 : len;
    for (uint32_t i = from; i < len && how == SCN_HOW_GARBAGE; i++)
        piece[i] = (uint8_t)((http->offset + i) * (http->spoiled->draw[1] | 1) >> 11);
    for (uint32_t i = 0; i < len && how == SCN_HOW_WRONG_FILE; i++)
        piece[i] = wrong->bytes[(http->offset + i) % wrong->len];
    if (how == SCN_HOW_BIT_FLIP && hit < len) {
        piece[hit] ^= (uint8_t)(1u << http->spoiled->draw[1] % 8);
        dev_http_spoiled(dev);
    }
}

static bool takes_effect(const struct sim_http *http, uint32_t len)
{
    enum scn_how how = http->spoiled->how;
    return how == SCN_HOW_WRONG_FILE ||
           (how == SCN_HOW_GARBAGE && http->offset + len > http->spoil_at) ||
           (how == SCN_HOW_ENDLESS && http->offset + len > http->artifact->len);
}

static void piece(struct sim_device *dev)
{
    struct sim_http *http = &dev->http;
    uint8_t spoiled[2 * PIECE_BYTES];
    uint32_t len = PIECE_BYTES - http->offset % PIECE_BYTES;
    if (len > http->end - http->offset)
        len = http->end - http->offset;
    uint32_t slice = dev_slice_bytes(dev);
    len = len < slice ? len : slice;
    struct agent_event event = {.kind = AGENT_EV_HTTP_DATA, .offset = http->offset};
    if (http->spoiled || http->offset + len > http->artifact->len) {
        enum scn_how how = http->spoiled ? http->spoiled->how : SCN_HOW_ANY;
        /* An endless body does not stop at a piece's end either. */
        if (how == SCN_HOW_ENDLESS && http->offset + len >= http->artifact->len)
            len += PIECE_BYTES;
        spoil_piece(dev, how, spoiled, len);
        if (http->spoiled && takes_effect(http, len)) {
            /* WRONG_FILE and GARBAGE go on to the end of the body, and count once. */
            http->tasted = true;
            if (how == SCN_HOW_ENDLESS || http->offset + len >= http->end)
                dev_http_spoiled(dev);
        }
        event.bytes = spoiled;
    } else {
        event.bytes = http->artifact->bytes + http->offset;
    }
    event.len = len;
    http->offset += len;
    dev->timer[TIMER_HTTP] = dev->now_us + sim_link_piece_us(dev->link, &dev->link_rng, len) +
                             dev_slow_piece_us(dev, len);
    dev_agent_input(dev, &event);
}

void dev_http_step(struct sim_device *dev)
{
    struct sim_http *http = &dev->http;
    if (!http->active)
        return;
    if (http->drop && http->offset >= http->drop_at)
        dev_http_drop(dev);
    if (dev->http_down_until_us > dev->now_us || http->holed) {
        if (!http->stalled_us)
            http->stalled_us = dev->now_us;
        int64_t lost = http->stalled_us + dev->world->scn->device.stall_us;
        if (dev->now_us >= lost)
            finish(dev, AGENT_EV_HTTP_ERROR);
        else
            dev->timer[TIMER_HTTP] =
                !http->holed && dev->http_down_until_us < lost ? dev->http_down_until_us : lost;
        return;
    }
    http->stalled_us = 0;
    if (!http->headed &&
        (dev_clock_refuses(dev) || dev_refuses_certificate(dev, SCN_SERVER_STORE))) {
        finish(dev, AGENT_EV_HTTP_ERROR);
    } else if (!http->headed) {
        head(dev);
    } else if (http->spoiled && http->spoiled->how == SCN_HOW_DISCONNECT &&
               http->offset >= http->spoil_at) {
        dev_http_spoiled(dev);
        finish(dev, AGENT_EV_HTTP_ERROR);
    } else if (http->offset >= http->end) {
        if (http->spoiled)
            dev_http_spoiled(dev); /* truncated: the body ends here */
        finish(dev, AGENT_EV_HTTP_END);
    } else {
        piece(dev);
    }
}
