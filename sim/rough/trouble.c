/*
 * Faults of a device's network that last: cut off, slow, led to a bad certificate. Each has a place
 * in the device's list; links and plans of the proxies follow from the list, so that what overlaps
 * does not end with the first of them.
 */
#include "rough_internal.h"
#include <string.h>

enum { SLOW_CLOSE_US = 2000000 };

static const uint32_t out_of[SIM_ROUGH_SERVERS] = {
    [SIM_ROUGH_BROKER] = SIM_OUT_MQTT, [SIM_ROUGH_STORE] = SIM_OUT_HTTP};

static bool cuts_off(const struct rough_trouble *trouble)
{
    return trouble->kind != SCN_FAULT_SLOW_LINK && trouble->kind != SCN_FAULT_BAD_CERTIFICATE;
}

static enum sim_proxy_ending ending_of(const struct rough_trouble *trouble)
{
    switch (trouble->how) {
    case SCN_HOW_BLACK_HOLE:
        return SIM_PROXY_END_BLACK_HOLE;
    case SCN_HOW_CLOSE:
        return SIM_PROXY_END_CLOSE;
    case SCN_HOW_SLOW_CLOSE:
        return SIM_PROXY_END_SLOW_CLOSE;
    default:
        return SIM_PROXY_END_RESET;
    }
}

static bool touches(const struct rough_trouble *trouble, enum sim_rough_server server)
{
    return (trouble->what & out_of[server]) != 0;
}

/* It goes on: one whose time is over may still wait for its effect. */
static bool lasts(const struct rough_trouble *trouble, enum sim_rough_server server)
{
    return touches(trouble, server) && trouble->until_us > 0;
}

/* ---- What follows from the list ---- */

static void relink(struct rough_device *dev, enum sim_rough_server server)
{
    enum sim_proxy_entry entry = SIM_PROXY_PASS;
    for (int i = 0; i < SIM_ROUGH_TROUBLES_MAX; i++) {
        const struct rough_trouble *trouble = &dev->trouble[i];
        if (!lasts(trouble, server) || !cuts_off(trouble))
            continue;
        if (ending_of(trouble) != SIM_PROXY_END_BLACK_HOLE)
            entry = SIM_PROXY_REFUSE;
        else if (entry == SIM_PROXY_PASS)
            entry = SIM_PROXY_SILENT;
    }
    sim_proxy_link(dev->in->proxy[server], dev->number, entry, 0);
}

static uint32_t tighter(uint32_t a, uint32_t b)
{
    return a && (!b || a < b) ? a : b;
}

static void slow_down(struct sim_proxy_plan *plan, const struct scn_fault *from)
{
    plan->latency_us += (uint32_t)from->latency_us;
    plan->jitter_us += (uint32_t)from->jitter_us;
    plan->bytes_per_s = tighter(from->bandwidth_bytes_s, plan->bytes_per_s);
    plan->slice_bytes = tighter(from->slice_bytes, plan->slice_bytes);
}

static enum sim_cert certificate_of(enum scn_how how)
{
    return how == SCN_HOW_EXPIRED         ? SIM_CERT_EXPIRED
           : how == SCN_HOW_NOT_YET_VALID ? SIM_CERT_NOT_YET_VALID
           : how == SCN_HOW_WRONG_NAME    ? SIM_CERT_WRONG_NAME
                                          : SIM_CERT_UNKNOWN_CA;
}

void rough_trouble_plan(const struct rough_device *dev, enum sim_rough_server server,
                        struct sim_proxy_plan *plan)
{
    plan->slow_us = SLOW_CLOSE_US;
    for (int i = 0; i < SIM_ROUGH_TROUBLES_MAX; i++) {
        const struct rough_trouble *trouble = &dev->trouble[i];
        if (!lasts(trouble, server))
            continue;
        if (trouble->kind == SCN_FAULT_SLOW_LINK)
            slow_down(plan, trouble->from);
        else if (trouble->kind == SCN_FAULT_BAD_CERTIFICATE)
            plan->upstream = rough_address(dev->in, server, certificate_of(trouble->how));
    }
}

