/* What a board is connected to: contacts of controllers, consoles and lines. */
#include "reader.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct rig_bench_contact, member)
enum { OFF_MS_MAX = 600000, HOLD_MS_MAX = 60000 };

static int take_controller(struct bench_reader *r, void *out, const struct bench_node *node)
{
    struct rig_bench_contact *contact = out;
    char names[300] = "";
    if (bench_must_be(r, node, BENCH_SCALAR))
        return -1;
    for (uint32_t i = 0; i < r->bench->controllers; i++) {
        bench_add_name(names, sizeof names, r->bench->controller[i].name);
        if (strcmp(r->bench->controller[i].name, node->text))
            continue;
        contact->controller = (int32_t)i;
        return 0;
    }
    return bench_fail(&r->tree, node, "no controller '%.40s'; accepted: %s", node->text,
                      *names ? names : "none, `controllers:` is empty");
}

#define KEYS_OF_ALL                                                                                \
    {.name = "controller", .form = BENCH_OWN, .required = true, .own = take_controller},           \
        {.name = "channel",                                                                        \
         .form = BENCH_NUMBER,                                                                     \
         .at = AT(channel),                                                                        \
         .max = UINT32_MAX,                                                                        \
         .required = true},                                                                        \
    {                                                                                              \
        .name = "inverted", .form = BENCH_FLAG, .at = AT(inverted)                                 \
    }

static const struct bench_key power_keys[] = {
    KEYS_OF_ALL,
    {.name = "off_at_least", .form = BENCH_DURATION, .at = AT(off_at_least_ms), .max = OFF_MS_MAX},
    {.name = NULL}};
static const struct bench_key reset_keys[] = {
    KEYS_OF_ALL,
    {.name = "hold", .form = BENCH_DURATION, .at = AT(hold_ms), .min = 1, .max = HOLD_MS_MAX},
    {.name = NULL}};
static const struct bench_key strap_keys[] = {KEYS_OF_ALL, {.name = NULL}};

/* A driver with a setting `channels` has that many of them. */
static void channels_of(const struct rig_bench_controller *controller, uint32_t *first,
                        uint32_t *last)
{
    const struct rig_setting *setting = controller->driver->setting;
    *first = controller->driver->channel_first;
    *last = controller->driver->channel_last;
    for (size_t i = 0; setting[i].key; i++) {
        const struct rig_setting_value *value = &controller->value[i];
        int64_t channels = 0;
        if (strcmp(setting[i].key, "channels") != 0 || !value->given)
            continue;
        if (setting[i].kind == RIG_SETTING_NUMBER)
            channels = value->number;
        else if (setting[i].kind == RIG_SETTING_CHOICE)
            channels = strtol(setting[i].choice[value->number], NULL, 10);
        if (channels > 0)
            *last = *first + (uint32_t)channels - 1;
    }
}

int bench_read_contact(struct bench_reader *r, struct rig_bench_contact *out,
                       enum bench_contact_kind kind, const struct bench_node *node)
{
    static const struct bench_key *const keys[] = {power_keys, reset_keys, strap_keys};
    uint32_t first, last;
    *out = (struct rig_bench_contact){.controller = -1};
    if (kind == BENCH_POWER)
        out->off_at_least_ms = 500;
    if (kind == BENCH_RESET)
        out->hold_ms = 100;
    if (bench_mapping(r, out, node, keys[kind]))
        return -1;
    const struct rig_bench_controller *controller = &r->bench->controller[out->controller];
    channels_of(controller, &first, &last);
    return out->channel >= first && out->channel <= last
               ? 0
               : bench_fail(&r->tree, bench_node_get(node, "channel"),
                            "%u; accepted: %s (%s) has channels %u to %u", out->channel,
                            controller->name, controller->driver->name, first, last);
}

/* ---- Consoles and OTA lines ---- */

static bool is_speed(uint32_t baud)
{
    static const uint32_t speeds[] = {1200,   2400,   4800,   9600,   19200,  38400, 57600,
                                      115200, 230400, 460800, 500000, 576000, 921600};
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++)
        if (speeds[i] == baud)
            return true;
    return false;
}

static int take_baud(struct bench_reader *r, void *out, const struct bench_node *node)
{
    struct rig_console_at *at = out;
    int64_t baud;
    if (bench_number(r, &baud, 1200, 921600, node))
        return -1;
    at->baud = (uint32_t)baud;
    return is_speed(at->baud) ? 0
                              : bench_fail(&r->tree, node,
                                           "%u is no speed of a serial port; accepted: 9600, "
                                           "19200, ... 115200, ... 921600",
                                           at->baud);
}

/* "host:port", "[::1]:port". */
static int take_tcp(struct bench_reader *r, void *out, const struct bench_node *node)
{
    struct rig_console_at *at = out;
    const char *text, *colon, *rest;
    int64_t port = 0;
    if (bench_text(r, &text, node))
        return -1;
    colon = strrchr(text, ':');
    rest = colon ? colon + 1 : "";
    bool bracketed = colon && *text == '[' && colon[-1] == ']';
    size_t len = colon ? (size_t)(colon - text) - (bracketed ? 2 : 0) : 0;
    const char *host = text + bracketed;
    if (!agent_kit_read_number(&rest, &port) || *rest || port < 1 || port > 65535 || !len ||
        (!bracketed && memchr(host, ':', len)))
        return bench_fail(&r->tree, node,
                          "'%.60s'; accepted: \"host:port\", port 1 to 65535 (IPv6: "
                          "\"[::1]:port\")",
                          text);
    at->host = bench_take_text(r->tree.memory, host, len);
    at->port = (uint16_t)port;
    at->kind = RIG_CONSOLE_TCP;
    return at->host ? 0 : bench_fail(&r->tree, node, "out of memory");
}

static int take_serial(struct bench_reader *r, void *out, const struct bench_node *node)
{
    struct rig_console_at *at = out;
    at->kind = RIG_CONSOLE_SERIAL;
    return bench_path(r, &at->path, node);
}

static int take_unix(struct bench_reader *r, void *out, const struct bench_node *node)
{
    struct rig_console_at *at = out;
    at->kind = RIG_CONSOLE_UNIX;
    return bench_path(r, &at->path, node);
}

int bench_read_console(struct bench_reader *r, struct rig_console_at *out,
                       const struct bench_node *node)
{
    static const struct bench_key keys[] = {
        {.name = "serial", .form = BENCH_OWN, .own = take_serial},
        {.name = "baud", .form = BENCH_OWN, .own = take_baud},
        {.name = "tcp", .form = BENCH_OWN, .own = take_tcp},
        {.name = "unix", .form = BENCH_OWN, .own = take_unix},
        {.name = NULL}};
    *out = (struct rig_console_at){.baud = 115200};
    if (bench_mapping(r, out, node, keys))
        return -1;
    const struct bench_node *baud = bench_node_get(node, "baud");
    uint32_t ways = node->children - (baud ? 1 : 0);
    if (ways != 1)
        return bench_fail(&r->tree, node, "%s; accepted: one of serial, tcp, unix",
                          ways ? "several ways to it" : "no way to it");
    if (baud && out->kind != RIG_CONSOLE_SERIAL)
        return bench_fail_key(&r->tree, baud,
                              "only a serial port has a speed; accepted with "
                              "serial alone");
    return 0;
}
