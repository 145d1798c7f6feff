/*
 * A board on a bench that the test plays: its relay, console and OTA line are ptys, its gateway
 * and the ground above it are fakes. What it is driven by (wiring, controller, LCUS driver,
 * consoles) is the rig's own.
 */
#ifndef TESTS_RIG_SITE_DESK_H
#define TESTS_RIG_SITE_DESK_H

#include "kit.h"
#include "site_internal.h"

struct desk {
    struct kit_line relay, console, line;
    struct rig_bench *bench;
    struct rig_site site;
    struct rs_place place;
    struct scn_group group;
    struct sim_unit unit;
    struct sim_body_run run;
    struct sim_body_device device;
    struct sim_body *body;
    /* what the relay heard */
    unsigned ons, offs;
    bool contact;
    int64_t off_at_us; /* the last "off" */
    uint8_t frame[4];
    size_t frame_len;
    /* what the ground was told */
    char said[8192], lost[1024], how[128];
    unsigned heard, darks, ends, mutes;
    unsigned darks_then; /* as it was told to be mute */
    int64_t owes_ms;
    bool no_boot;
    /* what the gateway got */
    char in[256];
    unsigned powers_on, powers_lost;
    bool answers; /* it boots by itself when the contact closes */
};
extern struct desk desk;

void desk_open(void);
void desk_open_with(const struct rig_aim *aim, uint32_t cuts);
void desk_close(void);  /* the body may be closed already */
void desk_play(int ms); /* the loop runs, the relay is listened to */
/* Until *what is that, at most so long. */
bool desk_until(const unsigned *what, unsigned is, int ms);
bool desk_until_lost(int ms);
bool desk_until_in(const char *text); /* the gateway got this; 60 s at most */
bool desk_until_open(void);           /* the contact; the same */
/* From the next power on: so long it may say nothing. 10 s else, so that a machine that stands
 * still makes no board silent. */
void desk_listen(uint32_t ms);
void desk_on(void);               /* and its contact is closed, as the relay heard it */
void desk_boot(void);             /* on, and its bootloader says so */
void desk_dark(void);             /* off, until it is dark */
void desk_says(const char *text); /* a line of its console, until it is read */
void desk_forget(void);           /* what was said */
void desk_gateway_writes(const char *text);

#define DESK_ROM "level=info event=rom reset=\"power on\" boots=1 straps=0"

#endif
