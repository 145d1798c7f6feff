/*
 * The LCUS relay boards' protocol as the board hears it (9600 8N1):
 *
 *   byte  0     1        2              3
 *         A0    channel  00 off, 01 on  sum of bytes 0..2, low eight bits
 *
 * Nothing is answered. The talking kind answers a byte FF by a line for each channel, "CH1: ON\r\n"
 * or "CH2: OFF\r\n", and a frame by the line of its channel: what its coil has, not its contact.
 * Any bytes may come; what is no frame is passed over byte by byte, so that a frame behind rubbish,
 * or behind half of one, is heard.
 */
#ifndef EM_LCUS_H
#define EM_LCUS_H

#include <stdbool.h>
#include <stdint.h>

struct em_lcus { /* zeroed at first */
    uint8_t frame[4];
    unsigned len;
};

enum em_lcus_said { EM_LCUS_NOTHING, EM_LCUS_SET, EM_LCUS_STATUS };

/* One byte. SET: *channel (0 to 255, the caller knows which it has) and *on. */
enum em_lcus_said em_lcus_byte(struct em_lcus *lcus, uint8_t byte, uint8_t *channel, bool *on);

#endif