static void replan(struct rough_device *dev, enum sim_rough_server server)
{
    struct sim_proxy_plan plan = {0};
    rough_trouble_plan(dev, server, &plan);
    sim_proxy_change(dev->in->proxy[server], dev->number, &plan);
}

/* ---- Beginning and end ---- */

static void strike(struct rough_device *dev, enum sim_rough_server server,
                   struct rough_trouble *trouble)
{
    struct sim_proxy *proxy = dev->in->proxy[server];
    if (trouble->kind == SCN_FAULT_SLOW_LINK) {
        replan(dev, server);
    } else if (cuts_off(trouble)) {
        relink(dev, server);
        trouble->hit |= sim_proxy_cut(proxy, dev->number, ending_of(trouble), 0) > 0;
    } else if (server == SIM_ROUGH_BROKER) {
        /* A server with another certificate was started anew: who was connected comes again. */
        sim_proxy_cut(proxy, dev->number, SIM_PROXY_END_RESET, 0);
    }
}

static void set_alarm(struct rough_device *dev)
{
    int64_t first_us = SIM_NEVER;
    for (int i = 0; i < SIM_ROUGH_TROUBLES_MAX; i++) {
        const struct rough_trouble *trouble = &dev->trouble[i];
        if (trouble->what && trouble->until_us > 0 && trouble->until_us < first_us)
            first_us = trouble->until_us;
    }
    sim_queue_set(&dev->in->troubles, dev->number, first_us);
}

static struct rough_trouble *free_place(struct rough_device *dev)
{
    for (int i = 0; i < SIM_ROUGH_TROUBLES_MAX; i++)
        if (!dev->trouble[i].what)
            return &dev->trouble[i];
    return NULL;
}

int sim_rough_begin(struct sim_rough *rough, uint32_t device, uint32_t what, int64_t until_us,
                    const struct sim_fault *fault)
{
    struct rough_device *dev = &rough->device[device];
    struct rough_trouble *trouble = free_place(dev);
    if (!dev->rough || !trouble)
        return -1;
    *trouble = (struct rough_trouble){.what = what,
                                      .fault = fault,
                                      .kind = fault ? fault->kind : SCN_FAULT_NETWORK_DROP,
                                      .how = fault ? fault->how : SCN_HOW_RESET,
                                      .until_us = until_us,
                                      .struck = !fault,
                                      .told = !fault};
    if (fault)
        trouble->from = &rough->config.world->scn->fault[fault->fault];
    for (int server = 0; server < SIM_ROUGH_SERVERS; server++)
        if (what & out_of[server])
            strike(dev, (enum sim_rough_server)server, trouble);
    set_alarm(dev);
    return 0;
}

/* Who fell into a hole will notice it for certain, later. */
static bool will_show(const struct rough_trouble *trouble)
{
    return !trouble->struck && trouble->hit && trouble->how == SCN_HOW_BLACK_HOLE;
}

static void end(struct rough_device *dev, struct rough_trouble *trouble)
{
    struct rough_trouble was = *trouble;
    trouble->until_us = 0;
    if (!was.struck && !will_show(&was))
        dev->in->config.spared(dev->in->config.ctx, dev->number, was.fault);
    if (!will_show(&was) && (was.told || !was.struck))
        *trouble = (struct rough_trouble){0};
    for (int server = 0; server < SIM_ROUGH_SERVERS; server++) {
        if (!(was.what & out_of[server]))
            continue;
        if (was.kind == SCN_FAULT_SLOW_LINK)
            replan(dev, (enum sim_rough_server)server);
        else if (cuts_off(&was))
            relink(dev, (enum sim_rough_server)server);
    }
}

int64_t sim_rough_next(const struct sim_rough *rough)
{
    uint32_t number;
    return sim_queue_peek(&rough->troubles, &number);
}

