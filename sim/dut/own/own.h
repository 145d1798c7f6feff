/*
 * Inside of the device under test that is Brickyard's own: its bootloader core and its agent core
 * behind sim/dut.h. Everything lives in the RAM that the host gives, and is set up anew at each
 * call, because a reset fills that RAM with A5. No heap, no clock, no static that is written.
 */
#ifndef DUT_OWN_H
#define DUT_OWN_H

#include "agent/agent.h"
#include "sim/dut_own.h"

enum { OWN_KEYS_MAX = 8, OWN_PIECE_BYTES = 4096, OWN_FEEDS_MAX = 8 };

/* The unit in the terms of the bootloader. Points into itself and to the port: never copied. */
struct own_env {
    struct boot_flash flash;
    struct boot_crypto crypto;
    struct boot_layout layout;
    struct boot_key key[OWN_KEYS_MAX];
    struct boot_keys keys;
    struct boot_env boot;
};

/* env.c */
void own_layout(struct boot_layout *out, const struct dut_layout *layout);
void own_env(struct own_env *out, const struct dut_port *port);
const char *own_refuses(const struct dut_unit *unit);

/* A download. */
struct own_transfer {
    bool open, headed;
    uint32_t offset;
};

/* What the service wants, as it was asked last. */
struct own_wish {
    bool asked;           /* once in this session */
    bool fed;             /* `told` was given to the agent in this session */
    uint64_t told;        /* digest of the message that was given last */
    uint32_t reports;     /* that had been made when it was given */
    uint32_t feeds;       /* bounds a service that never hears */
    uint32_t image_bytes; /* of the update that is offered, 0: not known */
};

/* The application in one power session (app.c). */
struct own_app {
    const struct dut_port *port;
    struct agent_config config;
    struct agent agent;
    bool trial; /* not confirmed yet: the watchdog is not kicked */
    bool reset; /* the agent asks for one */
    bool mqtt_asked, connected, fault_asked;
    uint32_t watchdog_s;
    int64_t started_ms, timed_ms; /* timed_ms: of the last AGENT_EV_TIME */
    uint32_t ack, reports;
    struct own_transfer transfer;
    struct own_wish wish;
    uint8_t piece[OWN_PIECE_BYTES];
};

/* tell.c: a status payload of the agent to the port's report, and a change of state to its story.
 */
void own_tell_status(const struct dut_port *port, const char *json, uint32_t len);
void own_tell_state(const struct dut_port *port, enum agent_state from, enum agent_state to);

enum dut_run own_app_run(struct own_app *app, const struct dut_port *port,
                         const struct boot_env *env, const struct agent_boot *boot,
                         uint32_t watchdog_s);

/* factory.c */
enum own_variant { OWN_FACTORY, OWN_WRAP, OWN_VARIANTS };
int own_factory(const struct own_env *env, const struct dut_port *port,
                const struct dut_image *image);

/* Little endian, as all numbers on flash. */
static inline void own_put_u32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

/* canon.c: see struct dut. */
struct own_canon {
    struct own_env env;
    struct agent_journal journal;
};
uint32_t own_ranges(const struct dut_unit *unit, struct dut_range *out, uint32_t max);
uint32_t own_scratch(struct own_canon *canon, const struct dut_port *view, struct dut_range *out,
                     uint32_t max);
uint32_t own_canonical(struct own_canon *canon, const struct dut_port *view, uint32_t part,
                       uint8_t *out, uint32_t max);

/* The RAM. */
struct own {
    struct own_env env;
    struct own_app app;
};
_Static_assert(sizeof(struct own_canon) <= sizeof(struct own), "both fit the same RAM");

#endif
