/*
 * Boards that the test plays on a pty or on loopback: a thread that hears bytes, keeps them, moves
 * relays and answers as the protocol's description says; and the faults. Nothing here uses the code
 * under test to make or to read a byte.
 */
#ifndef TESTS_RIG_RELAY_SERIAL_KIT_H
#define TESTS_RIG_RELAY_SERIAL_KIT_H

#include "rig/relay.h"
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum emu_fault {
    EMU_WELL,
    EMU_SILENT,   /* does what it is told, and answers nothing */
    EMU_SAYS,     /* answers says instead of its own */
    EMU_TRICKLES, /* a byte each 1250 ms */
    EMU_GOES,     /* unplugged (the other side is closed) as soon as it hears a byte */
};

enum {
    EMU_RELAYS = 256,
    EMU_HEARD_MAX = 4096,
    EMU_TIMEOUT_MS = 2000, /* for what does not come, though a part of it does */
    EMU_TRICKLE_MS = 1250,
    EMU_PATIENT_MS = 30000
};

struct emu;
typedef void emu_hear(struct emu *emu, uint8_t byte); /* a board: one byte heard */

struct emu {
    int fd, listener, stop[2], keep;
    char path[64]; /* of the pty */
    char port[8];  /* TCP */
    emu_hear *hear;
    uint32_t relays; /* of the model, where its answers depend on it */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    /* under the lock */
    enum emu_fault fault;
    const char *says; /* hex */
    uint8_t heard[EMU_HEARD_MAX];
    size_t heard_bytes;
    bool on[EMU_RELAYS];
    const char *broken; /* what it heard that is none of its protocol */
    /* the board's own */
    uint8_t frame[300];
    size_t frame_bytes;
};

void emu_start_pty(struct emu *emu, emu_hear *hear, uint32_t relays);
void emu_start_tcp(struct emu *emu, emu_hear *hear, uint32_t relays);
void emu_stop(struct emu *emu);
void emu_fault(struct emu *emu, enum emu_fault fault, const char *says);
bool emu_on(struct emu *emu, uint32_t relay);
void emu_unplug(struct emu *emu);
/* On a pty that a relay has opened: speaks unasked, and waits until it is there to be read. */
void emu_say(struct emu *emu, const void *bytes, size_t n);
/* What was heard since the last call is exactly this: "A0 01 01 A2". Waits for it. */
void emu_expect(struct emu *emu, const char *hex);
/* For boards: answers, or does as the fault says. */
void emu_answer(struct emu *emu, const void *bytes, size_t n);

emu_hear hear_lcus, hear_lcus_talking, hear_hw667, hear_kmtronic, hear_devantech, hear_numato,
    hear_rtu, hear_mbap;

/* One opened relay. */
struct use {
    const struct rig_relay_driver *driver;
    struct rig_relay *relay;
    char message[200];
};
/* pairs: key, text, NULL at the end. Values are freed before it returns: nothing may keep them. */
int use_open(struct use *use, const char *driver, uint32_t timeout_ms, const char *const *pairs);
void use_close(struct use *use);
int use_set(struct use *use, uint32_t channel, bool on);
int use_get(struct use *use, uint32_t channel, bool *on);
int use_pulse(struct use *use, uint32_t channel, bool on, uint32_t ms);

#define PAIRS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define EXPECT_OK(use, call)                                                                       \
    do {                                                                                           \
        int error_ = (call);                                                                       \
        cr_assert_eq(error_, RIG_OK, "%s: %s", rig_error_name(error_), (use).message);             \
    } while (0)
/* That error, and a message that has `part` in it. */
#define EXPECT_ERROR(use, call, error, part)                                                       \
    do {                                                                                           \
        int error_ = (call);                                                                       \
        cr_expect_eq(error_, (error), "%s instead of %s: %s", rig_error_name(error_),              \
                     rig_error_name(error), (use).message);                                        \
        cr_expect(strstr((use).message, (part)), "%s", (use).message);                             \
    } while (0)

#endif