void sim_rough_restore(struct sim_rough *rough, int64_t now_us)
{
    uint32_t number;
    while (sim_queue_peek(&rough->troubles, &number) <= now_us) {
        struct rough_device *dev = &rough->device[number];
        for (int i = 0; i < SIM_ROUGH_TROUBLES_MAX; i++)
            if (dev->trouble[i].what && dev->trouble[i].until_us > 0 &&
                dev->trouble[i].until_us <= now_us)
                end(dev, &dev->trouble[i]);
        set_alarm(dev);
    }
}

/* ---- Effects ---- */

static bool proves(const struct rough_trouble *trouble, enum sim_proxy_effect_kind kind)
{
    if (trouble->kind == SCN_FAULT_BAD_CERTIFICATE)
        return false; /* the device says so itself */
    if (trouble->kind == SCN_FAULT_SLOW_LINK)
        return kind == SIM_PROXY_DELAYED || kind == SIM_PROXY_THROTTLED || kind == SIM_PROXY_SLICED;
    switch (ending_of(trouble)) {
    case SIM_PROXY_END_BLACK_HOLE:
        return kind == SIM_PROXY_HOLED || kind == SIM_PROXY_SILENCED;
    case SIM_PROXY_END_CLOSE:
        return kind == SIM_PROXY_CLOSED || kind == SIM_PROXY_REFUSED;
    case SIM_PROXY_END_SLOW_CLOSE:
        return kind == SIM_PROXY_HALF_CLOSED || kind == SIM_PROXY_REFUSED;
    default:
        return kind == SIM_PROXY_RESET || kind == SIM_PROXY_REFUSED;
    }
}

static void note(struct rough_device *dev, struct rough_trouble *trouble)
{
    trouble->struck = true;
    if (!dev->news)
        dev->in->news[dev->in->newses++] = dev->number;
    dev->news = true;
}

void rough_trouble_seen(struct rough_device *dev, enum sim_rough_server server,
                        enum sim_proxy_effect_kind kind)
{
    for (int i = 0; i < SIM_ROUGH_TROUBLES_MAX; i++) {
        struct rough_trouble *trouble = &dev->trouble[i];
        if (!touches(trouble, server) || trouble->struck)
            continue;
        trouble->led |= trouble->kind == SCN_FAULT_BAD_CERTIFICATE && kind == SIM_PROXY_LED;
        if (proves(trouble, kind))
            note(dev, trouble);
    }
}

/* The drivers' own words for what is wrong with a certificate: OpenSSL's, and libcurl's for a name.
 */
static bool speaks_of(enum scn_how how, const char *why)
{
    switch (how) {
    case SCN_HOW_EXPIRED:
        return strstr(why, "expired") != NULL;
    case SCN_HOW_NOT_YET_VALID:
        return strstr(why, "not yet valid") != NULL;
    case SCN_HOW_WRONG_NAME:
        return strstr(why, "hostname") || strstr(why, "host name");
    default:
        return strstr(why, "issuer") || strstr(why, "self-signed");
    }
}

void sim_rough_refused(struct sim_rough *rough, uint32_t device, enum sim_rough_server server,
                       const char *why)
{
    struct rough_device *dev = &rough->device[device];
    for (int i = 0; i < SIM_ROUGH_TROUBLES_MAX; i++) {
        struct rough_trouble *trouble = &dev->trouble[i];
        if (touches(trouble, server) && trouble->led && !trouble->struck &&
            speaks_of(trouble->how, why))
            note(dev, trouble);
    }
}

static void tell(struct rough_device *dev)
{
    for (int i = 0; i < SIM_ROUGH_TROUBLES_MAX; i++) {
        struct rough_trouble *trouble = &dev->trouble[i];
        if (!trouble->struck || trouble->told)
            continue;
        const struct sim_fault *fault = trouble->fault;
        trouble->told = true;
        if (!trouble->until_us)
            *trouble = (struct rough_trouble){0};
        dev->in->config.cut_off(dev->in->config.ctx, dev->number, fault);
    }
}

void sim_rough_tell(struct sim_rough *rough)
{
    while (rough->newses) {
        struct rough_device *dev = &rough->device[rough->news[--rough->newses]];
        dev->news = false;
        tell(dev);
    }
}
